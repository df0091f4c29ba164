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
  by: Model.User,
  at: PlaneMicros,
  change: () => void
): void => {
  const undone = item.state.id !== columns.state.id
  if (undone) store.setState(item, columns.state, by, at)
  Object.assign(item, columns)
  change()
  if (item.state.id !== columns.state.id) note(item, "state", columns.state, item.state, by, at)
  item.updatedBy = by
  item.updatedAt = store.moment(clockMillisOf(at))
}

interface Named {
  readonly id: string
  readonly name: string
}

/** Plane compares what was asked for with the row that was read, so what is undone on the way is in no activity. */
const note = (item: Model.WorkItem, field: string, from: Named, to: Named, actor: Model.User, at: PlaneMicros) => {
  item.activities.push({
    id: randomUUID(),
    at,
    verb: "updated",
    field,
    oldValue: from.name,
    newValue: to.name,
    oldId: from.id,
    newId: to.id,
    actor
  })
}

/** Notes a change of a column without an id: its values as people read them. */
export const noteValue = (
  item: Model.WorkItem,
  field: string,
  values: { readonly from: string | null; readonly to: string | null },
  actor: Model.User,
  at: PlaneMicros
): void => {
  item.activities.push({
    id: randomUUID(),
    at,
    verb: "updated",
    field,
    oldValue: values.from,
    newValue: values.to,
    oldId: null,
    newId: null,
    actor
  })
}
