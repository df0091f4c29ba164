import type { Option } from "effect"
import { Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { EventSequence } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { ToldEvent } from "../domain/StageEvent.js"
import { ToldEventJson } from "../domain/StageEvent.js"
import type { Usage } from "../domain/Usage.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"

/** The status of an event's comment, or of its state. `retried`: a dead letter that is pending again. */
export const DebtStatus = Schema.Literal("none", "pending", "retried", "delivered", "superseded", "dead", "discarded")
export type DebtStatus = typeof DebtStatus.Type

/** The status that sums up both. */
export const EventStatus = Schema.Literal("pending", "delivered", "dead", "discarded")
export type EventStatus = typeof EventStatus.Type

/** An event as it is handed to the outbox: checked, its texts cleaned. */
export interface NewEvent {
  readonly id: string
  /** The work item's key as written. */
  readonly workItem: string
  /** The lane that it waits in until its key is found. Undefined if the event can never be told. */
  readonly lane: NormalizedKey | undefined
  /** The identifier of the project that its key names; empty if it is none that is written to. */
  readonly project: string
  /** The event as JSON, without its id. A second event with the same id is compared with it. */
  readonly body: string
  /** The stage whose state it asks for. */
  readonly stage: string | undefined
  /** It is told before events that are not urgent when the budget is short. */
  readonly urgent: boolean
  readonly occurredAt: EpochMillis
  readonly publishedAt: EpochMillis
  /** Why it can never be told. Such an event becomes a dead letter at once. */
  readonly unfit: string | undefined
  /** Links that the work item is to have, in order. */
  readonly links?: ReadonlyArray<Link> | undefined
  /** What an agent has used for it. */
  readonly usage?: Usage | undefined
}

/** A committed event. `sequence` is the order of all events. */
export interface StoredEvent {
  readonly sequence: EventSequence
  readonly id: string
  readonly workItem: string
  readonly body: string
  readonly occurredAt: EpochMillis
  readonly publishedAt: EpochMillis
  readonly status: EventStatus
  readonly comment: DebtStatus
  readonly state: DebtStatus
  /** Why the event is a dead letter, or what its work item waits for. */
  readonly reason: string | null
}

const fromBody = Schema.decodeOption(Schema.parseJson(ToldEventJson))

/** The event of a stored body. None if the event was unfit. */
export const eventOfBody = (body: string): Option.Option<ToldEvent> => fromBody(body)
