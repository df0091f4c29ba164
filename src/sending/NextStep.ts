import { DateTime, Duration, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { DatedEvent } from "../domain/Comment.js"
import { commentHtml, countedHtml, joinedHtml, saysSame, tells } from "../domain/Comment.js"
import type { CommentTexts } from "../domain/CommentTexts.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import type { Stage } from "../domain/Stage.js"
import type { ToldEvent } from "../domain/StageEvent.js"
import { stageOf } from "../domain/StageEvent.js"
import type { StageStates, StageTable, StateId } from "../domain/StageStates.js"
import type { Delivery } from "../outbox/Delivery.js"
import type { Owed, OwedEvent, Retried, Step } from "../outbox/Plan.js"
import { maxOwedComments } from "../outbox/Plan.js"
import { eventOfBody } from "../outbox/StoredEvent.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"

/** How often the count of a told gate failure is updated, at most. */
export const recountEvery = Duration.minutes(10)

// A moment in the future was set before the clock was put back, and nobody knows how long ago.
const isWithin = (length: Duration.Duration, since: EpochMillis, now: EpochMillis) =>
  since <= now && now < later(since, length)

type Planning = Pick<PlaneConfig, "comments"> & {
  readonly stages: StageTable
  /** The states of these stages. A state that the project does not have, or has not told yet, is missing: it waits. */
  readonly states: () => StageStates
  /** Where the table is set. */
  readonly setting: string
  readonly texts: CommentTexts
}

/** How long a lane waits that owes nothing but such a state. */
const withheldFor = Duration.minutes(1)

/**
 * What one work item needs next: first the look-up, then the state of its latest stage, then its comments. So a state
 * may overtake older comments, and no comment overtakes its state. A state that was asked for is not asked for again.
 * So a person's move stands until the stage's state changes, except a cancel: see `setState`.
 */
export const nextStep = (config: Planning) => (owed: Owed): Step => {
  const { comments: [comment], lane, retried, state, used } = owed
  if (lane.itemId === null || lane.gone) return { _tag: "Look" }
  const step = state === undefined ? undefined : stateStep(config, state, owed)
  if (step !== undefined && step._tag !== "Wait") return step
  if (retried !== undefined && (comment === undefined || comment.sequence > (retried.delivery.afterEvent ?? 0))) {
    return retriedStep(config, retried, lane.itemId, used)
  }
  if (comment === undefined) return step ?? { _tag: "Look" }
  return commentStep(config, comment, lane.itemId, owed)
}

/**
 * Makes a test of whether the HTML of a comment, which Plane has under a delivery's external id, tells an owed event. It
 * tells all of the delivery's if it says the same, also if the project's texts have changed since that was composed.
 */
export const tellsOwed = (texts: CommentTexts, delivery: Delivery, html: string) => {
  const isDelivery = saysSame(html, delivery.body)
  return (owed: OwedEvent): boolean =>
    (isDelivery && owed.sequence >= delivery.firstEvent && owed.sequence <= delivery.lastEvent) ||
    Option.match(read(owed), { onNone: () => false, onSome: (moment) => tells(texts, html, moment) })
}

/**
 * The next external id, when another comment has this one. It is always the same, so that a repetition finds its own
 * comment.
 */
export const nextExternalId = (id: string): string => {
  const [, base = id, number] = /^(.*:[0-9a-f-]{36}):(\d+)$/.exec(id) ?? []
  return `${base}:${Number(number ?? 1) + 1}`
}

// A repetition has the same id, so a comment that Plane has after all is not made a second time.
const externalId = (event: OwedEvent, itemId: ItemId) =>
  // Plane's pair of source and id is unique in the whole project, so the work item's id is a part of it.
  `${event.id}:${itemId}`

const retriedStep = ({ texts }: Planning, retried: Retried, itemId: ItemId, used: Owed["used"]): Step => {
  const { delivery, events: [event] } = retried
  if (delivery.kind === "recount") return recountStep(texts, retried)
  return delivery.body !== ""
    ? {
      _tag: "SendAgain",
      delivery,
      externalId: delivery.externalId ?? externalId(event, itemId),
      body: delivery.body
    }
    : Option.match(eventOfBody(event.body), {
      onNone: () => unreadable(event),
      onSome: (told) => ({
        _tag: "SendAgain",
        delivery,
        externalId: externalId(event, itemId),
        body: commentHtml(texts, told, used)
      })
    })
}

/**
 * The number is absolute and goes into the comment that it was planned for, so it cannot double, whatever was told
 * meanwhile.
 */
const recountStep = (texts: CommentTexts, { counted, delivery, events }: Retried): Step => {
  const failures = counted + events.length
  return {
    _tag: "Send",
    plan: {
      kind: "recount",
      events,
      externalId: null,
      body: Option.match(read(events.at(-1) ?? events[0]), {
        onNone: () => delivery.body,
        onSome: (last) => countedHtml(texts, last, failures)
      }),
      failureKey: delivery.failureKey,
      failures,
      commentId: delivery.commentId,
      insteadOf: delivery.id
    }
  }
}

const unreadable = (event: OwedEvent): Step => ({
  _tag: "Unfit",
  event,
  reason: "what was stored of this event cannot be read by this version"
})

/**
 * The latest stage with a state before an event, among the events whose comments are owed. An event's state is not
 * closed by a later event's until its own comment is sent. A state that is left (`Lane.leftUntil`) is none.
 */
const stageBefore = (
  event: OwedEvent,
  { comments, lane }: Pick<Owed, "comments" | "lane">,
  stages: StageTable
): Stage | undefined => {
  const before = comments.filter(({ sequence }) => sequence < event.sequence && sequence > lane.leftUntil)
  for (const { body } of before.reverse()) {
    const stage = Option.getOrUndefined(Option.map(eventOfBody(body), stageOf))
    if (stage !== undefined && stages.has(stage)) return stage
  }
  return undefined
}

const stateStep = (
  { setting, stages, states }: Planning,
  event: OwedEvent,
  { comments, lane, now }: Owed
): Step =>
  Option.match(eventOfBody(event.body), {
    onNone: () => unreadable(event),
    onSome: (told) => {
      // A person's move that our state has undone is set again, whichever stage has come since.
      if (lane.restore !== null) return sendState(event, lane.restore)
      const latest = stageOf(told)
      // The table may have been changed since the event was published. A stage that has no state any more must not keep
      // an earlier stage's state from being set.
      const hasState = latest !== undefined && stages.has(latest)
      // The later of these events are not read yet. They are read once older comments are sent.
      const mayHaveOthers = comments.length >= maxOwedComments && (comments.at(-1)?.sequence ?? 0) < event.sequence
      if (!hasState && mayHaveOthers) return { _tag: "Wait", dueAt: now }
      const stage = hasState ? latest : stageBefore(event, { comments, lane }, stages)
      if (stage === undefined) return { _tag: "StateHolds", event }
      const wanted = states().get(stage)
      if (wanted === undefined) {
        return {
          _tag: "Wait",
          dueAt: later(now, withheldFor),
          reason: `the state of the stage ${JSON.stringify(stage)} waits: ${setting} does not fit`
        }
      }
      // A cancel is left alone when it is met, and then nothing counts as asked for; with `force` it is overruled.
      const isCancelled = lane.cancelled && lane.state !== wanted
      if (wanted === lane.asked && !isCancelled) return { _tag: "StateHolds", event }
      return sendState(event, wanted)
    }
  })

const sendState = (event: OwedEvent, state: StateId): Step => ({
  _tag: "Send",
  plan: {
    kind: "state",
    events: [event],
    externalId: null,
    body: state,
    failureKey: null,
    failures: 1,
    commentId: null
  }
})

interface Read extends DatedEvent {
  readonly owed: OwedEvent
}

const read = (owed: OwedEvent): Option.Option<Read> =>
  Option.map(eventOfBody(owed.body), (event) => ({ owed, event, occurredAt: DateTime.unsafeMake(owed.occurredAt) }))

/** The events that one comment tells, from the first on. */
const group = (
  { comments: mode }: Pick<PlaneConfig, "comments">,
  first: Read,
  events: ReadonlyArray<OwedEvent>
): ReadonlyArray<Read> => {
  const together: Array<Read> = [first]
  if (mode === "each") return together
  for (const owed of events.slice(1)) {
    const next = Option.getOrUndefined(read(owed))
    if (next === undefined || owed.part !== first.owed.part || !goesWith(first.event, next.event)) break
    together.push(next)
  }
  return together
}

const goesWith = (first: ToldEvent, next: ToldEvent): boolean => {
  if (first._tag === "StageChanged") return next._tag === "StageChanged"
  const key = failureKeyOf(first)
  return key !== null && key === failureKeyOf(next)
}

/** What makes two failures of a gate the same: what the event says does, or else its reason. */
const failureKeyOf = (event: ToldEvent): string | null => {
  if (event._tag !== "QualityGateFailed") return null
  const { check, reason, sameAs, stage } = event
  return JSON.stringify(sameAs === undefined ? [stage, check, reason] : [stage, check, null, sameAs])
}

const commentStep = (
  config: Pick<Planning, "comments" | "texts">,
  comment: OwedEvent,
  itemId: ItemId,
  { comments, now, told, used }: Owed
): Step => {
  const { texts } = config
  const first = Option.getOrUndefined(read(comment))
  if (first === undefined) return unreadable(comment)
  const together = group(config, first, comments)
  const last = together.at(-1) ?? first
  const failureKey = config.comments === "each" ? null : failureKeyOf(first.event)
  const send = (
    plan: { kind: "comment" | "recount"; body: string; failures: number; commentId: CommentId | null }
  ): Step => ({
    _tag: "Send",
    plan: {
      ...plan,
      events: [first.owed, ...together.slice(1).map(({ owed }) => owed)],
      failureKey,
      externalId: plan.kind === "comment" ? externalId(first.owed, itemId) : null
    }
  })

  if (failureKey !== null && told?.failureKey === failureKey && told.isLast && told.commentId !== null) {
    const nothingElse = together.length === comments.length && comments.length < maxOwedComments
    if (told.kind === "recount" && nothingElse && isWithin(recountEvery, told.settledAt, now)) {
      return { _tag: "Wait", dueAt: later(told.settledAt, recountEvery) }
    }
    const failures = told.failures + together.length
    return send({ kind: "recount", body: countedHtml(texts, last, failures), failures, commentId: told.commentId })
  }
  const body = together.length === 1
    ? commentHtml(texts, first.event, used)
    : failureKey === null
    ? joinedHtml(texts, together)
    : countedHtml(texts, last, together.length)
  return send({ kind: "comment", body, failures: together.length, commentId: null })
}
