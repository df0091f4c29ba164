import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { earlier, later } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { LaneId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"
import type { Doubt } from "./Lane.js"
import type { Observation, Observed } from "./Observation.js"
import { checkAfter } from "./Placing.js"

/** What a lane knows of its last PATCH. */
export interface KnownOfPatch {
  readonly id: LaneId
  readonly heardState: StateId | null
  readonly placed: StateId | null
  readonly replaced: StateId | null
  readonly placedAt: PlaneMoment | null
  readonly placedBy: UserId | null
  readonly doubt: Doubt | null
  readonly doubted: StateId | null
  readonly checkAt: EpochMillis | null
  readonly confirmed: number
  readonly ofTask: number
}

export const patchColumns = `placed, replaced, placed_at AS "placedAt", placed_by AS "placedBy", doubt, doubted,
  check_at AS "checkAt", confirmed, of_task AS "ofTask"`

/** A person's change can undo a state of ours for so long; two changes that overlap are answered sooner. */
export const undoneWithin = Duration.toMillis("10 seconds")

/** What a person did longer than this before our PATCH, the look before it has seen. */
const unknownFor = Duration.minutes(1)

const isOurEcho = ({ placedBy }: KnownOfPatch, { by, isAside, isByApi = false }: Observation) =>
  by !== undefined && by === placedBy && isByApi && !isAside

/** The state of before is there, in news of something else than a move, soon after our PATCH. */
const mayBeLost = (lane: KnownOfPatch, observation: Observation) => {
  const { isAside, isLook = false, state, updatedAt } = observation
  const { heardState, placed, placedAt, replaced } = lane
  return placed !== null && placedAt !== null && state !== null && state === replaced && heardState === placed &&
    (isLook || isAside || isOurEcho(lane, observation)) && updatedAt > placedAt &&
    epochOf(updatedAt) - epochOf(placedAt) <= undoneWithin
}

/** Whether a move to this group ends the work. Undefined while the group is not known. */
const isEnd = (group: string | undefined, { ofTask }: KnownOfPatch) =>
  group === undefined ? undefined : group === "cancelled" || (group === "completed" && ofTask === 1)

/**
 * A hook says that a person has moved it, perhaps to end the work. It came after our PATCH was sent, and would be no news
 * otherwise.
 */
const mayBeUndone = (lane: KnownOfPatch, { by, movedTo, updatedAt }: Observation, sent: StateId | undefined) => {
  const { heardState, placed, placedAt, placedBy } = lane
  const stands = sent ?? placed
  if (movedTo === undefined || by === undefined || by === placedBy || stands === null) return false
  if (movedTo.state === stands || isEnd(movedTo.group, lane) === false) return false
  return sent !== undefined ||
    (heardState === placed && placedAt !== null && epochOf(updatedAt) >= earlier(epochOf(placedAt), unknownFor))
}

/**
 * Whether news puts our last PATCH in doubt; then it is to be checked, and nothing else is made of the news. A doubt
 * that was checked is over: if it was right that a person's move was undone, this is that move, and is told as such
 * once. `sent` is the state of a PATCH that is under way.
 */
export const doubted = (
  sql: Sql,
  lane: KnownOfPatch,
  observation: Observation,
  observed: Observed,
  sent: StateId | undefined
): Effect.Effect<Observed | undefined, SqlError> =>
  Effect.gen(function*() {
    const { movedTo, receivedAt, state } = observation
    const checking = (doubt: Doubt, about: StateId | null | undefined) =>
      lane.doubt === doubt && lane.doubted === about ? lane.checkAt === null ? "checked" : "waits" : undefined
    if (mayBeLost(lane, observation)) {
      const before = checking("lost", state)
      if (before === undefined) yield* doubtOf(sql, lane, "lost", state, receivedAt)
      return before === "checked" ? undefined : "lost"
    }
    if (movedTo === undefined || observed === "moved") return undefined
    const before = checking("undone", movedTo.state)
    if (before === "waits") return "undone"
    if (before === "checked") {
      if (lane.confirmed === 0) return undefined
      yield* sql`UPDATE plane_sync_lane SET doubt = NULL, doubted = NULL, confirmed = 0 WHERE id = ${lane.id}`
      return "confirmed"
    }
    if (!mayBeUndone(lane, observation, observed === "old" ? undefined : sent)) return undefined
    if (movedTo.group === undefined) return "unsure"
    yield* doubtOf(sql, lane, "undone", movedTo.state, receivedAt)
    return "undone"
  })

// A lane that waits for nothing but time, or owes nothing, is due then. Another is checked when it is claimed.
const doubtOf = (sql: Sql, { id }: KnownOfPatch, doubt: Doubt, state: StateId | null, now: EpochMillis) => {
  const checkAt = later(now, checkAfter)
  return sql`UPDATE plane_sync_lane SET doubt = ${doubt}, doubted = ${state}, check_at = ${checkAt}, checks = 0,
    confirmed = 0, due_at = CASE WHEN (owed = 0 OR patient = 1) AND (due_at IS NULL OR due_at > ${checkAt})
      THEN ${checkAt} ELSE due_at END, urgency = CASE urgency WHEN 3 THEN 2 ELSE urgency END WHERE id = ${id}`
}

/** Within this time after a person's change of a work item no state is set, because both would write the whole row. */
export const leftAlone = Duration.seconds(1)

/** For how long one change after the other may keep a state waiting. */
export const leftAloneAtMost = Duration.seconds(30)

/** Notes that a person has changed the work item, if the hook is not about a move of ours. */
export const touch = (
  sql: Sql,
  lane: KnownOfPatch,
  observation: Observation,
  observed: Observed
): Effect.Effect<unknown, SqlError> => {
  const { by, isAside, isLook = false, receivedAt } = observation
  const isOurs = by !== undefined && lane.placedBy !== null
    ? isOurEcho(lane, observation)
    : !isAside && observed !== "moved"
  if (isLook || isOurs) return Effect.void
  const isNext = sql`touched_at BETWEEN ${earlier(receivedAt, leftAlone)} AND ${receivedAt}`
  return sql`UPDATE plane_sync_lane SET touched_since = CASE WHEN ${isNext} THEN touched_since ELSE ${receivedAt} END,
    touched_at = ${receivedAt} WHERE id = ${lane.id}
      AND coalesce(touched_at NOT BETWEEN ${receivedAt} AND ${later(receivedAt, "1 minute")}, true)`
}

/** When a person has last changed a work item, and since when one change has followed the other. */
export interface Touched {
  readonly at: EpochMillis
  readonly since: EpochMillis
}

export const readTouched = (sql: Sql, lane: LaneId): Effect.Effect<Touched | undefined, SqlError> =>
  Effect.map(
    sql<Touched>`SELECT touched_at AS at, touched_since AS since FROM plane_sync_lane
      WHERE id = ${lane} AND touched_at IS NOT NULL`,
    ([touched]) => touched
  )

/** For how long a work item is still left alone. Zero if a moment is in the future: the clock was set back since. */
export const leftAloneFor = ({ at, since }: Touched, now: EpochMillis): Duration.Duration =>
  at > now || now >= later(since, leftAloneAtMost)
    ? Duration.zero
    : Duration.millis(Math.max(0, later(at, leftAlone) - now))
