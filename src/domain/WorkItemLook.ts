import type { Effect, Option } from "effect"
import { Context, Data } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "./Ids.js"
import type { PlaneMoment } from "./PlaneMoment.js"
import type { StageStates, StateId } from "./StageStates.js"
import type { CanonicalKey } from "./WorkItemKey.js"

/** A work item in a state that somebody else has moved it to. */
export interface MovedItem {
  readonly itemId: ItemId
  readonly key: CanonicalKey
  readonly stateId: StateId
  /** backlog, unstarted, started, completed or cancelled. */
  readonly group: string
  /** When Plane last changed the work item. */
  readonly updatedAt: PlaneMoment
  /** When Plane has told so, by our clock. */
  readonly receivedAt: EpochMillis
  /** `updatedAt`, but never later than now: Plane's clock may be ahead of ours. */
  readonly at: EpochMillis
  /** The stage table of its project. */
  readonly states: StageStates
}

/**
 * What a look at a work item has found.
 *
 * - `Expected`: it is where it was when it was last heard of, or where we have put it.
 * - `Moved`: a person has moved it since, and no hook has told so yet.
 * - `Gone`: it was deleted or archived.
 * - `Unknown`: Plane gave no answer, or the work item's id is not known yet.
 */
export type Looked = Data.TaggedEnum<{
  Expected: object
  Moved: MovedItem
  Gone: object
  Unknown: { readonly why: string }
}>

export const Looked = Data.taggedEnum<Looked>()

/** Looks at what Plane shows of a work item, before its agent is launched. */
export class WorkItemLook extends Context.Tag("plane-sync/WorkItemLook")<WorkItemLook, {
  /** Answers within 10 seconds, whatever Plane does. `workItem` is its key, for where the id is not known. */
  readonly look: (
    item: { readonly itemId: Option.Option<ItemId>; readonly workItem: string }
  ) => Effect.Effect<Looked>
  /**
   * Notes that a move has been acted upon, so that its hook is no news. To be called after acting: if the program ends
   * in between, the next look or the hook finds the move again.
   */
  readonly note: (moved: MovedItem) => Effect.Effect<void>
}>() {}
