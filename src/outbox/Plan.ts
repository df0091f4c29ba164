import type { Duration } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { CommentId, EventSequence } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { UsageSum } from "../domain/Usage.js"
import type { Delivery } from "./Delivery.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import type { Lane } from "./Lane.js"
import type { Living } from "./Living.js"

/** An event that is owed, as planning needs it. */
export interface OwedEvent {
  readonly sequence: EventSequence
  readonly id: string
  /** The key as it was published. */
  readonly workItem: string
  readonly body: string
  readonly occurredAt: EpochMillis
  readonly publishedAt: EpochMillis
  /**
   * It is told only together with events of the same part: the comment that told them together was refused and split.
   */
  readonly part: EventSequence | null
}

/** The last comment that was delivered for a lane. */
export interface Told {
  readonly kind: DeliveryKind
  readonly failureKey: string | null
  readonly failures: number
  readonly commentId: CommentId | null
  readonly settledAt: EpochMillis
  /** No event lies between those that it tells and the first that is owed, neither a told one nor a dead letter. */
  readonly isLast: boolean
}

/** A dead letter that is retried. It is sent after everything that was owed at that moment. */
export interface Retried {
  readonly delivery: Delivery
  /** The events that it tells, in order. */
  readonly events: readonly [OwedEvent, ...Array<OwedEvent>]
  /** Of a count: the failures that its comment told before it. */
  readonly counted: number
}

/** All that decides what a lane does next. */
export interface Owed {
  readonly lane: Lane
  /** The key of the oldest event that is owed, as it was published, and when that was. */
  readonly key: string
  readonly since: EpochMillis
  /** The latest event whose state is owed. */
  readonly state: OwedEvent | undefined
  /** The oldest events whose comments are owed, in order: at most `maxOwedComments`. */
  readonly comments: ReadonlyArray<OwedEvent>
  /** Read only if the first owed comment is an urgent event's, because no other is told by changing a comment. */
  readonly told: Told | undefined
  readonly retried: Retried | undefined
  /** What the events of the work item have used, by model. Read only if the end of a task is owed, which shows it. */
  readonly used: ReadonlyArray<UsageSum>
  /** The links that Plane has and that are wanted. Read only if there is a living comment, which shows them. */
  readonly links: ReadonlyArray<Link>
  readonly now: EpochMillis
}

/** How many events one comment tells at most. */
export const maxOwedComments = 50

/** A request as it is planned. */
export interface Plan {
  readonly kind: DeliveryKind
  /** The events that it tells, in order. A state has one event. */
  readonly events: readonly [OwedEvent, ...Array<OwedEvent>]
  readonly externalId: string | null
  readonly body: string
  readonly failureKey: string | null
  readonly failures: number
  readonly commentId: CommentId | null
  /** The retried delivery that this one replaces. */
  readonly insteadOf?: number
  /**
   * Of the living comment: what it shows then, and the events that it settles. Those that have a comment of their own
   * are only shown by it.
   */
  readonly living?: { readonly record: Living; readonly settles: ReadonlyArray<OwedEvent> }
}

/** What a lane does next. */
export type Step =
  /** Find the work item by its key, or see whether a work item that was gone is back. */
  | { readonly _tag: "Look" }
  /** Send a new request. It is composed only once. */
  | { readonly _tag: "Send"; readonly plan: Plan }
  /** Send a dead letter again, unchanged. `externalId` and `body` are used if it never had any. */
  | { readonly _tag: "SendAgain"; readonly delivery: Delivery; readonly externalId: string; readonly body: string }
  /** The owed state needs no request: it was asked for already, or its stage has no state. */
  | { readonly _tag: "StateHolds"; readonly event: OwedEvent }
  /** Events that are not told, because a person does not want to be told of them. */
  | {
    readonly _tag: "LeaveUntold"
    readonly events: readonly [OwedEvent, ...Array<OwedEvent>]
    readonly reason: string
  }
  /** An event that cannot be told. */
  | { readonly _tag: "Unfit"; readonly event: OwedEvent; readonly reason: string }
  /** Nothing before `dueAt`. */
  | { readonly _tag: "Wait"; readonly dueAt: EpochMillis; readonly reason?: string }

/** How a claim chooses a lane, and who decides what is sent. */
export interface ClaimPolicy {
  /** The identifiers of the projects whose lanes are claimed. */
  readonly projects: ReadonlyArray<string>
  /** A lane that has waited for longer than this is as urgent as any. */
  readonly urgentAfter: Duration.DurationInput
  readonly plan: (owed: Owed) => Step
  /** Only the lane is claimed that owes this first word. */
  readonly firstWord?: EventSequence | undefined
}
