import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { idleAgain } from "./Idle.js"
import type { ItemOfProject } from "./LeftStates.js"
import { itsLanes } from "./LeftStates.js"

/** A link that a lane's work item is to have, and as of which event. */
export interface WantedLink extends Link {
  readonly lane: LaneId
  readonly sequence: EventSequence
}

/** How many links a work item is to have at most. Of more kinds the oldest go. */
const mostOfLane = 20

const StoredLinks = Schema.parseJson(
  Schema.Array(Schema.Struct({ kind: Schema.String, title: Schema.String, url: Schema.String }))
)

const decodeLinks = Schema.decodeOption(StoredLinks)

/** The links of a stored event. */
export const linksOf = (json: string | null): ReadonlyArray<Link> =>
  json === null ? [] : Option.getOrElse(decodeLinks(json), () => [])

/** When the first link of a lane is due: it is to be made or looked for, or to go. */
export const firstLink = (sql: Sql, lane: Fragment): Fragment =>
  sql`(SELECT min(due_at) FROM plane_sync_link WHERE lane = ${lane}
    AND (wanted = 0 OR refused IS NULL AND (link_id IS NULL OR asked = 1)))`

/** Writes down when lanes have something to do for their links. Those that owe nothing are due then. */
export const scheduleLinks = (sql: Sql, lanes: ReadonlyArray<LaneId>) => {
  const linksAt = firstLink(sql, sql.literal("plane_sync_lane.id"))
  return sql`UPDATE plane_sync_lane SET links_at = ${linksAt}, ${idleAgain(sql, { linksAt })}
    WHERE id IN ${sql.numbers(lanes)}`
}

/** It is to go. One that was asked for is not looked for before its quiet time is over. */
const unwanted = (sql: Sql) => sql`wanted = 0, attempts = 0, due_at = CASE asked WHEN 1 THEN due_at ELSE 0 END`

/** The newest of each kind of a lane. */
const newest = (wanted: ReadonlyArray<WantedLink>): ReadonlyArray<WantedLink> => {
  const found = new Map<string, WantedLink>()
  for (const one of wanted) {
    const key = `${one.lane} ${one.kind}`
    const known = found.get(key)
    if (known === undefined || one.sequence >= known.sequence) {
      // The last one is the newest, also in the order of their ids.
      found.delete(key)
      found.set(key, one)
    }
  }
  return Array.from(found.values())
}

/**
 * Lanes are to have links, each in place of the one of its kind, unless that is newer. One that is there, or that Plane
 * has refused, stays as it is. One that had no address for Plane is tried again. The caller has the lanes' rows.
 */
export const wantLinks = (
  sql: Sql,
  all: ReadonlyArray<WantedLink>,
  /** Whether they are wanted as of now, so that they are newer than all that was published. */
  isOfNow = false
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const isOlder = sql.literal(isOfNow ? "<=" : "<")
    const isNewer = sql.literal(isOfNow ? ">" : ">=")
    const wanted = newest(all)
    if (wanted.length === 0) return
    const rows = sql.each(wanted.map(({ kind, lane, sequence, title, url }) => [lane, kind, url, title, sequence]))
    const lane = sql`CAST(value ->> 0 AS bigint)`
    const sequence = sql`CAST(value ->> 4 AS bigint)`
    yield* sql`INSERT INTO plane_sync_link (lane, kind, url, title, sequence)
      SELECT ${lane}, value ->> 1, value ->> 2, value ->> 3, ${sequence} FROM ${rows}
      WHERE NOT EXISTS (SELECT 1 FROM plane_sync_link newer WHERE newer.lane = ${lane} AND newer.kind = value ->> 1
        AND newer.wanted = 1 AND newer.url <> value ->> 2 AND newer.sequence ${isNewer} ${sequence}) ORDER BY key
      ON CONFLICT (lane, kind, url) DO UPDATE SET wanted = 1, sequence = excluded.sequence,
        refused = CASE WHEN plane_sync_link.attempts = 0 THEN NULL ELSE plane_sync_link.refused END`
    yield* sql`UPDATE plane_sync_link SET ${unwanted(sql)} FROM ${rows}
      WHERE lane = ${lane} AND kind = value ->> 1 AND url <> value ->> 2 AND wanted = 1 AND sequence ${isOlder} ${sequence}`
    const lanes = Array.from(new Set(wanted.map(({ lane }) => lane))).sort((one, other) => one - other)
    yield* sql`UPDATE plane_sync_link SET ${unwanted(sql)} WHERE id IN (
      SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY lane ORDER BY sequence DESC, id DESC) AS place
        FROM plane_sync_link WHERE lane IN ${sql.numbers(lanes)} AND wanted = 1) placed
      WHERE place > ${sql.literal(String(mostOfLane))})`
    yield* scheduleLinks(sql, lanes)
  })

/**
 * The lane of a work item, or of a key that is not looked up yet. It is made where there is none, and kept from others
 * until the transaction ends: whoever finds the key moves what is stored for it after that.
 */
export const holdLane = (sql: Sql, { itemId, key, project }: ItemOfProject): Effect.Effect<LaneId, SqlError> =>
  Effect.gen(function*() {
    const name = itemId ?? key
    yield* sql`INSERT INTO plane_sync_lane (name, work_item, project) VALUES (${name}, ${itemId ?? null}, ${project})
      ON CONFLICT (name) DO NOTHING`
    const hold = (which: Fragment) =>
      sql<{ id: LaneId; target: LaneId | null }>`UPDATE plane_sync_lane SET links_at = links_at WHERE ${which}
        RETURNING id, target`
    const [lane] = yield* hold(sql`name = ${name}`)
    if (lane === undefined) return yield* Effect.dieMessage("a lane that was made is there")
    if (lane.target === null) return lane.id
    yield* hold(sql`id = ${lane.target}`)
    return lane.target
  })

/** The work item is to have these links from now on. Runs within a transaction. */
export const giveLinks = (
  sql: Sql,
  item: ItemOfProject,
  links: ReadonlyArray<Link>
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    if (links.length === 0) return
    const lane = yield* holdLane(sql, item)
    const [last] = yield* sql<{ sequence: EventSequence }>`SELECT coalesce(max(sequence), 0) AS sequence
      FROM plane_sync_event`
    if (last === undefined) return
    yield* wantLinks(sql, links.map((link) => ({ ...link, lane, sequence: last.sequence })), true)
  })

/** The work item is to have no link of a kind any more. One that somebody else has made stays. */
export const takeLink = (sql: Sql, item: ItemOfProject, kind: string): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* holdLane(sql, item)
    // Its key may have a lane of its own still, whose links move to this one once it is looked up.
    const held = yield* sql<{ id: LaneId }>`UPDATE plane_sync_lane SET links_at = links_at WHERE ${itsLanes(sql, item)}
      RETURNING id`
    const lanes = held.map(({ id }) => id)
    yield* sql`UPDATE plane_sync_link SET ${unwanted(sql)}
      WHERE lane IN ${sql.numbers(lanes)} AND kind = ${kind} AND wanted = 1`
    yield* scheduleLinks(sql, lanes)
  })

/** The links of a key move to the lane of its work item. None of them was sent yet. */
export const moveLinks = (sql: Sql, from: LaneId, to: LaneId): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    const links = yield* sql<WantedLink & { readonly wanted: number }>`DELETE FROM plane_sync_link WHERE lane = ${from}
      RETURNING kind, url, title, sequence, wanted, lane`
    yield* wantLinks(sql, links.filter(({ wanted }) => wanted === 1).map((link) => ({ ...link, lane: to })))
  })
