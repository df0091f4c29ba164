import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { LinkId } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { Sql } from "../storage/Sql.js"
import { isDue } from "./Checks.js"
import type { DueLink, LinkJob } from "./Job.js"
import type { Lane } from "./Lane.js"
import { free } from "./LaneUpdate.js"
import type { LinkOutcome, LinkSettled } from "./Outcome.js"
import type { Tally } from "./Tally.js"
import { scheduleLinks } from "./WantedLinks.js"

/** A stored link. */
export interface LinkRow {
  readonly id: number
  readonly kind: string
  readonly title: string
  readonly url: string
  readonly wanted: number
  readonly linkId: LinkId | null
  readonly ours: number
  readonly asked: number
  readonly attempts: number
  readonly dueAt: EpochMillis
  readonly refused: string | null
}

/** What is to be done next for the links of a lane. */
export type LinkStep =
  | { readonly _tag: "Act"; readonly act: LinkJob["act"]; readonly row: LinkRow }
  /** There is nothing of ours in Plane to delete. */
  | { readonly _tag: "Drop"; readonly row: LinkRow }
  /** Another kind has the same address: it is there already, and is ours as much as that one. */
  | { readonly _tag: "Share"; readonly row: LinkRow; readonly with: LinkRow }
  /** Another one has to be done before it. */
  | { readonly _tag: "Wait"; readonly row: LinkRow; readonly until: EpochMillis }

const isShared = (row: LinkRow) => (other: LinkRow) =>
  other.id !== row.id && other.url === row.url && other.linkId !== null

/** Plane does not have it, or may not have it any more, because a request to delete it had no answer. */
const isToMake = ({ asked, linkId, refused, wanted }: LinkRow) =>
  wanted === 1 && refused === null && (linkId === null || asked === 1)

/**
 * What a link waits for: a request for the same address that may still be executing, because Plane takes an address
 * twice if both come at once; and the one that takes its place, so that readers are never without.
 */
const blocks = (row: LinkRow) => (other: LinkRow) =>
  other.id !== row.id &&
  (other.url === row.url && other.asked === 1 || row.wanted === 0 && other.kind === row.kind && isToMake(other))

const stepOf = (row: LinkRow, rows: ReadonlyArray<LinkRow>): LinkStep => {
  const twin = rows.find(isShared(row))
  if (row.wanted === 1) {
    if (row.linkId !== null) return { _tag: "Act", act: "find", row }
    return twin === undefined ? { _tag: "Act", act: "add", row } : { _tag: "Share", row, with: twin }
  }
  // Whoever else wants the address keeps it.
  const heir = twin ?? rows.find((other) => other.id !== row.id && other.wanted === 1 && other.url === row.url)
  // Also what is not known yet: a request for the address may have made it, and it would be ours.
  const mayHave = row.linkId !== null || (row.asked === 1 && heir?.linkId === null)
  if (heir !== undefined && mayHave) return { _tag: "Share", row: heir, with: row }
  if (row.linkId !== null) return row.ours === 1 ? { _tag: "Act", act: "remove", row } : { _tag: "Drop", row }
  return row.asked === 1 && row.refused === null && heir === undefined
    ? { _tag: "Act", act: "find", row }
    : { _tag: "Drop", row }
}

/** The next step for the links of a work item: what is wanted is made first, and then what it takes the place of goes. */
export const nextLinkStep = (rows: ReadonlyArray<LinkRow>, now: EpochMillis): LinkStep | undefined => {
  const due = rows.filter(({ dueAt }) => isDue(dueAt, now))
  const row = due.find(isToMake) ?? due.find(({ wanted }) => wanted === 0)
  if (row === undefined) return undefined
  const blocking = rows.filter(blocks(row)).find(({ dueAt }) => !isDue(dueAt, now))
  return blocking === undefined ? stepOf(row, rows) : { _tag: "Wait", row, until: blocking.dueAt }
}

const readLinks = (sql: Sql, { id }: Lane) =>
  sql<
    LinkRow
  >`SELECT id, kind, title, url, wanted, link_id AS "linkId", ours, asked, attempts, due_at AS "dueAt", refused
    FROM plane_sync_link WHERE lane = ${id} ORDER BY id`

/** The links of a lane that people see in Plane. */
export const readShownLinks = (sql: Sql, { id }: Lane): Effect.Effect<ReadonlyArray<Link>, SqlError> =>
  sql<Link>`SELECT kind, title, url FROM plane_sync_link WHERE lane = ${id} AND wanted = 1 AND link_id IS NOT NULL
    ORDER BY id`

const drop = (sql: Sql, { id }: Pick<LinkRow, "id">) => sql`DELETE FROM plane_sync_link WHERE id = ${id}`

/** Whether a request for this address was sent, by whichever kind, and its outcome is not known. */
const isAskedFor = (url: string, rows: ReadonlyArray<LinkRow>) =>
  rows.some((each) => each.url === url && each.asked === 1)

