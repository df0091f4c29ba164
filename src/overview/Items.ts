import { Either } from "effect"
import { keyIn } from "../domain/Project.js"
import type { Projects } from "../domain/Projects.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { ItemName } from "../outbox/ItemNames.js"
import { itemPage } from "../plane/ItemPage.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { Items } from "./OverviewFacts.js"

type Address = Pick<PlaneConfig, "url" | "workspaceSlug">

/** The names under which `itemNames` is asked for these work items. Another text than a key is nobody's. */
export const namesOf = (workItems: ReadonlyArray<string>) =>
  Array.from(new Set(workItems.map((one) => WorkItemKey.normalize(one))))

/**
 * What people call work items, and where they see them. The number is what Plane has told. Until then a key with leading
 * zeros has no page, because it may be a part of another work item's name.
 */
export const itemsOf = (
  config: Address,
  projects: Pick<Projects["Type"], "named">,
  known: ReadonlyArray<ItemName>
): Items => {
  const byName = new Map<string, ItemName>(known.map((one) => [one.name, one]))
  return (workItem) => {
    const told = byName.get(WorkItemKey.normalize(workItem))
    const key = Either.getOrUndefined(WorkItemKey.parse(workItem))
    const project = projects.named(told?.project ?? "") ?? (key && projects.named(key.identifier))
    const number = told?.number ?? (key?.zeros === false ? key.number : undefined)
    const address = project === undefined || number === undefined
      ? null
      : itemPage({ ...config, ...project.own }, keyIn(project, number))
    return { key: workItem, name: told?.title ?? null, url: address }
  }
}
