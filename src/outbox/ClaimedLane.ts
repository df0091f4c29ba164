import type { EventSequence } from "../domain/Ids.js"
import type { Lane } from "./Lane.js"
import { livingOf } from "./Living.js"

type Flag = "gone" | "cancelled" | "completed" | "respected" | "ofTask" | "unanswered"

/** A claimed lane, with the facts that the claim has read along with it. Flags are 0 or 1. */
export interface ClaimedRow
  extends Omit<Lane, Flag | "living">, Readonly<Record<Flag | "pending" | "retried", number>>
{
  readonly stateEvent: EventSequence | null
  /** As JSON. */
  readonly living: string | null
}

const has = (status: "pending" | "retried") =>
  `CASE WHEN EXISTS (SELECT 1 FROM plane_sync_delivery d WHERE d.lane = plane_sync_lane.id AND d.status = '${status}')
    THEN 1 ELSE 0 END AS ${status}`

// The key that Plane shows is the shortest, because it has no leading zeros.
const laneKey = `coalesce((SELECT spelling.name FROM plane_sync_lane spelling
  WHERE spelling.target = plane_sync_lane.id ORDER BY length(spelling.name) LIMIT 1), name)`

export const claimedColumns =
  `id, name, ${laneKey} AS key, project, work_item AS "itemId", attempts, misses, gone, state, cancelled, completed,
  CASE WHEN read_by = holder THEN read_at END AS "readAt", updated_at AS "updatedAt", asked, respected, unanswered,
  heard_state AS "heardState", of_task AS "ofTask", left_until AS "leftUntil",
  placed, replaced, placed_at AS "placedAt", placed_by AS "placedBy", placed_for AS "placedFor", doubt, doubted,
  check_at AS "checkAt", checks, restore, twins_at AS "twinsAt", links_at AS "linksAt", assign_at AS "assignAt", living,
  state_event AS "stateEvent", ${has("pending")}, ${has("retried")}`

export const laneOf = (row: ClaimedRow): Lane => ({
  id: row.id,
  name: row.name,
  key: row.key,
  project: row.project,
  itemId: row.itemId,
  attempts: row.attempts,
  misses: row.misses,
  state: row.state,
  readAt: row.readAt,
  updatedAt: row.updatedAt,
  asked: row.asked,
  heardState: row.heardState,
  leftUntil: row.leftUntil,
  placed: row.placed,
  replaced: row.replaced,
  placedAt: row.placedAt,
  placedBy: row.placedBy,
  placedFor: row.placedFor,
  doubt: row.doubt,
  doubted: row.doubted,
  checkAt: row.checkAt,
  checks: row.checks,
  restore: row.restore,
  twinsAt: row.twinsAt,
  linksAt: row.linksAt,
  assignAt: row.assignAt,
  living: livingOf(row.living),
  gone: row.gone === 1,
  cancelled: row.cancelled === 1,
  completed: row.completed === 1,
  respected: row.respected === 1,
  ofTask: row.ofTask === 1,
  unanswered: row.unanswered === 1
})
