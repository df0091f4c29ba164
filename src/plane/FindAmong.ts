import { Option } from "effect"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { WorkItem } from "./WorkItem.js"

/**
 * The work item that `PlaneClient.find` would give for a key of this project, where these of its work items tell it; `all`
 * says that it has no others. None: only Plane can tell, as whether a name that is not among these carries the key.
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
