import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import { flag } from "../storage/Dialect.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { isDue, overdueCheck, waitingCheck } from "./Checks.js"
import { planned, readOwed } from "./Claim.js"
import type { ClaimedRow } from "./ClaimedLane.js"
import { claimedColumns, laneOf } from "./ClaimedLane.js"
import type { Delivery } from "./Delivery.js"
import { deliveryColumns } from "./DeliveryRow.js"
import { namesOf } from "./Fold.js"
import { isLeft } from "./LeftStates.js"
import type { ClaimPolicy, Owed, OwedEvent, Step } from "./Plan.js"
import { maxOwedComments } from "./Plan.js"
import type { WorkItemRow } from "./Queries.js"

/** What a lane does when it is claimed next. */
export type Next =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Look"; readonly key: string }
  /** What has become of our last PATCH is looked at. */
  | { readonly _tag: "Check" }
  /** Comments are compared that Plane may have executed twice. */
  | { readonly _tag: "Twins" }
  /** People are assigned, or taken out. */
  | { readonly _tag: "Assign" }
  /** Links are made, or deleted. */
  | { readonly _tag: "Link" }
  /** A delivery that was sent before, or that is being sent. */
  | { readonly _tag: "Again"; readonly delivery: Delivery }
  | Extract<Step, { readonly _tag: "Send" | "SendAgain" | "Unfit" | "Wait" }>

export interface Preview {
  /** When the lane may be claimed. Null if nothing is to be done for it. */
  readonly dueAt: EpochMillis | null
  /** Why it waits, in words. */
  readonly problem: string | null
  /** A leader has claimed it, and is at it now unless it has ended since. */
  readonly isClaimed: boolean
  readonly next: Next
}

interface Row extends ClaimedRow {
  readonly dueAt: EpochMillis | null
  readonly problem: string | null
  readonly isClaimed: number
  readonly patient: number
  /** What was published and is not folded yet: when the first of it was, and the latest stage. */
  readonly newAt: EpochMillis | null
  readonly newState: EventSequence | null
}

/** As the fold of what is new will make it. */
const dueAtOf = ({ dueAt, newAt, patient }: Row): EpochMillis | null => {
  if (dueAt === null || newAt === null) return dueAt ?? newAt
  return patient === 1 && newAt < dueAt ? newAt : dueAt
}

const readRow = (sql: Sql, id: LaneId) => {
  const isNew = sql`FROM plane_sync_event e WHERE e.folded = 0 AND e.status = 'pending'
    AND e.lane_name IN ${namesOf(sql, id)}`
  return Effect.map(
    sql<Row>`SELECT ${sql.literal(claimedColumns)}, due_at AS "dueAt", problem, ${
      flag(sql, sql`holder IS NOT NULL`)
    } AS "isClaimed",
        patient, (SELECT e.published_at ${isNew} ORDER BY e.sequence LIMIT 1) AS "newAt",
        (SELECT e.sequence ${isNew} AND e.state = 'pending' ORDER BY e.sequence DESC LIMIT 1) AS "newState"
      FROM plane_sync_lane WHERE id = ${id}`,
    ([row]) => row
  )
}

/** What is new of a key that has no lane yet: it is looked up. */
const lookOf = (sql: Sql, name: string, now: EpochMillis): Effect.Effect<Preview | undefined, SqlError> =>
  Effect.map(
    sql<{ key: string; at: EpochMillis }>`SELECT work_item AS key, published_at AS at FROM plane_sync_event
      WHERE folded = 0 AND lane_name = ${name} AND status = 'pending' ORDER BY sequence LIMIT 1`,
    ([first]) =>
      first && {
        dueAt: first.at < now ? now : first.at,
        problem: null,
        isClaimed: false,
        next: { _tag: "Look", key: first.key }
      }
  )

/** What a lane owes, new events included. */
const allOwed = (sql: Sql, id: LaneId) => {
  const first = (condition: Fragment) =>
    sql`SELECT * FROM (SELECT sequence FROM plane_sync_event WHERE ${condition} AND comment = 'pending'
      ORDER BY sequence LIMIT ${sql.literal(String(maxOwedComments))}) oldest`
  return sql`sequence IN (${first(sql`lane = ${id} AND status = 'pending'`)}
    UNION ALL ${first(sql`folded = 0 AND lane_name IN ${namesOf(sql, id)}`)})`
}

const isTheSame = (one: OwedEvent | undefined, other: OwedEvent) => one?.sequence === other.sequence

