import { Schema } from "effect"
import { cleanLine, cleanText } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { Moment } from "../base/Time.js"
import { EventSequence } from "./Ids.js"
import type { ToldEvent } from "./StageEvent.js"

/** How many entries of stages are kept, the newest. */
const mostEntries = 30

const shortLimit = 60
const longLimit = 300

const Sequence = Schema.Number.pipe(Schema.fromBrand(EventSequence))

/** A task has entered a stage. */
const Entry = Schema.Struct({
  sequence: Sequence,
  at: Moment,
  from: Schema.String,
  to: Schema.String,
  agent: Schema.optional(Schema.String),
  overruledBy: Schema.optional(Schema.String)
})

const Failure = Schema.Struct({
  sequence: Sequence,
  at: Moment,
  workItem: Schema.String,
  stage: Schema.String,
  check: Schema.String,
  reason: Schema.String
})

const Completion = Schema.Struct({ sequence: Sequence, at: Moment })

/** What is known of a task's way, as it is stored. Its size is bounded. */
export const LivingFacts = Schema.Struct({
  /** The events up to this one are of an earlier run. */
  floor: Sequence,
  /** The entries up to this one were dropped, because there were too many. 0: none were. */
  cut: Sequence,
  /** In the order of their sequences. */
  entries: Schema.Array(Entry),
  failure: Schema.NullOr(Failure),
  /** The ends after the floor, in the order of their sequences. One that has an entry after it becomes the floor. */
  ends: Schema.Array(Completion)
})

/**
 * What the living comment tells: the entries of stages in order, the last failure of a gate, and the end. Nothing of it
 * is a change, so it can be told again.
 */
export type LivingFacts = typeof LivingFacts.Type

/** Of a task of which nothing has happened. */
export const noFacts: LivingFacts = {
  floor: EventSequence(0),
  cut: EventSequence(0),
  entries: [],
  failure: null,
  ends: []
}

/** An event, its place in the order of all events, and when it happened. */
export interface OrderedEvent {
  readonly sequence: EventSequence
  readonly at: EpochMillis
  readonly event: ToldEvent
}

/** Whether the living comment shows an event. A question and a note have a comment of their own alone. */
export const isShown = ({ _tag }: ToldEvent): boolean => _tag !== "QuestionAsked" && _tag !== "Noted"

const newer = <A extends { readonly sequence: EventSequence }>(known: A | null, other: A): A =>
  known === null || other.sequence >= known.sequence ? other : known

const inOrder = <A extends { readonly sequence: EventSequence }>(known: ReadonlyArray<A>, one: A): ReadonlyArray<A> =>
  [...known.filter(({ sequence }) => sequence !== one.sequence), one].sort((a, b) => a.sequence - b.sequence)

const added = (facts: LivingFacts, { at, event, sequence }: OrderedEvent): LivingFacts => {
  switch (event._tag) {
    case "StageChanged": {
      if (sequence <= facts.cut) return facts
      const { agent, from, overruledBy, to } = event
      const entry = {
        sequence,
        at,
        from,
        to,
        ...(agent === undefined || agent === "" ? {} : { agent: cleanLine(agent, shortLimit) }),
        ...(overruledBy === undefined ? {} : { overruledBy: cleanLine(overruledBy, longLimit) })
      }
      return { ...facts, entries: inOrder(facts.entries, entry) }
    }
    case "QualityGateFailed": {
      const { check, reason, stage, workItem } = event
      const failure = { sequence, at, workItem, stage, check, reason: cleanText(reason, longLimit) }
      return { ...facts, failure: newer(facts.failure, failure) }
    }
    case "TaskCompleted":
      return { ...facts, ends: inOrder(facts.ends, { sequence, at }) }
    case "QuestionAsked":
    case "Noted":
      return facts
  }
}

/** A stage that is entered after the end begins another run: what was before it is not told any more. */
const ofLastRun = (facts: LivingFacts): LivingFacts => {
  const { cut, ends, entries, failure } = facts
  const last = entries.at(-1)?.sequence ?? 0
  const floor = ends.findLast(({ sequence }) => sequence < last)?.sequence
  if (floor === undefined) return facts
  return {
    floor,
    cut: cut > floor ? cut : EventSequence(0),
    entries: entries.filter(({ sequence }) => sequence > floor),
    failure: failure === null || failure.sequence <= floor ? null : failure,
    ends: ends.filter(({ sequence }) => sequence > floor)
  }
}

const bounded = (facts: LivingFacts): LivingFacts => {
  const dropped = facts.entries.at(-mostEntries - 1)
  const ends = facts.ends.slice(-mostEntries)
  return dropped === undefined
    ? { ...facts, ends }
    : { ...facts, cut: dropped.sequence, entries: facts.entries.slice(-mostEntries), ends }
}

/**
 * The facts with these events. The same events give the same facts, in whichever order and however often they are
 * added, because an event can become visible after a later one.
 */
export const withEvents = (facts: LivingFacts, events: ReadonlyArray<OrderedEvent>): LivingFacts =>
  bounded(ofLastRun(events.filter(({ sequence }) => sequence > facts.floor).reduce(added, facts)))

/** Whether a failure or an end is among the facts, or came before what they tell. What is never shown is, too. */
export const holds = ({ ends, failure, floor }: LivingFacts, { event, sequence }: OrderedEvent): boolean => {
  if (!isShown(event)) return true
  const known = event._tag === "TaskCompleted" ? ends.at(-1) ?? null : failure
  return sequence <= floor || (known !== null && known.sequence >= sequence)
}
