import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { Sql } from "../storage/Sql.js"
import type { TaskId } from "./Task.js"

// On Postgres, transactions about one task run side by side, and each statement sees what was committed before it. So a
// transaction that reads before it decides locks first. All lock in one order, or two could wait for each other: a turn,
// tasks in the order of their ids, what belongs to them (verdicts, reports, launches), then lanes, and events.

/**
 * Only one transaction at a time starts tasks, because what is to be found may not be there yet, so that it has no row
 * to lock; and only one gives an agent its turn, because all are counted. It is a transaction's first statement. It
 * reads no table, so that on SQLite the transaction may begin with it.
 */
export const waitForTurn = (
  sql: Sql,
  turn: "plane_sync_task_start" | "plane_sync_launch_claim"
): Effect.Effect<void, SqlError> => Effect.asVoid(sql`SELECT ${sql.turn(turn)} AS turn`)

/**
 * Waits until no other transaction has the task, and keeps others out until this one ends. It changes nothing, but
 * writes, as the first statement of a transaction must on SQLite.
 */
export const lockTask = (sql: Sql, taskId: TaskId): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`UPDATE plane_sync_task SET revision = revision WHERE id = ${taskId}`)