const orNothing = (left: Owed): Owed | undefined =>
  left.state === undefined && left.comments.length === 0 && left.retried === undefined ? undefined : left

/** What is owed once a step is done that sends nothing: as `claim` leaves it. */
const after = (
  owed: Owed,
  step: Extract<Step, { readonly _tag: "StateHolds" | "Unfit" | "LeaveUntold" }>
): Owed | undefined => {
  if (step._tag === "LeaveUntold") {
    const isLeft = (owed: OwedEvent) => step.events.some((one) => isTheSame(one, owed))
    const retried = owed.retried?.events.some(isLeft) === true ? undefined : owed.retried
    return orNothing({ ...owed, comments: owed.comments.filter((one) => !isLeft(one)), retried })
  }
  const { event } = step
  const isUnfit = step._tag === "Unfit"
  return orNothing({
    ...owed,
    state: isTheSame(owed.state, event) ? undefined : owed.state,
    comments: isUnfit ? owed.comments.filter((one) => !isTheSame(one, event)) : owed.comments,
    retried: isUnfit && isTheSame(owed.retried?.events[0], event) ? undefined : owed.retried
  })
}

/** The next step that asks Plane, or makes a dead letter, and the moment that it is put off to. */
const nextOf = (
  policy: Pick<ClaimPolicy, "plan">,
  owed: Owed | undefined
): { readonly next: Next; readonly dueAt?: EpochMillis } | undefined => {
  for (let left = owed; left !== undefined;) {
    const step = planned(policy, left)
    switch (step._tag) {
      case "Look":
        return { next: { _tag: "Look", key: left.key } }
      case "StateHolds":
      case "LeaveUntold":
        left = after(left, step)
        break
      case "Wait": {
        if (step.reason !== undefined || step.dueAt <= left.now) return { next: step, dueAt: step.dueAt }
        const then = nextOf(policy, { ...left, now: step.dueAt })
        return then === undefined ? undefined : { dueAt: step.dueAt, ...then }
      }
      case "Send":
      case "SendAgain":
      case "Unfit":
        return { next: step }
    }
  }
  return undefined
}

/**
 * What `claim` does with a lane when it claims it next, by the same planner. Only reads, so that anybody may ask, and
 * beside a leader. What was published since the leader has last looked counts. What is to be done at a later moment is
 * planned as of that moment.
 */
export const preview = (
  sql: Sql,
  { lane: id, name }: Pick<WorkItemRow, "lane" | "name">,
  policy: Pick<ClaimPolicy, "plan">,
  now: EpochMillis
): Effect.Effect<Preview | undefined, SqlError> =>
  Effect.gen(function*() {
    if (id === null) return yield* lookOf(sql, name, now)
    const row = yield* readRow(sql, id)
    if (row === undefined) return undefined
    const lane = laneOf(row)
    const dueAt = dueAtOf(row)
    const then = dueAt === null || dueAt < now ? now : dueAt
    const found = (next: Next): Preview => ({
      dueAt: dueAt === null ? null : then,
      problem: row.problem,
      isClaimed: row.isClaimed === 1,
      next
    })

    const overdue = yield* overdueCheck(sql, lane, then)
    if (overdue !== undefined) return found({ _tag: overdue._tag === "Check" ? "Check" : "Twins" })
    const [pending] = yield* sql<Delivery>`SELECT ${sql.literal(deliveryColumns)} FROM plane_sync_delivery
      WHERE lane = ${id} AND status = 'pending'`
    if (pending !== undefined && !(pending.kind === "state" && isLeft(lane, pending.lastEvent))) {
      return found({ _tag: "Again", delivery: pending })
    }
    const latest = row.newState ?? row.stateEvent
    const stateEvent = latest === null || isLeft(lane, latest) ? null : latest
    const owed = yield* readOwed(sql, lane, stateEvent, row.retried === 1, then, allOwed(sql, id))
    const next = nextOf(policy, owed)
    if (next !== undefined) return { ...found(next.next), dueAt: next.dueAt ?? then }
    if (lane.itemId === null && lane.ofTask && dueAt !== null) return found({ _tag: "Look", key: lane.name })
    if (lane.itemId !== null && isDue(lane.assignAt, then)) return found({ _tag: "Assign" })
    if (lane.itemId !== null && isDue(lane.linksAt, then)) return found({ _tag: "Link" })
    const check = dueAt === null ? undefined : yield* waitingCheck(sql, lane)
    return found({ _tag: check === undefined ? "Nothing" : check._tag === "Check" ? "Check" : "Twins" })
  })
