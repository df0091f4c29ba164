import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { LaneId } from "../domain/Ids.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { earlierOf, idleAgain } from "./Idle.js"
import type { ItemOfProject } from "./LeftStates.js"
import { itsLanes } from "./LeftStates.js"
import { holdLane } from "./WantedLinks.js"

/** When a lane has something to do for its assignees first. */
const firstAssignee = (sql: Sql): Fragment =>
  earlierOf(
    sql,
    sql`(SELECT min(a.due_at) FROM plane_sync_assignee a WHERE a.lane = plane_sync_lane.id AND a.settled = 0)`,
    sql`assign_check`
  )

/** Writes down when lanes have something to do for their assignees. Those that owe nothing are due then. */
export const scheduleAssignees = (sql: Sql, lanes: ReadonlyArray<LaneId>) => {
  const assignAt = firstAssignee(sql)
  return sql`UPDATE plane_sync_lane SET assign_at = ${assignAt}, ${idleAgain(sql, { assignAt })}
    WHERE id IN ${sql.numbers(lanes)}`
}

/** What is wanted has changed. One that was asked for is not looked for before its quiet time is over. */
const anew = (sql: Sql) =>
  sql`attempts = 0, due_at = CASE plane_sync_assignee.asked WHEN 1 THEN plane_sync_assignee.due_at ELSE 0 END`

const want = (sql: Sql, lane: LaneId, people: ReadonlyArray<string>) =>
  sql`INSERT INTO plane_sync_assignee (lane, person)
    SELECT CAST(${lane} AS bigint), value ->> 0 FROM ${sql.each(people.map((person) => [person]))} ORDER BY key
    ON CONFLICT (lane, person, restore) DO UPDATE SET wanted = 1, settled = 0, ${anew(sql)}
      WHERE plane_sync_assignee.wanted = 0 AND plane_sync_assignee.refused IS NULL`

/**
 * These people, and none whom we have assigned otherwise, are to be assigned to a work item from now on. They are
 * named as in the settings. Somebody whom Plane has refused stays refused. Who was put there by others stays. Runs
 * within a transaction.
 */
export const giveAssignees = (
  sql: Sql,
  item: ItemOfProject,
  people: ReadonlyArray<string>
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const lane = yield* holdLane(sql, item)
    // Its key may have a lane of its own still, whose people move to this one once it is looked up.
    const held = yield* sql<{ id: LaneId }>`UPDATE plane_sync_lane SET assign_at = assign_at
      WHERE ${itsLanes(sql, item)} RETURNING id`
    const lanes = held.map(({ id }) => id)
    if (people.length > 0) yield* want(sql, lane, people)
    const others = sql`lane IN ${sql.numbers(lanes)} AND restore = 0 AND wanted = 1
      AND NOT (lane = ${lane} AND person IN ${sql.texts(people)})`
    yield* sql`DELETE FROM plane_sync_assignee WHERE ${others} AND ours = 0 AND asked = 0 AND refused IS NULL`
    yield* sql`UPDATE plane_sync_assignee SET wanted = 0, settled = CASE WHEN refused IS NULL THEN 0 ELSE 1 END,
      ${anew(sql)} WHERE ${others}`
    yield* scheduleAssignees(sql, lanes)
  })

/** Those of a key move to the lane of its work item. None of them was asked for yet. */
export const moveAssignees = (sql: Sql, from: LaneId, to: LaneId): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const moved = yield* sql<{ person: string; wanted: number }>`DELETE FROM plane_sync_assignee WHERE lane = ${from}
      RETURNING person, wanted`
    const people = moved.filter(({ wanted }) => wanted === 1).map(({ person }) => person)
    if (people.length === 0) return
    yield* want(sql, to, people)
    yield* scheduleAssignees(sql, [to])
  })
