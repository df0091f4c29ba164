import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import { endLaunches, oweLaunch } from "./Launches.js"
import { goOnTime, stopTime } from "./StageTimes.js"
import type { TaskRow } from "./TaskRows.js"
import { agentOf } from "./TaskRows.js"

/**
 * The agent of a task's stage is launched once more, under `entry`, a new transition, because a launcher takes a known
 * one for a repetition. Where it may still be at work it is stopped, so that two never work on one stage. Only for a
 * task that is active or paused; of one that is paused it waits until it goes on. Within the transaction that has locked
 * the task and read it then. `attempts`: 1 if this counts as another attempt at the stage. Says whether the stage has an
 * agent; where it has none, nothing changes.
 */
export const launchAgain = (
  sql: Sql,
  { givenAgent, pipeline, task }: TaskRow,
  { attempts, entry }: { readonly entry: string; readonly attempts: 0 | 1 },
  now: EpochMillis
): Effect.Effect<boolean, SqlError> =>
  Effect.gen(function*() {
    const agent = pipeline.pipe(
      Option.flatMap(({ byName }) => byName(task.stage)),
      Option.flatMapNullable((stage) => agentOf(stage, givenAgent)),
      Option.getOrUndefined
    )
    if (agent === undefined) return false
    yield* sql`UPDATE plane_sync_task SET entry = ${entry}, updated_at = ${now}, due_at = ${now}, revision = revision + 1
      WHERE id = ${task.id}`
    yield* endLaunches(sql, task.id, now)
    const areGatesAsked = task.status === "active"
    yield* oweLaunch(sql, { entry, taskId: task.id, stage: task.stage, agent, areGatesAsked }, now)
    if (attempts === 1 && task.status === "active") {
      yield* stopTime(sql, task.id, now)
      yield* goOnTime(sql, task.id, { stage: task.stage, attempts }, now)
    }
    return true
  })