/** Ours is one of them: the other is dropped without a request. */
const share = (sql: Sql, { row, with: other }: Extract<LinkStep, { readonly _tag: "Share" }>) =>
  sql`UPDATE plane_sync_link SET link_id = ${other.linkId}, ours = ${row.ours === 1 || other.ours === 1 ? 1 : 0},
    asked = ${other.asked} WHERE id = ${row.id}`

const putOff = (sql: Sql, { row, until }: Extract<LinkStep, { readonly _tag: "Wait" }>) =>
  sql`UPDATE plane_sync_link SET due_at = ${until} WHERE id = ${row.id}`

/**
 * What is to be done now for the links of a lane that owes nothing else. A write is written down before it is
 * sent, so that a crash leaves no link that nobody knows, and takes none away unseen. Runs within the claim of the lane.
 */
export const dueLink = (sql: Sql, lane: Lane, now: EpochMillis): Effect.Effect<LinkJob | undefined, SqlError> =>
  Effect.gen(function*() {
    const { itemId } = lane
    if (itemId === null) return undefined
    if (lane.gone) yield* forgetLinks(sql, lane)
    for (;;) {
      const rows = yield* readLinks(sql, lane)
      const step = nextLinkStep(rows, now)
      if (step === undefined) {
        yield* scheduleLinks(sql, [lane.id])
        return undefined
      }
      if (step._tag === "Act") {
        const { act, row } = step
        yield* sql`UPDATE plane_sync_link SET attempts = attempts + 1, asked = ${act === "find" ? row.asked : 1}
          WHERE id = ${row.id}`
        const { id, kind, linkId, title, url } = row
        const link: DueLink = {
          id,
          kind,
          title,
          url,
          linkId,
          maybeMade: isAskedFor(url, rows),
          attempts: row.attempts + 1
        }
        return { _tag: "Link", lane, itemId, act, link }
      }
      if (step._tag === "Drop") yield* drop(sql, step.row)
      else if (step._tag === "Wait") yield* putOff(sql, step)
      else {
        yield* share(sql, step)
        if (step.with.wanted === 0) yield* drop(sql, step.with)
      }
    }
  })

/** The work item is gone, and so are its links. */
const forgetLinks = (sql: Sql, { id }: Lane) => sql`DELETE FROM plane_sync_link WHERE lane = ${id}`

/** Writes down how a job for a link has ended. What is wanted may have changed meanwhile. */
export const linkSettled = (
  sql: Sql,
  tally: Tally,
  { job: { lane, link }, outcome }: LinkSettled,
  now: EpochMillis
): Effect.Effect<unknown, SqlError> =>
  Effect.gen(function*() {
    // Whoever changes a lane's links has the lane first: otherwise two could wait for each other.
    yield* sql`UPDATE plane_sync_lane SET links_at = NULL, gone = CASE WHEN ${
      outcome._tag === "ItemGone" ? 1 : 0
    } = 1 THEN 1 ELSE gone END WHERE id = ${lane.id}`
    yield* written(sql, lane, link, outcome)
    yield* scheduleLinks(sql, [lane.id])
    yield* free(sql, tally, lane, now, null)
  })

const written = (
  sql: Sql,
  lane: Lane,
  { id, maybeMade }: DueLink,
  outcome: LinkOutcome
): Effect.Effect<unknown, SqlError> => {
  switch (outcome._tag) {
    case "Linked":
      return sql`UPDATE plane_sync_link SET link_id = ${outcome.linkId}, ours = ${outcome.isOurs ? 1 : 0}, asked = 0,
        attempts = 0, due_at = 0 WHERE id = ${id}`
    case "Unlinked":
      return Effect.zipRight(
        sql`DELETE FROM plane_sync_link WHERE id = ${id} AND wanted = 0`,
        sql`UPDATE plane_sync_link SET link_id = NULL, ours = 0, asked = 0, attempts = 0, due_at = 0 WHERE id = ${id}`
      )
    case "LinkGivenUp":
    case "LinkUnreachable":
      // One that was to go stays in Plane, and nobody thinks of it any more.
      return Effect.zipRight(
        sql`DELETE FROM plane_sync_link WHERE id = ${id} AND wanted = 0`,
        // Without attempts it is tried once more when it is wanted again: by then its address may be set.
        sql`UPDATE plane_sync_link SET refused = CASE WHEN link_id IS NULL THEN ${outcome.reason} END, asked = 0,
          attempts = ${outcome._tag === "LinkUnreachable" ? 0 : sql`attempts`} WHERE id = ${id}`
      )
    case "ItemGone":
      return forgetLinks(sql, lane)
    case "Later": {
      const isAsked = outcome.unsent === true ? maybeMade : maybeMade || outcome.maybeDone === true
      return sql`UPDATE plane_sync_link SET due_at = ${outcome.dueAt}, asked = ${isAsked ? 1 : 0},
        attempts = attempts - ${outcome.counted ? 0 : 1} WHERE id = ${id}`
    }
  }
}
