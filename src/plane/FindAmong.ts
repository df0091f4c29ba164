import { Option } from "effect"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { WorkItem } from "./WorkItem.js"

/**
 * The work item that `PlaneClient.find` would give for a key of this project, as far as some of its work items can
 * tell; `all` says that the project has no others. None: only Plane can tell, because the name of a work item that is
 * not among these may carry the key.
 */
export const findAmong = (key: WorkItemKey, items: ReadonlyArray<WorkItem>, all: boolean): Option.Option<WorkItem> => {
  const numbered = items.filter(({ number }) => number === key.number)
  if (!all) return key.zeros ? Option.none() : only(numbered)
  const named = items.filter(({ name }) => key.isNamedIn(name))
  const [first, otherwise] = key.zeros ? [named, numbered] : [numbered, named]
  return only(first.length > 0 ? first : otherwise)
}

const only = (items: ReadonlyArray<WorkItem>): Option.Option<WorkItem> =>
  items.length === 1 ? Option.fromNullable(items[0]) : Option.none()
