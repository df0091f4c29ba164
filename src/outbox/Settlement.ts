import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { StateId } from "../domain/StageStates.js"
import type { Sql } from "../storage/Sql.js"
import { assigned, assignSettled } from "./Assignees.js"
import { notAsked } from "./AssignPatch.js"
import { checked, compared, mendedWords, perhapsTwice } from "./Checks.js"
import type { Closed } from "./Debt.js"
import { closeDebts, closeDelivery, closeStateOfEvent } from "./Debt.js"
import type { Delivery } from "./Delivery.js"
import { keyFound } from "./KeyFound.js"
import type { Lane } from "./Lane.js"
import { laneDead } from "./LaneDeath.js"
import type { Asked } from "./LaneUpdate.js"
import { forget, free, see } from "./LaneUpdate.js"
import { linkSettled } from "./Links.js"
import { givenUpAs, livingGone, livingPassed, livingTold } from "./Living.js"
import type { Later, LookOutcome, SendOutcome, Sent, Settlement } from "./Outcome.js"
import { split, taken } from "./RefusedComment.js"
import type { Tally } from "./Tally.js"
import { notTaken, withTry } from "./Tries.js"

/** Writes down how a job ended, and frees its lane. Runs within a transaction. */
export const settle = (
  sql: Sql,
  tally: Tally,
  settlement: Settlement,
  now: EpochMillis
): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    Effect.suspend((): Effect.Effect<unknown, SqlError> => {
      const { lane } = settlement.job
      switch (settlement._tag) {
        case "Sent":
          return sent(sql, tally, settlement, now)
        case "Looked":
          return looked(sql, tally, lane, settlement.outcome, now)
        case "Checked":
          return checked(sql, tally, settlement.job, settlement.outcome, now)
        case "TwinsSettled":
          return compared(sql, tally, lane, settlement.outcome, now)
        case "LinkSettled":
          return linkSettled(sql, tally, settlement, now)
        case "AssignSettled":
          return assignSettled(sql, tally, settlement, now)
      }
    })
  )

