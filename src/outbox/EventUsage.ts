import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Record, Schema } from "effect"
import type { LaneId } from "../domain/Ids.js"
import type { UsageSum } from "../domain/Usage.js"
import { byModel, mostSum, rowOfUsage, Usage, usageColumns, usageOfRow, UsageRow } from "../domain/Usage.js"
import type { Fragment, Sql } from "../storage/Sql.js"

const decodeUsage = Schema.decodeOption(Schema.parseJson(Usage))

/** The usage of a stored event; none of an event that has none. */
export const usageOf = (json: string | null): ReadonlyArray<Usage> =>
  json === null ? [] : Option.toArray(decodeUsage(json))

/** What was used for the work item of a lane. */
export interface LaneUsage {
  readonly lane: LaneId
  readonly usage: UsageSum
}

/**
 * Adds to the sums of lanes. Each event is added once: when it is folded. In SQL, because on Postgres another leader
 * may add to the same lane meanwhile; and in one order, so that the two cannot wait for each other.
 */
export const addLaneUsage = (sql: Sql, used: ReadonlyArray<LaneUsage>): Effect.Effect<void, SqlError> => {
  const ofLanes = new Map<LaneId, Array<UsageSum>>()
  for (const { lane, usage } of used) ofLanes.set(lane, [...ofLanes.get(lane) ?? [], usage])
  const rows = Array.from(ofLanes).sort(([one], [other]) => one - other).flatMap(([lane, usages]) =>
    byModel(usages).map(rowOfUsage).sort((one, other) => one.model < other.model ? -1 : 1)
      .map(({ inputTokens, micros, model, outputTokens }) => [lane, model, inputTokens, outputTokens, micros])
  )
  if (rows.length === 0) return Effect.void
  const most = sql.literal(String(mostSum))
  const sum = (column: string) => {
    const [known, added] = [sql.literal(`plane_sync_usage.${column}`), sql.literal(`excluded.${column}`)]
    return sql`CASE WHEN ${known} IS NULL OR ${added} IS NULL THEN coalesce(${known}, ${added})
      WHEN ${known} > ${most} - ${added} THEN ${most} ELSE ${known} + ${added} END`
  }
  return Effect.asVoid(
    sql`INSERT INTO plane_sync_usage (lane, model, input_tokens, output_tokens, micros)
      SELECT CAST(value ->> 0 AS bigint), value ->> 1, CAST(value ->> 2 AS bigint), CAST(value ->> 3 AS bigint),
        CAST(value ->> 4 AS bigint) FROM ${sql.each(rows)} WHERE true ORDER BY key
      ON CONFLICT (lane, model) DO UPDATE SET input_tokens = ${sum("input_tokens")},
        output_tokens = ${sum("output_tokens")}, micros = ${sum("micros")}`
  )
}

/** The sums of a key move to the lane of its work item. */
export const moveUsage = (sql: Sql, from: LaneId, to: LaneId): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const rows = yield* sql<UsageRow>`DELETE FROM plane_sync_usage WHERE lane = ${from}
      RETURNING model, input_tokens AS "inputTokens", output_tokens AS "outputTokens", micros`
    yield* addLaneUsage(sql, rows.map((row) => ({ lane: to, usage: usageOfRow(row) })))
  })

/**
 * A subquery: what was used for these lanes, as the text that `usedOf` reads. What is new, and not folded yet, counts
 * as well. `names` are those that new events may give their lane.
 */
const usageOfLanes = (sql: Sql, lanes: Fragment, names: Fragment): Fragment => {
  const fields = sql.jsonObjects({ ...Record.map(usageColumns, sql.literal), usage: sql`used.usage` })
  return sql`(SELECT ${fields} FROM (
    SELECT model, input_tokens, output_tokens, micros, NULL AS usage FROM plane_sync_usage WHERE lane IN ${lanes}
    UNION ALL SELECT '', NULL, NULL, NULL, e.usage FROM plane_sync_event e
      WHERE e.folded = 0 AND e.usage IS NOT NULL AND e.lane_name IN ${names}) used)`
}

const decodeUsed = Schema.decodeSync(
  Schema.parseJson(Schema.Array(Schema.Struct({ ...UsageRow.fields, usage: Schema.NullOr(Schema.String) })))
)

/** What a subquery of usage has found, one for each model, the costliest first. */
export const usedOf = (json: string): ReadonlyArray<UsageSum> =>
  byModel(decodeUsed(json).flatMap(({ usage, ...row }) => usage === null ? [usageOfRow(row)] : usageOf(usage)))

/** What the events of a lane have used, one for each model. */
export const readUsed = (sql: Sql, lane: LaneId): Effect.Effect<ReadonlyArray<UsageSum>, SqlError> => {
  const names = sql`(SELECT name FROM plane_sync_lane WHERE id = ${lane} OR target = ${lane})`
  return Effect.map(
    sql<{ used: string }>`SELECT ${usageOfLanes(sql, sql`(${lane})`, names)} AS used`,
    ([row]) => row === undefined ? [] : usedOf(row.used)
  )
}

/**
 * A subquery: what the events of a work item have used, as the text that `usedOf` reads. `itemId` is a column with
 * its item id, which may be null, and `key` one with its key, whose events count unless it was found to be another one.
 */
export const usageOfItem = (sql: Sql, itemId: Fragment, key: Fragment): Fragment => {
  const lanes = sql`(SELECT coalesce(target, id) FROM plane_sync_lane
    WHERE name = ${itemId} OR (name = ${key} AND (target IS NULL OR ${itemId} IS NULL)))`
  const names = sql`(SELECT name FROM plane_sync_lane WHERE id IN ${lanes}
    UNION ALL SELECT name FROM plane_sync_lane WHERE target IN ${lanes}
    UNION ALL SELECT ${key} WHERE NOT EXISTS (SELECT 1 FROM plane_sync_lane WHERE name = ${key}))`
  return usageOfLanes(sql, lanes, names)
}
