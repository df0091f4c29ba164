import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { earlier, later } from "../base/Time.js"
import { epochOf, momentOf } from "../domain/PlaneMoment.js"
import type { Sql } from "../storage/Sql.js"
import { dropPatch, lookBackAt, notAsked, patched, readPatch } from "./AssignPatch.js"
import { isDue } from "./Checks.js"
import { undoneWithin } from "./HookDoubt.js"
import type { AssignJob, DueAssignee, LookBackJob } from "./Job.js"
import type { Lane } from "./Lane.js"
import { free, see } from "./LaneUpdate.js"
import type { Assigned, AssignedPatch, AssignSettled, LookedBack } from "./Outcome.js"
import { checkAfter } from "./Placing.js"
import type { Tally } from "./Tally.js"
import { scheduleAssignees } from "./WantedAssignees.js"

interface Row extends DueAssignee {
  readonly attempts: number
  readonly dueAt: EpochMillis
}

const readAssignees = (sql: Sql, { id }: Lane) =>
  sql<
    Row
  >`SELECT id, person, wanted, settled, ours, asked, restore, attempts, due_at AS "dueAt" FROM plane_sync_assignee
    WHERE lane = ${id} AND refused IS NULL ORDER BY id`

const isWaiting = (now: EpochMillis) => ({ dueAt, settled }: Row) => settled === 0 && isDue(dueAt, now)

/** The work item is gone, and with it who is assigned. */
const forgetAssignees = (sql: Sql, { id }: Lane) =>
  Effect.zipRight(
    sql`DELETE FROM plane_sync_assignee WHERE lane = ${id}`,
    dropPatch(sql, id)
  )

/**
 * What is to be done now for the assignees of a lane that owes nothing else. Runs within the claim of the lane.
 */
export const dueAssignees = (
  sql: Sql,
  lane: Lane,
  now: EpochMillis
): Effect.Effect<AssignJob | LookBackJob | undefined, SqlError> =>
  Effect.gen(function*() {
    const { itemId } = lane
    if (itemId === null) return undefined
    if (lane.gone) yield* forgetAssignees(sql, lane)
    const rows = yield* readAssignees(sql, lane)
    const waiting = rows.filter(isWaiting(now))
    const last = yield* readPatch(sql, lane.id)
    if (waiting.length > 0) {
      const ids = waiting.map(({ id }) => id)
      yield* sql`UPDATE plane_sync_assignee SET attempts = attempts + 1 WHERE id IN ${sql.numbers(ids)}`
      const attempts = Math.max(...waiting.map(({ attempts }) => attempts)) + 1
      const isOpen = last?.patch?.isOpen === true
      return { _tag: "Assign", lane, itemId, people: rows, due: ids, attempts, isOpen }
    }
    if (last !== undefined && isDue(last.at, now)) {
      if (last.patch !== undefined) return { _tag: "LookBack", lane, itemId, people: rows, patch: last.patch }
      yield* dropPatch(sql, lane.id)
    }
    yield* scheduleAssignees(sql, [lane.id])
    return undefined
  })

/**
 * Those who can be assigned by the PATCH that sets a state. None, if a request for one of them has no known outcome: it
 * is looked at by itself first.
 */
export const joinedAssignees = (
  sql: Sql,
  lane: Lane,
  now: EpochMillis
): Effect.Effect<ReadonlyArray<DueAssignee>, SqlError> =>
  Effect.gen(function*() {
    if (!isDue(lane.assignAt, now)) return []
    const rows = yield* readAssignees(sql, lane)
    const isKnown = rows.every(({ asked, attempts }) => asked === 0 && attempts === 0)
    if (!isKnown || !rows.some(isWaiting(now))) return []
    return (yield* readPatch(sql, lane.id))?.patch?.isOpen === true ? [] : rows
  })

/** Writes down what became of people whom a PATCH was to assign, or to take out. What is wanted may have changed since. */
export const assigned = (
  sql: Sql,
  lane: Lane,
  { patch, people }: Assigned,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    for (const each of people) {
      // A person's change is put back once, and not looked after any more.
      yield* sql`DELETE FROM plane_sync_assignee WHERE id = ${each.id} AND restore = 1`
      switch (each._tag) {
        case "There":
          yield* sql`UPDATE plane_sync_assignee SET ours = ${each.isOurs ? 1 : 0}, asked = 0, attempts = 0, due_at = 0,
            settled = wanted WHERE id = ${each.id}`
          break
        case "Out":
          yield* sql`DELETE FROM plane_sync_assignee WHERE id = ${each.id} AND wanted = 0`
          yield* sql`UPDATE plane_sync_assignee SET ours = 0, asked = 0, attempts = 0, due_at = 0, settled = 0
            WHERE id = ${each.id}`
          break
        case "Refused":
          yield* sql`UPDATE plane_sync_assignee SET settled = 1, asked = 0, ours = 0, refused = ${each.reason}
            WHERE id = ${each.id}`
      }
    }
    if (patch !== undefined) yield* patched(sql, lane.id, patch, now)
    yield* scheduleAssignees(sql, [lane.id])
  })

/**
 * A PATCH that has set no state has saved it all the same, with the whole row. So it may have undone a move, or another
 * change a state of ours: both are checked like those of a PATCH that has set one.
 */