const looked = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  outcome: LookOutcome,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> => {
  switch (outcome._tag) {
    case "Found":
      return lane.itemId === null ? keyFound(sql, tally, lane, outcome, now) : Effect.gen(function*() {
        yield* sql`UPDATE plane_sync_lane SET gone = 0, attempts = 0 WHERE id = ${lane.id}`
        yield* see(sql, lane, outcome.seen, now)
        yield* free(sql, tally, lane, now, null)
      })
    case "Missed":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET looks = ${nextLook(sql, lane, now, null, outcome.reason)},
          misses = misses + 1, attempts = 0 WHERE id = ${lane.id}`,
        free(sql, tally, lane, outcome.dueAt, outcome.reason, { looks: isTasks(lane) })
      )
    case "LaneDead":
      return laneDead(sql, tally, lane, outcome, now)
    case "Later":
      return Effect.zipRight(
        sql`UPDATE plane_sync_lane SET looks = ${nextLook(sql, lane, now, outcome.answer ?? null, outcome.reason)},
          attempts = attempts + ${outcome.counted ? 1 : 0} WHERE id = ${lane.id}`,
        free(sql, tally, lane, outcome.dueAt, outcome.reason, { looks: isTasks(lane) })
      )
  }
}

/** It is a task's key, which is looked up also while nothing is owed. */
const isTasks = ({ itemId, ofTask }: Lane) => itemId === null && ofTask

/** The last request to the work item got no answer, and is not waited for any more. */
const isUnanswered = (outcome: SendOutcome) =>
  (outcome._tag === "Dead" && outcome.code === "attempts") || (outcome._tag === "Split" && outcome.unanswered)

const sent = (sql: Sql, tally: Tally, { job, outcome, took }: Sent, now: EpochMillis) =>
  Effect.gen(function*() {
    const { lane, people } = job
    const delivery = { ...job.delivery, took }
    const unanswered = isUnanswered(outcome)
    // A request that will be sent again is remembered by its own delivery.
    if (outcome._tag !== "Later" && unanswered !== lane.unanswered) {
      yield* sql`UPDATE plane_sync_lane SET unanswered = ${unanswered ? 1 : 0} WHERE id = ${lane.id}`
    }
    switch (outcome._tag) {
      case "Delivered": {
        const { seen } = outcome
        // Plane may have executed an earlier attempt, so a hook that shows this state is our own echo.
        const answered = outcome.unsent !== true || delivery.tried > 0
        yield* closeDelivery(sql, delivery, "delivered", now, {
          commentId: outcome.commentId,
          ...(outcome.unsent === true ? { unsent: true } : {}),
          // Where the state was right already nothing was sent.
          ...(outcome.replaced === undefined ? {} : { answer: 200 }),
          ...(delivery.kind === "state" ? mendedWords(lane, delivery) : {})
        })
        if (seen !== undefined) {
          const placed = outcome.replaced === undefined ? undefined : { replaced: outcome.replaced, by: outcome.by }
          if (outcome.assigned !== undefined) yield* assigned(sql, lane, outcome.assigned, now)
          const as = lane.restore === delivery.body ? "superseded" : "delivered"
          return yield* stateSettled(sql, tally, lane, delivery, as, { seen, answered, placed }, now)
        }
        yield* closeDebts(sql, tally, delivery, "delivered", now)
        yield* livingTold(sql, lane, delivery, outcome.commentId, now)
        if (outcome.lookAgain !== undefined) yield* perhapsTwice(sql, lane, delivery, outcome.lookAgain)
        return yield* free(sql, tally, lane, now, null, { told: true })
      }
      case "Left": {
        yield* closeDelivery(sql, delivery, "discarded", now, { reason: outcome.reason, unsent: true })
        const seen = { seen: outcome.seen, answered: false }
        return yield* stateSettled(sql, tally, lane, delivery, "superseded", seen, now)
      }
      case "CommentGone": {
        yield* closeDelivery(sql, delivery, "discarded", now, { reason: outcome.reason })
        // This comment can no longer be changed, so the gate's next failure is told by a new one.
        yield* delivery.living !== null
          ? livingGone(sql, lane)
          : sql`UPDATE plane_sync_delivery SET gate = NULL WHERE lane = ${lane.id} AND plane_id = ${delivery.commentId}`
        yield* sql`UPDATE plane_sync_event SET comment = 'pending' WHERE delivery = ${delivery.id} AND comment = 'retried'`
        return yield* free(sql, tally, lane, now, null)
      }
      case "Taken": {
        yield* taken(sql, tally, lane, delivery, outcome, now)
        return yield* free(sql, tally, lane, now, null, { told: true })
      }
      case "Split": {
        yield* closeDelivery(sql, delivery, "discarded", now, { ...outcome, reason: `split in two: ${outcome.reason}` })
        yield* split(sql, delivery)
        return yield* free(sql, tally, lane, now, outcome.reason)
      }
      case "Withheld": {
        yield* closeDelivery(sql, delivery, "discarded", now, outcome)
        yield* forget(sql, lane)
        return yield* free(sql, tally, lane, now, outcome.reason)
      }
      case "Dead": {
        yield* closeDelivery(sql, delivery, givenUpAs(delivery), now, outcome)
        yield* livingPassed(sql, lane, delivery, now)
        yield* closeDebts(sql, tally, delivery, "dead", now)
        // Plane may have taken it, so which state the work item is in is not known now.
        if (delivery.kind === "state") {
          yield* forget(sql, lane)
          if (unanswered) yield* sql`UPDATE plane_sync_lane SET late_state = ${delivery.body} WHERE id = ${lane.id}`
        }
        return yield* free(sql, tally, lane, now, outcome.reason)
      }
      case "LaneDead": {
        yield* closeDelivery(sql, delivery, givenUpAs(delivery), now, outcome)
        yield* closeDebts(sql, tally, delivery, "dead", now)
        return yield* laneDead(sql, tally, lane, outcome, now)
      }
      case "Later": {
        yield* sql`UPDATE plane_sync_delivery SET tries = ${laterTry(sql, outcome, took)},
          attempts = attempts - ${outcome.counted ? 0 : 1},
          tried = tried + ${outcome.maybeDone === true ? 1 : 0},
          refusals = refusals + ${outcome.refused === true ? 1 : 0}, answer = ${outcome.answer ?? null},
          reason = ${outcome.reason} WHERE id = ${delivery.id}`
        if (people.length > 0 && outcome.maybeDone !== true) {
          yield* notAsked(sql, lane.id, { ids: people.map(({ id }) => id), wasOpen: false })
        }
        return yield* free(sql, tally, lane, outcome.dueAt, outcome.reason)
      }
    }
  })

/** The tries of a delivery with the one that ended so. */
const laterTry = (sql: Sql, { answer, reason, unsent }: Later, took: number | undefined) =>
  unsent === true ? sql`tries` : withTry(sql, "tries", {
    at: sql.literal("sent_at"),
    attempt: sql.literal("attempts"),
    answer: sql`CAST(${answer ?? null} AS bigint)`,
    took: sql`CAST(${took ?? null} AS bigint)`,
    reason: sql`CAST(${reason} AS text)`
  })

/** The look-ups of a lane with the one that ended so. */
const nextLook = (sql: Sql, { attempts, misses }: Lane, now: EpochMillis, answer: number | null, reason: string) =>
  withTry(sql, "looks", {
    at: sql`CAST(${now} AS bigint)`,
    attempt: sql`CAST(${attempts + misses + 1} AS bigint)`,
    answer: sql`CAST(${answer} AS bigint)`,
    took: notTaken(sql),
    reason: sql`CAST(${reason} AS text)`
  })

const stateSettled = (
  sql: Sql,
  tally: Tally,
  lane: Lane,
  delivery: Delivery,
  as: Closed,
  { answered, placed, seen }: Pick<Asked, "answered" | "placed" | "seen">,
  now: EpochMillis
) =>
  Effect.flatMap(
    closeStateOfEvent(sql, tally, lane.id, delivery.lastEvent, as),
    () =>
      free(sql, tally, lane, now, null, {
        asked: {
          seen,
          answered,
          placed,
          asked: StateId(delivery.body),
          respected: as === "superseded",
          closed: delivery.lastEvent,
          now
        }
      })
  )
