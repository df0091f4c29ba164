import type { EpochMillis } from "../base/Time.js"
import type { CommentId, EventSequence } from "../domain/Ids.js"
import type { Delivery } from "./Delivery.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import type { Lane } from "./Lane.js"

/** An event that is owed, as planning needs it. */
export interface OwedEvent {
  readonly sequence: EventSequence
  readonly id: string
  /** The key as it was published. */
  readonly workItem: string
  readonly body: string
  readonly occurredAt: EpochMillis
  readonly publishedAt: EpochMillis
  /** Told only together with those of the same part: the comment that told them together was refused, and split. */
  readonly part: EventSequence | null
}

/** The comment that a lane was last told by. */
export interface Told {
  readonly kind: DeliveryKind
  readonly gate: string | null
  readonly failures: number
  readonly commentId: CommentId | null
  readonly settledAt: EpochMillis
  /** No event lies between what it tells and the first that is owed: none that was told, and no dead letter. */
  readonly isLast: boolean
}

/** A dead letter that is retried. It is sent after what was owed when it was retried. */
export interface Retried {
  readonly delivery: Delivery
  /** What it tells, in order. */
  readonly events: readonly [OwedEvent, ...Array<OwedEvent>]
  /** Of a count: the failures that its comment tells without it. */
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
  /** Read only where the first comment owed is an urgent event's, because no other is told by changing a comment. */
  readonly told: Told | undefined
  readonly retried: Retried | undefined
  readonly now: EpochMillis
}

/** So many events are told by one comment at most. */
export const maxOwedComments = 50

/** A request as it is planned. */
export interface Plan {
  readonly kind: DeliveryKind
  /** What it tells, in order; of a state the one event. */
  readonly events: readonly [OwedEvent, ...Array<OwedEvent>]
  readonly externalId: string | null
  readonly body: string
  readonly gate: string | null
  readonly failures: number
  readonly commentId: CommentId | null
  /** The retried delivery that this one takes the place of. */
  readonly insteadOf?: number
}

/** What a lane does next. */
export type Step =
  /** Find the work item by its key, or see whether one that was gone is back. */
  | { readonly _tag: "Look" }
  /** Compose a request, once. */
  | { readonly _tag: "Send"; readonly plan: Plan }
  /** Send a dead letter again, as it was; `externalId` and `body` are those it gets if it never had any. */
  | { readonly _tag: "SendAgain"; readonly delivery: Delivery; readonly externalId: string; readonly body: string }
  /** The owed state asks for no request: it was asked for already, or its stage has none. */
  | { readonly _tag: "StateHolds"; readonly event: OwedEvent }
  /** An event that cannot be told. */
  | { readonly _tag: "Unfit"; readonly event: OwedEvent; readonly reason: string }
  /** Nothing before `dueAt`. */
  | { readonly _tag: "Wait"; readonly dueAt: EpochMillis; readonly reason?: string }

/** How a claim chooses, and who decides what is done. */
export interface Claim {
  /** What has waited longer than so many milliseconds is as urgent as anything. */
  readonly urgentAfter: number
  readonly plan: (owed: Owed) => Step
}
