import type { EpochMillis } from "../base/Time.js"
import type { CommentId, ItemId, LinkId, UserId } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { StateId } from "../domain/StageStates.js"
import type { LastPatch } from "./AssignPatch.js"
import type { Delivery } from "./Delivery.js"
import type { Doubt, Lane } from "./Lane.js"

/** A look-up by key, or a look at a work item that was gone when it was last seen. */
export interface LookJob {
  readonly _tag: "Look"
  readonly lane: Lane
  /** As it was published. */
  readonly key: string
  /** When the oldest event that is owed was published. */
  readonly since: EpochMillis
  /** False where only a task waits for it. */
  readonly owes: boolean
}

/** A request to send. */
export interface SendJob {
  readonly _tag: "Send"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly delivery: Delivery
  /** Who can be assigned, or taken out, by the same PATCH. Only with a state. */
  readonly people: ReadonlyArray<DueAssignee>
}

/** A look at who has moved a work item, because what has become of our last PATCH is in doubt (`Lane.doubt`). */
export interface CheckJob {
  readonly _tag: "Check"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly doubt: Doubt
  /** The state that is in question. */
  readonly doubted: StateId
}

/** A comment of ours that Plane may have executed twice. `madeBy`: whose API token it was, by Plane's words. */
export interface PerhapsTwice {
  readonly delivery: number
  readonly commentId: CommentId
  readonly externalId: string
  readonly madeBy: UserId | null
  /** 1 if it is edited, so that it says something else than a second one. */
  readonly isLiving: number
}

/** A look for comments that Plane has executed twice. */
export interface TwinsJob {
  readonly _tag: "Twins"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly comments: ReadonlyArray<PerhapsTwice>
}

/** A link that is to be made or to go, as it was when its lane was claimed. */
export interface DueLink extends Link {
  readonly id: number
  /** Its id in Plane, if that is known. */
  readonly linkId: LinkId | null
  /** A request of before was to make or to delete it, and may have been executed. */
  readonly maybeMade: boolean
  /** How often it was tried, this time included. */
  readonly attempts: number
}

/**
 * A link of a work item that owes nothing else: `add` makes it; `remove` deletes one of ours; `find` looks for one
 * of which it is not known whether it is there: it is not wanted any more, or it is wanted again.
 */
export interface LinkJob {
  readonly _tag: "Link"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly act: "add" | "find" | "remove"
  readonly link: DueLink
}

/**
 * Somebody who is to be assigned to a work item, or not any more (`wanted`), as it was when its lane was claimed. Flags
 * are 0 or 1: `settled` says that nothing is to be done; `ours`, that we have put them there; `asked`, that a PATCH that
 * puts them there may have been executed.
 */
export interface DueAssignee {
  readonly id: number
  /** An e-mail address or a user id, lower case, as the settings have it. */
  readonly person: string
  readonly wanted: number
  readonly settled: number
  readonly ours: number
  readonly asked: number
  /** It is a change of a person, which our PATCH has undone. */
  readonly restore: number
}

/** People are to be assigned to a work item that owes nothing else, or to be taken out: those of `due`. */
export interface AssignJob {
  readonly _tag: "Assign"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly people: ReadonlyArray<DueAssignee>
  readonly due: ReadonlyArray<number>
  /** How often it was tried, this time included. */
  readonly attempts: number
  /** A PATCH of before has no known outcome. */
  readonly isOpen: boolean
}

/**
 * A look at who has changed the assignees of a work item since they were read for our PATCH (`since`, by Plane's clock),
 * because Plane replaces all of them.
 */
export interface LookBackJob {
  readonly _tag: "LookBack"
  readonly lane: Lane
  readonly itemId: ItemId
  readonly people: ReadonlyArray<DueAssignee>
  readonly patch: LastPatch
}

/** What a worker does for a lane that it has claimed. Nobody else touches the lane until the job is settled. */
export type Job = LookJob | SendJob | CheckJob | TwinsJob | LinkJob | AssignJob | LookBackJob