const stateSaved = (sql: Sql, { lane }: AssignJob, { by, saved }: AssignedPatch, now: EpochMillis) =>
  Effect.gen(function*() {
    if (saved === undefined) return
    const { before, state, updatedAt } = saved
    const soon = momentOf(earlier(epochOf(updatedAt), undoneWithin))
    yield* state === before.state
      ? see(sql, lane, { ...before, updatedAt }, now)
      // Somebody has moved it since: what kind of state that is, the next look tells.
      : sql`UPDATE plane_sync_lane SET state = ${state}, read_at = NULL WHERE id = ${lane.id}`
    yield* sql`UPDATE plane_sync_lane SET doubt = 'lost', doubted = replaced, check_at = ${later(now, checkAfter)},
        checks = 0, confirmed = 0
      WHERE id = ${lane.id} AND replaced = ${state} AND heard_state = placed AND placed_at >= ${soon}
        AND placed_at < ${updatedAt} AND NOT coalesce(doubt = 'lost' AND doubted = replaced, false)`
    const isStateOfOurs = sql`id = ${lane.id} AND placed = ${state}`
    yield* sql`UPDATE plane_sync_lane SET placed_at = ${updatedAt}, placed_by = coalesce(${by ?? null}, placed_by)
      WHERE ${isStateOfOurs} AND heard_state = placed`
    // A hook has told of an end since it was read, and that is not what was saved.
    yield* sql`UPDATE plane_sync_lane SET doubt = 'undone', doubted = heard_state, check_at = ${later(now, checkAfter)},
        checks = 0, confirmed = 0
      WHERE ${isStateOfOurs} AND heard_state IS DISTINCT FROM ${lane.heardState} AND heard_state IS DISTINCT FROM placed
        AND state IS NOT DISTINCT FROM heard_state AND (cancelled = 1 OR completed = 1 AND of_task = 1)`
  })

/** Writes down how a job for the assignees of a lane has ended. */
export const assignSettled = (
  sql: Sql,
  tally: Tally,
  { job, outcome }: AssignSettled,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> =>
  Effect.gen(function*() {
    const { lane } = job
    // Whoever changes a lane's assignees has the lane first: otherwise two could wait for each other.
    yield* sql`UPDATE plane_sync_lane SET assign_at = NULL WHERE id = ${lane.id}`
    switch (outcome._tag) {
      case "Assigned":
        yield* assigned(sql, lane, outcome.assigned, now)
        if (job._tag === "Assign" && outcome.assigned.patch !== undefined) {
          yield* stateSaved(sql, job, outcome.assigned.patch, now)
        }
        break
      case "LookedBack":
        yield* lookedBack(sql, lane, outcome)
        break
      case "AssignGivenUp":
        yield* job._tag === "LookBack"
          ? dropPatch(sql, lane.id)
          : assigningGivenUp(sql, job.due, outcome.isRefused ? outcome.reason : null)
        break
      case "ItemGone":
        yield* forgetAssignees(sql, lane)
        yield* sql`UPDATE plane_sync_lane SET gone = 1 WHERE id = ${lane.id}`
        break
      case "Later":
        if (job._tag === "Assign") {
          // Without an answer it is still not known whether they are ours.
          yield* sql`UPDATE plane_sync_assignee SET due_at = ${outcome.dueAt},
            attempts = attempts - ${outcome.counted ? 0 : 1} WHERE id IN ${sql.numbers(job.due)}`
          const ids = job.people.filter(({ asked }) => asked === 0).map(({ id }) => id)
          if (outcome.maybeDone !== true) yield* notAsked(sql, lane.id, { ids, wasOpen: job.isOpen })
        } else {
          const checks = job.patch.checks + (outcome.counted ? 1 : 0)
          yield* lookBackAt(sql, lane.id, outcome.dueAt, { ...job.patch, checks })
        }
    }
    yield* scheduleAssignees(sql, [lane.id])
    yield* free(sql, tally, lane, now, null)
  })

/** Who was to be taken out stays. Who may be there by a request without an answer is looked for when not wanted. */
const assigningGivenUp = (sql: Sql, due: ReadonlyArray<number>, refused: string | null) =>
  Effect.zipRight(
    sql`DELETE FROM plane_sync_assignee WHERE id IN ${sql.numbers(due)} AND (wanted = 0 OR restore = 1)`,
    sql`UPDATE plane_sync_assignee SET settled = 1, refused = ${refused} WHERE id IN ${sql.numbers(due)}`
  )

/** What people have changed at the same moment counts: it is put back, and whom they have put there is not ours. */
const lookedBack = (sql: Sql, { id }: Lane, { restore, touched }: LookedBack) =>
  Effect.gen(function*() {
    yield* dropPatch(sql, id)
    yield* sql`UPDATE plane_sync_assignee SET ours = 0 WHERE id IN ${sql.numbers(touched)}`
    for (const { isWanted, user } of restore) {
      yield* sql`INSERT INTO plane_sync_assignee (lane, person, restore, wanted, ours)
        VALUES (${id}, ${user}, 1, ${isWanted ? 1 : 0}, 1) ON CONFLICT (lane, person, restore) DO NOTHING`
    }
  })
