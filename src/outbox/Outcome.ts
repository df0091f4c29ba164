import type { EpochMillis, MonotonicMillis } from "../base/Time.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import type { DeadCode } from "./DeadCode.js"
import type { LookJob, SendJob } from "./Job.js"
import type { OwedEvent } from "./Planning.js"

/** The state that a work item was seen in. */
export interface SeenState {
  readonly state: string | null
  readonly cancelled: boolean
  readonly readAt: MonotonicMillis
  /** When Plane had last changed the work item: what is older than what is known tells nothing. */
  readonly updatedAt: string | null
}

/** It is tried again, not before `dueAt`. `counted`: the trouble was its own, not the destination's. */
export interface Later {
  readonly _tag: "Later"
  readonly dueAt: EpochMillis
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
  /** How many look-ups this took; undefined where it took none. */
  readonly attempts?: number | undefined
}

/** How a look ended. */
export type LookOutcome =
  /** `key` is the work item's by its number, as Plane writes it: "ET-2". */
  | { readonly _tag: "Found"; readonly itemId: ItemId; readonly key: string; readonly seen: SeenState }
  /** Nobody has the key yet. */
  | { readonly _tag: "Missed"; readonly dueAt: EpochMillis; readonly reason: string }
  | LaneDead
  | Later

/** How a sending ended. */
export type SendOutcome =
  /** Plane has it: the comment's id, or the state that the work item is in now. `unsent`: it was in that state already. */
  | {
    readonly _tag: "Delivered"
    readonly commentId: CommentId | null
    readonly seen: SeenState | undefined
    readonly unsent?: true
  }
  /** Not sent, because a person has cancelled the work item. */
  | { readonly _tag: "Left"; readonly reason: string; readonly seen: SeenState }
  /** The comment to change is gone: what it was to tell needs a new one. */
  | { readonly _tag: "CommentGone"; readonly reason: string }
  /**
   * Plane has a comment under this external id that no request of ours explains. The events that it tells are told; if it
   * tells none of them, they are told under the next external id.
   */
  | {
    readonly _tag: "Taken"
    readonly commentId: CommentId
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
