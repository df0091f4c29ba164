import { Option } from "effect"
import { EpochMillis, stored } from "../base/Time.js"
import type { UserId } from "../domain/Ids.js"
import { epochOf, momentOf, PlaneMoment } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import type { Believed } from "../outbox/Believed.js"
import type { Move } from "../plane/History.js"
import type { ChangedItem } from "../plane/ItemPages.js"

/** A work item in a state that it is not believed to be in. Its activities tell whether a person has moved it there. */
export interface Suspect {
  readonly item: Omit<ChangedItem, "stateId" | "stateGroup"> & {
    readonly stateId: StateId
    readonly stateGroup: string
  }
  readonly believed: Believed | undefined
  /** What happened until then is no news of a work item that was never heard of. */
  readonly since: PlaneMoment
  /** How often its activities have told nothing. */
  readonly tries: number
}

/**
 * What the activities of a suspect tell.
 *
 * - `Moved`: somebody else has moved it there, at this moment.
 * - `Made`: it was made in this state.
 * - `Nothing`: the last move is our own, or one of before.
 * - `NotYet`: Plane's workers have not written the last move yet, or it was moved again.
 */
export type Told =
  | { readonly _tag: "Moved"; readonly by: Option.Option<UserId>; readonly at: PlaneMoment }
  | { readonly _tag: "Made"; readonly at: PlaneMoment }
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "NotYet" }

/** How often the activities are read that do not have the last move. */
const mostTries = 3

const secondOf = (moment: PlaneMoment) => Math.floor(epochOf(moment) / 1_000)

const lastOf = (second: number) => PlaneMoment(momentOf(EpochMillis(second * 1_000)).replace(".000000Z", ".999999Z"))

/**
 * When a move was made. Activities tell the second only, so it is the last moment of that one, or the work item's own
 * if that is in it. It is after what was heard before, because the state is another one.
 */
const momentIn = (second: number, { believed, item }: Suspect): PlaneMoment => {
  if (secondOf(item.updatedAt) === second) return item.updatedAt
  const last = lastOf(second)
  return believed?.heardAt !== undefined && believed.heardAt !== null && last <= believed.heardAt
    ? item.updatedAt
    : last
}

/** What a suspect's activities tell, the newest move first. */
export const toldBy = (moves: ReadonlyArray<Move>, suspect: Suspect): Told => {
  const { believed, item: { createdAt, stateId, updatedAt }, since, tries } = suspect
  const isHeard = believed !== undefined && believed.heardAt !== null
  const isLastTry = tries + 1 >= mostTries
  const [newest] = moves
  if (newest === undefined) {
    if (!isHeard) return Option.exists(createdAt, (at) => at > since) ? { _tag: "Made", at: updatedAt } : nothing
    // It is elsewhere all the same. Other activities may have hidden the move, or this Plane does not show any.
    return isLastTry ? { _tag: "Moved", by: Option.none(), at: updatedAt } : notYet
  }
  if (believed !== undefined && believed.placedBy !== null && Option.contains(newest.by, believed.placedBy)) {
    return nothing
  }
  if (!Option.contains(newest.to, stateId)) return isLastTry ? nothing : notYet
  // Of a move within the very second, the work item's own moment tells.
  const second = stored(newest.at) / 1_000
  const isNews = secondOf(updatedAt) === second ? updatedAt > since : second > secondOf(since)
  if (!isHeard && !isNews) return nothing
  return { _tag: "Moved", by: newest.by, at: momentIn(second, suspect) }
}

const nothing: Told = { _tag: "Nothing" }
const notYet: Told = { _tag: "NotYet" }
