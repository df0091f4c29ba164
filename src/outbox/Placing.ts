import { Duration } from "effect"
import { later } from "../base/Time.js"
import type { UserId } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { knowsNewer } from "./Heard.js"
import type { Lane } from "./Lane.js"
import type { Asked } from "./LaneUpdate.js"

/** A state of ours that Plane has set: the state that it replaced, as far as known, and whose API token it was. */
export interface Placed {
  readonly replaced: StateId | null
  readonly by: UserId | undefined
}

/**
 * Who moved a work item is asked so long after the reason for it: Plane's workers write the activities, and a PATCH of
 * ours has to wait for so long after a person's change anyway.
 */
export const checkAfter = Duration.seconds(1)

/** The assignments that write down a state that Plane has set, and when it is to be checked what has become of it. */
interface Placing {
  readonly columns: Fragment
  readonly checkAt: Fragment
}

/**
 * Hooks that came while the PATCH was under way may have told already that something went wrong: the state of before is
 * there, by a later change (`lost`); or a person has ended the work just before us (`undone`). Such a hook was acted
 * upon, so only Plane is to be put right. A doubt about an older PATCH is over.
 */
export const placing = (
  sql: Sql,
  lane: Lane,
  { asked, closed, now, seen: { updatedAt } }: Asked,
  { by, replaced }: Placed
): Placing => {
  const isNewer = knowsNewer(sql, updatedAt, now)
  const isRestored = sql.literal(lane.restore === asked ? "true" : "false")
  const isSecond = sql`coalesce(placed_for = ${closed}, false)`
  const lost = sql`(${isNewer} AND state = ${replaced} AND NOT ${isSecond})`
  const undone =
    sql`(NOT ${isNewer} AND heard_state IS DISTINCT FROM ${lane.heardState} AND heard_state IS DISTINCT FROM ${asked}
    AND state IS NOT DISTINCT FROM heard_state AND (cancelled = 1 OR completed = 1 AND of_task = 1))`
  const isOpen = sql`(doubt = 'undone' AND check_at IS NOT NULL OR ${isRestored})`
  const checkAt = sql`CASE WHEN ${lost} OR ${undone} THEN ${later(now, checkAfter)}
    WHEN ${isOpen} THEN check_at END`
  return {
    checkAt,
    columns: sql`placed = ${asked}, placed_at = ${updatedAt}, placed_by = coalesce(${by ?? null}, placed_by),
      replaced = CASE WHEN ${isSecond} OR ${isRestored} THEN NULL ELSE ${replaced} END, placed_for = ${closed},
      doubted = CASE WHEN ${lost} THEN ${replaced} WHEN ${undone} THEN heard_state WHEN ${isOpen} THEN doubted END,
      doubt = CASE WHEN ${lost} THEN 'lost' WHEN ${undone} THEN 'undone' WHEN ${isOpen} THEN doubt END,
      confirmed = CASE WHEN ${isOpen} THEN confirmed ELSE 0 END, checks = 0, check_at = ${checkAt},`
  }
}
