import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { ItemId } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import { checkKind, cleanLink, pullRequestKind } from "../domain/Link.js"
import { identifierOf, WorkItemKey } from "../domain/WorkItemKey.js"
import type { ItemOfProject } from "../outbox/LeftStates.js"
import { giveLinks, takeLink } from "../outbox/WantedLinks.js"
import type { WorkItemLink } from "../outbox/WorkItemLinks.js"
import { readWorkItemLinks } from "../outbox/WorkItemLinks.js"
import type { Sql } from "../storage/Sql.js"
import type { Page } from "./QualityGate.js"
import type { Task, TaskId } from "./Task.js"

/** A task's work item, as far as it is known. */
export const itemOf = (workItem: string, itemId: ItemId | undefined): ItemOfProject => {
  const key = WorkItemKey.normalize(workItem)
  return { key, itemId, project: identifierOf(key) }
}

/** The links that the work item of a task is to have. */
export const readTaskLinks = (
  sql: Sql,
  { itemId, workItem }: Pick<Task, "itemId" | "workItem">
): Effect.Effect<ReadonlyArray<WorkItemLink>, SqlError> =>
  readWorkItemLinks(sql, itemOf(workItem, Option.getOrUndefined(itemId)))

/** The work item of a task is to have these links. */
export const linkTask = (
  sql: Sql,
  { itemId, workItem }: Pick<Task, "itemId" | "workItem">,
  links: ReadonlyArray<Link>
): Effect.Effect<void, SqlError> =>
  giveLinks(sql, itemOf(workItem, Option.getOrUndefined(itemId)), links.map(cleanLink))

/** It is to have a link to a pull request. */
export const linkPullRequest = (
  sql: Sql,
  item: { readonly workItem: string; readonly itemId: ItemId | null },
  { title, url }: Page
): Effect.Effect<void, SqlError> =>
  giveLinks(sql, itemOf(item.workItem, item.itemId ?? undefined), [cleanLink({ kind: pullRequestKind, title, url })])

/** It is to have a link to the page of the check that fails now, or none. */
export const linkCheck = (
  sql: Sql,
  { itemId, workItem }: Pick<Task, "itemId" | "workItem">,
  page: Page | undefined
): Effect.Effect<void, SqlError> => {
  const item = itemOf(workItem, Option.getOrUndefined(itemId))
  return page === undefined
    ? takeLink(sql, item, checkKind)
    : giveLinks(sql, item, [cleanLink({ kind: checkKind, ...page })])
}

/** The stage of a task is left whatever its gates said: the pages that they named are those of that stage. */
export const leavePages = (sql: Sql, task: Pick<Task, "id" | "itemId" | "workItem">): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const left = yield* sql<{ task: TaskId }>`UPDATE plane_sync_verdict SET page = NULL
      WHERE task = ${task.id} AND page IS NOT NULL RETURNING task`
    if (left.length > 0) yield* linkCheck(sql, task, undefined)
  })
