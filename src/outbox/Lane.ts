import type { DeadCode } from "./DeadCode.js"
import type { DeliveryKind } from "./DeliveryKind.js"

export type { DeadCode, DeliveryKind }

/**
 * A lane: what one work item is owed, in order, by one writer. While only its key is known it owes nothing but the
 * look-up (`workItem` is null). Times are milliseconds since 1970, UTC.
 */
export interface Lane {
  readonly id: number
  /** The key, normalized, or the work item's uuid. */
  readonly name: string
  readonly workItem: string | null
  /** Look-ups that failed in a row without an answer about the work item. */
  readonly attempts: number
  /** Look-ups in a row that found nobody. */
  readonly misses: number
  /** The work item was deleted or archived when it was last seen. */
  readonly gone: boolean
  /** The id of its Plane state as last read or set, null while unknown, and whether that is a cancelled one. */
  readonly state: string | null
  readonly cancelled: boolean
  /** When that was read or set, by the monotonic clock; null where this process has not done it. */
  readonly readAt: number | null
  /** When Plane had last changed the work item, as of then: a `Moment`. */
  readonly updatedAt: string | null
  /** The state that the pipeline last asked for: what stands otherwise is a person's. */
  readonly asked: string | null
  /** The last state that was owed was left for a person's cancel. */
  readonly respected: boolean
  /** What was last sent to it was given up without an answer: Plane may still have been executing it then. */
  readonly unanswered: boolean
}

/** One request that is owed to Plane. Planned once, repeated as it is. */
export interface Delivery {
  readonly id: number
  readonly lane: number
  readonly kind: DeliveryKind
  /** The sequences of the first and the last event it tells, or whose state it sets. */
  readonly firstEvent: number
  readonly lastEvent: number
  readonly externalId: string | null
  /** A comment's HTML, or a state's id. */
  readonly body: string
  /** The gate failure that it tells (stage, check and reason), and how often that has failed. */
  readonly gate: string | null
  readonly failures: number
  readonly occurredAt: number
  /** The comment in Plane: the one to change, or the one that was made. */
  readonly commentId: string | null
  /** Sendings so far, this one included, that were its own trouble. */
  readonly attempts: number
  /** So often Plane has answered that it refuses this. */
  readonly refusals: number
  /** It was sent before in a way that Plane may have executed: then a 409 about its external id is its own echo. */
  readonly tried: boolean
  /** How many events it tells. */
  readonly events: number
  /** Of one that a refused comment was split into: the sequence of its first event then. */
  readonly part: number | null
  /** Of a dead letter that is owed again: the last event when it was retried. It goes behind that. */
  readonly afterEvent: number | null
}

/** An event with a debt, as planning needs it. */
export interface OwedEvent {
  readonly sequence: number
  readonly id: string
  readonly workItem: string
  readonly body: string
  readonly occurredAt: number
  readonly publishedAt: number
  /** Told only together with those of the same part: what they were told by was refused, and split. */
  readonly part: number | null
}

/** The comment that a lane was last told by. */
export interface Told {
  readonly kind: DeliveryKind
  readonly gate: string | null
  readonly failures: number
  readonly commentId: string | null
  readonly settledAt: number
  /** No event lies between what it tells and the first that is owed: none told, dead or given up either. */
  readonly isLast: boolean
}

/** A dead letter that is owed again: behind what was owed when it was retried. */
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
  /** The key of its oldest debt, as written, and when that was published. */
  readonly key: string
  readonly since: number
  /** The latest event whose state is owed. */
  readonly state: OwedEvent | undefined
  /** The oldest events whose comments are owed, in order: at most `maxOwedComments`. */
  readonly comments: ReadonlyArray<OwedEvent>
  /** Read only where the first comment owed is an urgent event's: no other is told by changing a comment. */
  readonly told: Told | undefined
  readonly retried: Retried | undefined
  readonly now: number
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
  readonly commentId: string | null
  /** The retried delivery that this one is owed instead of. */
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
  | { readonly _tag: "Wait"; readonly dueAt: number; readonly reason?: string }

