import { randomUUID } from "node:crypto"
import type * as Model from "./Model.js"
import type { PlaneMicros } from "./Moment.js"
import { clockMillisOf } from "./Moment.js"
import type { Store } from "./Store.js"

/**
 * Plane reads the row of a work item, changes it, and saves all columns. So a change that is saved later writes back
 * what it has read of all the others, and both are answered 200.
 */

type Columns = Pick<
  Model.WorkItem,
  "completedAt" | "descriptionHtml" | "name" | "priority" | "startDate" | "state" | "targetDate"
>

const columnsOf = (item: Model.WorkItem): Columns => ({
  completedAt: item.completedAt,
  descriptionHtml: item.descriptionHtml,
  name: item.name,
  priority: item.priority,
  startDate: item.startDate,
  state: item.state,
  targetDate: item.targetDate
})

/** What a row was when a change read it. */
export interface ReadRow {
  readonly columns: Columns
}

export const readRow = (item: Model.WorkItem): ReadRow => ({ columns: columnsOf(item) })

/** Saves a row as it was read, with what `change` makes of it. */
export const saveRow = (
  store: Store,
  item: Model.WorkItem,
  { columns }: ReadRow,
  { at, by, isTold = true }: {
    readonly by: Model.User
    readonly at: PlaneMicros
    /** Whether the worker that writes the history hears of it. */
    readonly isTold?: boolean
  },
  change: () => void
): void => {
  const { assignees, labels } = item
  const undone = item.state.id !== columns.state.id
  if (undone) store.setState(item, columns.state, by, at)
  Object.assign(item, columns)
  change()
  item.updatedBy = by
  item.updatedAt = store.moment(clockMillisOf(at))
  if (!isTold) return
  // Plane compares what was asked for with the row that was read, so what is undone on the way is in no activity.
  const note = (field: string, from: Named | null, to: Named | null) => {
    item.activities.push({
      id: randomUUID(),
      at,
      verb: "updated",
      field,
      oldValue: from?.name ?? "",
      newValue: to?.name ?? "",
      oldId: from?.id ?? null,
      newId: to?.id ?? null,
      actor: by
    })
  }
  if (item.state.id !== columns.state.id) note("state", columns.state, item.state)
  for (const field of ["name", "priority"] as const) {
    if (item[field] !== columns[field]) note(field, { name: columns[field] }, { name: item[field] })
  }
  for (
    const [field, before, after] of [
      ["assignees", assignees, item.assignees],
      ["labels", labels, item.labels]
    ] as const
  ) {
    for (const each of before) if (!after.some(({ id }) => id === each.id)) note(field, each, null)
    for (const each of after) if (!before.some(({ id }) => id === each.id)) note(field, null, each)
  }
}

interface Named {
  /** Of what has one. */
  readonly id?: string
  /** What people read. */
  readonly name: string
}
