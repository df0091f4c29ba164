import { Effect } from "effect"
import { EpochMillis, later } from "../base/Time.js"
import type { LaneId } from "../domain/Ids.js"
import { momentOf } from "../domain/PlaneMoment.js"
import { identifierOf, numberOf, WorkItemKey } from "../domain/WorkItemKey.js"
import type { Sql } from "../storage/Sql.js"
import { moveUsage } from "./EventUsage.js"
import { tolerated } from "./Heard.js"
import { idleDue } from "./Idle.js"
import type { Lane } from "./Lane.js"
import { free } from "./LaneUpdate.js"
import type { LookOutcome } from "./Outcome.js"
import type { EventStatus } from "./StoredEvent.js"
import type { Tally } from "./Tally.js"
import { moveAssignees } from "./WantedAssignees.js"
import { moveLinks } from "./WantedLinks.js"

/**
 * Moves the events of a key to the lane of its work item. That lane may already have events of another spelling: the
 * sequence puts them all into one order, and of two owed states the later stands. What the lane knows of its work item
 * stands, unless the look-up has read something newer.
 */
export const keyFound = (
  sql: Sql,
  tally: Tally,
  keyLane: Lane,
  { itemId, key, title, seen: { cancelled, completed, readAt, state, updatedAt } }: Extract<
    LookOutcome,
    { readonly _tag: "Found" }
  >,
  now: EpochMillis
) =>
  Effect.gen(function*() {
    const project = identifierOf(key)
    const [lane] = yield* sql<{ id: LaneId }>`INSERT INTO plane_sync_lane (name, work_item, project, title, number)
      VALUES (${itemId}, ${itemId}, ${project}, ${title ?? null}, ${numberOf(key)})
      ON CONFLICT (name) DO UPDATE SET gone = 0, project = excluded.project,
        title = coalesce(excluded.title, plane_sync_lane.title), number = excluded.number
      RETURNING id`
    if (lane === undefined) return yield* Effect.dieMessage("an INSERT returns its row")
    const target = lane.id
    // However the key was published, people ask for it by the form that Plane shows.
    yield* sql`INSERT INTO plane_sync_lane (name, target, project)
      VALUES (${WorkItemKey.normalize(key)}, ${target}, ${project})
      ON CONFLICT (name) DO NOTHING`
    // A moment of the monotonic clock means nothing to another process than the one that holds the key's lane.
    const reader = sql`(SELECT holder FROM plane_sync_lane WHERE id = ${keyLane.id})`
    yield* sql`UPDATE plane_sync_lane SET state = ${state}, cancelled = ${cancelled ? 1 : 0},
        completed = ${completed ? 1 : 0}, read_at = ${readAt}, read_by = ${reader}, updated_at = ${updatedAt}
      WHERE id = ${target} AND (updated_at < ${updatedAt} OR updated_at > ${momentOf(later(now, tolerated))}
        OR (read_at IS NULL AND (updated_at IS NULL OR updated_at = ${updatedAt})))`
    const both = sql`(SELECT * FROM plane_sync_lane WHERE id IN (${target}, ${keyLane.id})) both_lanes`
    yield* sql`UPDATE plane_sync_event SET lane = ${target} WHERE lane = ${keyLane.id}`
    // Nobody wants an older stage's state any more, even if the later one has been set already.
    const older = yield* sql<{ status: EventStatus }>`UPDATE plane_sync_event SET state = 'superseded'
      WHERE state = 'pending' AND comment NOT IN ('pending', 'retried')
        AND sequence IN (SELECT state_event FROM ${both})
        AND sequence < (SELECT max(latest_stage) FROM ${both}) RETURNING status`
    tally.settled(target, older)
    yield* sql`UPDATE plane_sync_delivery SET lane = ${target} WHERE lane = ${keyLane.id}`
    // The state is sent next, because what was just read of the work item would otherwise have to be read again later.
    const owed = sql`(SELECT sum(owed) FROM ${both}) + ${tally.take(target)}`
    yield* sql`UPDATE plane_sync_lane SET
        state_event = (SELECT CASE max(state_event) WHEN max(latest_stage) THEN max(state_event) END FROM ${both}),
        latest_stage = (SELECT max(latest_stage) FROM ${both}),
        of_task = (SELECT max(of_task) FROM ${both}),
        left_until = (SELECT max(left_until) FROM ${both}),
        first_word = (SELECT min(first_word) FROM ${both}),
        urgency = (SELECT min(urgency) FROM ${both}),
        owed = ${owed},
        due_at = CASE WHEN ${owed} = 0 THEN ${idleDue(sql)} WHEN NOT EXISTS (
            SELECT 1 FROM plane_sync_delivery d WHERE d.lane = ${target} AND d.status = 'pending') THEN -1
          ELSE coalesce(due_at, (SELECT due_at FROM plane_sync_lane WHERE id = ${keyLane.id})) END
      WHERE id = ${target}`
    yield* sql`UPDATE plane_sync_lane SET target = ${target}, attempts = 0, misses = 0, owed = 0,
      state_event = NULL, latest_stage = NULL WHERE id = ${keyLane.id}`
    // Whoever has given links to the key meanwhile has its row until now: see `giveLinks`.
    yield* moveLinks(sql, keyLane.id, target)
    yield* moveAssignees(sql, keyLane.id, target)
    yield* moveUsage(sql, keyLane.id, target)
    yield* free(sql, tally, keyLane, EpochMillis(0), null)
  })