/** A look-up by key, or a look at a work item that was gone. */
export interface LookJob {
  readonly _tag: "Look"
  readonly lane: Lane
  readonly key: string
  /** When its oldest debt was published. */
  readonly since: number
}

/** A request to send. */
export interface SendJob {
  readonly _tag: "Send"
  readonly lane: Lane
  /** Plane's uuid. */
  readonly workItem: string
  readonly delivery: Delivery
}

/** What a worker does for a lane it has claimed. Nobody else touches the lane until it is settled. */
export type Job = LookJob | SendJob

/** The state that a work item was seen in. */
export interface SeenState {
  readonly state: string | null
  readonly cancelled: boolean
  /** By the monotonic clock. */
  readonly readAt: number
  /** When Plane had last changed the work item: what is older than what is known tells nothing. */
  readonly updatedAt: string | null
}

/** Again, not before `dueAt`. `counted`: it was the job's own trouble, not the destination's. */
export interface Later {
  readonly _tag: "Later"
  readonly dueAt: number
  readonly counted: boolean
  /** Plane may have executed it all the same: its outcome is unknown, or `refused`, which is asked once more. */
  readonly maybeDone?: boolean
  readonly refused?: boolean
  readonly reason: string
  readonly answer?: number | undefined
}

/** All that the lane owes becomes dead letters; `gone` when the work item was deleted or archived. */
export interface LaneDead {
  readonly _tag: "LaneDead"
  readonly code: DeadCode
  readonly reason: string
  readonly gone: boolean
  readonly answer?: number | undefined
  /** Look-ups that came to this; none where it took none. */
  readonly attempts?: number | undefined
}

/** How a look ended. */
export type LookOutcome =
  /** `key` is the work item's by its number, as Plane writes it: "ET-2". */
  | { readonly _tag: "Found"; readonly workItem: string; readonly key: string; readonly seen: SeenState }
  /** Nobody has the key yet. */
  | { readonly _tag: "Missed"; readonly dueAt: number; readonly reason: string }
  | LaneDead
  | Later

/** How a sending ended. */
export type SendOutcome =
  /** Plane has it: the comment's id, or the state that the work item is in now. `unsent`: it was in that state already. */
  | {
    readonly _tag: "Delivered"
    readonly commentId: string | null
    readonly seen: SeenState | undefined
    readonly unsent?: true
  }
  /** Not sent: a person has cancelled the work item, and that stands. */
  | { readonly _tag: "Left"; readonly reason: string; readonly seen: SeenState }
  /** The comment to change is gone: what it was to tell needs a new one. */
  | { readonly _tag: "CommentGone"; readonly reason: string }
  /**
   * Plane has a comment under this external id that no request of ours explains. The events that it tells are told; if it
   * tells none of them, they are told under the next external id.
   */
  | {
    readonly _tag: "Taken"
    readonly commentId: string
    readonly tells: (event: OwedEvent) => boolean
    readonly nextExternalId: string
  }
  /**
   * Plane does not take what tells several events: each half is told by itself from now on, so that in the end only the one
   * is a dead letter that it dislikes. `unanswered`: it may still be executing.
   */
  | {
    readonly _tag: "Split"
    readonly reason: string
    readonly answer?: number | undefined
    readonly unanswered: boolean
  }
  /** The stage table names a state that Plane does not have: the state is owed until it does. */
  | { readonly _tag: "Withheld"; readonly reason: string }
  /** This delivery is a dead letter; the lane goes on. */
  | {
    readonly _tag: "Dead"
    readonly code: DeadCode
    readonly reason: string
    readonly answer?: number | undefined
  }
  | LaneDead
  | Later

/** A job and how it ended. */
export type Settlement = Looked | Sent

export interface Looked {
  readonly _tag: "Looked"
  readonly job: LookJob
  readonly outcome: LookOutcome
}

export interface Sent {
  readonly _tag: "Sent"
  readonly job: SendJob
  readonly outcome: SendOutcome
}

/** How a claim chooses, and who decides what is done. */
export interface Claim {
  /** What has waited longer than this, in milliseconds, is as urgent as anything. */
  readonly urgentAfter: number
  readonly plan: (owed: Owed) => Step
}
