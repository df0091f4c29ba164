import { projectOfItem } from "../outbox/ItemKeys.js"
import type { Fragment, Sql } from "../storage/Sql.js"

/** The identifier of the project of the task `t`: as its work item, or else its key, was found to be in, or as it says. */
export const projectOfTask = (sql: Sql): Fragment => {
  const canonical = sql.literal("t.canonical")
  return sql`coalesce(${projectOfItem(sql, sql.literal("t.plane_id"), sql.literal("t.key"))},
    substr(${canonical}, 1, ${sql.position(canonical, "-")} - 1))`
}
