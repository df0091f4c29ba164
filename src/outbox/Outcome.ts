import type { EpochMillis, MonotonicMillis } from "../base/Time.js"
import type { CommentId, ItemId, LinkId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { DeadCode } from "./DeadCode.js"
import type { DeliveryKind } from "./DeliveryKind.js"
import type { AssignJob, CheckJob, LinkJob, LookBackJob, LookJob, SendJob, TwinsJob } from "./Job.js"
import type { OwedEvent } from "./Plan.js"

/** The state that a work item was seen in. */
export interface SeenState {
  readonly state: StateId | null
  /** Whether that state is of the group cancelled, or completed. */
  readonly cancelled: boolean
  readonly completed: boolean
  readonly readAt: MonotonicMillis
  /** When Plane had last changed the work item. Tells nothing new if a later moment is known already. */
  readonly updatedAt: PlaneMoment | null
}

/**
 * It is tried again, but not before `dueAt`. `counted`: the trouble was its own, not the destination's, so the attempt
 * counts.
 */
export interface Later {
  readonly _tag: "Later"
  readonly dueAt: EpochMillis
  readonly counted: boolean
  /**
   * Plane may have executed it all the same, because the outcome is unknown, or because it was refused (`refused`): a
   * refusal is asked for once more.
   */
  readonly maybeDone?: boolean
  readonly refused?: boolean
  /** It was not sent at all. */
  readonly unsent?: true
  readonly reason: string
  readonly answer?: number | undefined
}

/** All that the lane owes becomes dead letters. `gone`: the work item was deleted or archived. */
export interface LaneDead {
  readonly _tag: "LaneDead"
  readonly code: DeadCode
  readonly reason: string
  readonly gone: boolean
  readonly answer?: number | undefined
  /** How many look-ups this took. Undefined if there was none. */
  readonly attempts?: number | undefined
}

/** How a look ended. */
export type LookOutcome =
  | { readonly _tag: "Found"; readonly itemId: ItemId; readonly key: CanonicalKey; readonly seen: SeenState }
  /** No work item has the key yet. */
  | { readonly _tag: "Missed"; readonly dueAt: EpochMillis; readonly reason: string }
  | LaneDead
  | Later

/**
 * Plane has it: the comment's id, or the state that the work item is in now. `unsent`: it was in that state already, so
 * nothing was sent.
 */
interface Delivered {
  readonly _tag: "Delivered"
  readonly commentId: CommentId | null
  readonly seen: SeenState | undefined
  readonly unsent?: true
  /** Of a state that was sent: the state that it replaced, as far as that is known. */
  readonly replaced?: StateId | null
  /** Whose API token it was, where Plane's answer tells. */
  readonly by?: UserId | undefined
  /** Of a state: what became of the people whom the same PATCH was to assign. */
  readonly assigned?: Assigned | undefined
  /** Of a comment: Plane may execute an earlier attempt as well. */
  readonly lookAgain?: LookAgain
}

/** When a comment is looked for that Plane may have executed twice, and whose API token it was, where that is known. */
export interface LookAgain {
  readonly at: EpochMillis
  readonly by: UserId | undefined
}

/** This delivery becomes a dead letter, and the lane goes on. */
export interface Dead {
  readonly _tag: "Dead"
  readonly code: DeadCode
  readonly reason: string
  readonly answer?: number | undefined
}

type AnyKind = Delivered | Dead | LaneDead | Later

/** How a sending of each kind can end. */
export interface OutcomeOf {
  readonly state:
    | AnyKind
    /** Not sent, because a person has cancelled the work item, or has completed it and so ended its task. */
    | { readonly _tag: "Left"; readonly reason: string; readonly seen: SeenState }
    /** The stage table names a state that Plane does not have. The state stays owed until Plane has it. */
    | { readonly _tag: "Withheld"; readonly reason: string }
  readonly comment:
    | AnyKind
    /**
     * Plane already has a comment under this external id, from an attempt before or from somewhere else. The events
     * that it tells count as told. If it tells none of them, they are told under the next external id.
     */
    | {
      readonly _tag: "Taken"
      readonly commentId: CommentId
      readonly tells: (event: OwedEvent) => boolean
      /** Whether it says the same as this HTML. */
      readonly says: (html: string) => boolean
      readonly nextExternalId: string
      readonly lookAgain?: LookAgain
    }
    /**
     * Plane does not take a comment that tells several events. From now on each half is told by itself, so that in the
     * end only the event that Plane dislikes becomes a dead letter. `unanswered`: Plane may still be executing the
     * request.
     */
    | {
      readonly _tag: "Split"
      readonly reason: string
      readonly answer?: number | undefined
      readonly unanswered: boolean
    }
  readonly recount:
    | AnyKind
    /** The comment to change is gone, so a new one is needed. */
    | { readonly _tag: "CommentGone"; readonly reason: string }
}

/** How a sending ended. */
export type SendOutcome = OutcomeOf[DeliveryKind]

/** How a check has ended. */
export type CheckOutcome =
  /** It has happened: the state is set again, once. `readAt` is when the activities were read. */
  | { readonly _tag: "SetAgain"; readonly readAt: MonotonicMillis }
  /** It has not happened, or nobody can tell. */
  | { readonly _tag: "Stands"; readonly reason: string }
  | Later

/** What has become of a comment that Plane may have executed twice. `reason`: in words, if there were two. */
export interface Compared {
  readonly delivery: number
  readonly reason: string | undefined
}

/** How a look for comments that Plane has executed twice has ended. */
export type TwinsOutcome = { readonly _tag: "Compared"; readonly comments: ReadonlyArray<Compared> } | Later

/** How a job for a link has ended. */
export type LinkOutcome =
  /** Plane has it. `isOurs`: we have made it, so we may delete it. */
  | { readonly _tag: "Linked"; readonly linkId: LinkId; readonly isOurs: boolean }
  /** Plane does not have it, or not any more. */
  | { readonly _tag: "Unlinked" }
  /** It is not tried again. */
  | { readonly _tag: "LinkGivenUp"; readonly reason: string }
  /** Nobody outside of its network can reach its host, and a setting may mend that. */
  | { readonly _tag: "LinkUnreachable"; readonly reason: string }
  /** The work item was deleted or archived. */
  | { readonly _tag: "ItemGone"; readonly reason: string }
  | Later

/** What became of somebody who was to be assigned, or to be taken out. */
export type AssignedPerson =
  /** They are assigned. `isOurs`: we have put them there, so we may take them out. */
  | { readonly _tag: "There"; readonly id: number; readonly isOurs: boolean }
  | { readonly _tag: "Out"; readonly id: number }
  /** Plane does not take them, and is not asked again. */
  | { readonly _tag: "Refused"; readonly id: number; readonly reason: string }

/** A PATCH of assignees that Plane has answered. */
export interface AssignedPatch {
  /** When they were read before it, by Plane's clock. */
  readonly since: EpochMillis
  /** Whose API token it was, where the answer tells. */
  readonly by: UserId | undefined
  /** Who is assigned, by the answer. */
  readonly left: ReadonlyArray<UserId>
  /** It has only put back what people had changed, and that is done once. */
  readonly isLast: boolean
  /** No other is to be looked back at with it. */
  readonly isAlone: boolean
  /** Where it has set no state: what was read before it, and what its answer says. */
  readonly saved:
    | { readonly before: SeenState; readonly state: StateId | null; readonly updatedAt: PlaneMoment }
    | undefined
}

/** What became of people who were to be assigned. Without a PATCH none was needed. */
export interface Assigned {
  readonly people: ReadonlyArray<AssignedPerson>
  readonly patch: AssignedPatch | undefined
}

/**
 * What people have changed at the same moment as our PATCH: whom they had put there (`isWanted`) or taken out, and it is
 * not so now; and which of ours they have put there or taken out (`touched`).
 */
export interface LookedBack {
  readonly _tag: "LookedBack"
  readonly restore: ReadonlyArray<{ readonly user: UserId; readonly isWanted: boolean }>
  readonly touched: ReadonlyArray<number>
}

/** How a job for the assignees of a work item has ended. */
export type AssignOutcome =
  | { readonly _tag: "Assigned"; readonly assigned: Assigned }
  | LookedBack
  /** It is not tried again; if Plane refuses it, not when the task waits anew either. */
  | { readonly _tag: "AssignGivenUp"; readonly reason: string; readonly isRefused: boolean }
  /** The work item was deleted or archived. */
  | { readonly _tag: "ItemGone"; readonly reason: string }
  | Later

/** A job and how it ended. */
export type Settlement = Looked | Sent | Checked | TwinsSettled | LinkSettled | AssignSettled

export interface AssignSettled {
  readonly _tag: "AssignSettled"
  readonly job: AssignJob | LookBackJob
  readonly outcome: AssignOutcome
}

export interface LinkSettled {
  readonly _tag: "LinkSettled"
  readonly job: LinkJob
  readonly outcome: LinkOutcome
}

export interface Checked {
  readonly _tag: "Checked"
  readonly job: CheckJob
  readonly outcome: CheckOutcome
}

export interface TwinsSettled {
  readonly _tag: "TwinsSettled"
  readonly job: TwinsJob
  readonly outcome: TwinsOutcome
}

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
