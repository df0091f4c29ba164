import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { EpochMillis as Moment, later } from "../base/Time.js"
import type { LaneId } from "../domain/Ids.js"
import { UserId } from "../domain/Ids.js"
import type { Sql } from "../storage/Sql.js"
import type { AssignedPatch } from "./Outcome.js"

const Users = Schema.Array(Schema.String.pipe(Schema.fromBrand(UserId)))

/**
 * What is to be looked back at: our last PATCH of assignees, and those before it that were not looked back at yet.
 * `before`: who was assigned before the first of them, where `since` is only a moment before they were read. `left`
 * is whom the last answer has left assigned. `isOpen`: the last one has no answer, so it may have been executed or not.
 */
const PatchJson = Schema.parseJson(Schema.Struct({
  since: Schema.Number.pipe(Schema.fromBrand(Moment)),
  by: Schema.optional(Schema.String.pipe(Schema.fromBrand(UserId))),
  left: Schema.optional(Users),
  before: Schema.optional(Users),
  isOpen: Schema.optional(Schema.Boolean),
  checks: Schema.Number
}))

/** As it is stored with a lane. */
export type LastPatch = typeof PatchJson.Type

const encode = Schema.encodeSync(PatchJson)
const decode = Schema.decodeOption(PatchJson)

/** How long Plane's workers are left to write what was changed, before it is looked back at. */
const lookBackAfter = "2 seconds"

/** The PATCH of a lane's assignees that is to be looked back at, and when. */
export const readPatch = (sql: Sql, lane: LaneId) =>
  Effect.map(
    sql<{ at: EpochMillis | null; patch: string | null }>`SELECT assign_check AS at, assign_patch AS patch
      FROM plane_sync_lane WHERE id = ${lane} AND assign_check IS NOT NULL`,
    ([row]) => row && { at: row.at, patch: Option.getOrUndefined(decode(row.patch ?? "")) }
  )

/** It is looked back at from `at` on. */
export const lookBackAt = (sql: Sql, lane: LaneId, at: EpochMillis, patch: LastPatch) =>
  sql`UPDATE plane_sync_lane SET assign_check = ${at}, assign_patch = ${encode(patch)} WHERE id = ${lane}`

/** There is nothing to look back at. */
export const dropPatch = (sql: Sql, lane: LaneId) =>
  sql`UPDATE plane_sync_lane SET assign_check = NULL, assign_patch = NULL WHERE id = ${lane}`

/** A PATCH of assignees that is sent next. */
export interface AssignNote {
  /** Who is put there by it: `DueAssignee.id`. */
  readonly ids: ReadonlyArray<number>
  /** Who was assigned when that was read for it, and a moment before that, by Plane's clock. */
  readonly before: ReadonlyArray<UserId>
  readonly since: EpochMillis
}

/**
 * A PATCH of assignees is sent next. It is written down before, so that after a crash it is known whom it may have put
 * there, and that it may have undone what people had changed. Gives those who are wanted still, as nobody else may be
 * put there, and whether nothing before it is to be looked back at.
 */
export const noteAsked = (
  sql: Sql,
  lane: LaneId,
  { before, ids, since }: AssignNote,
  now: EpochMillis
): Effect.Effect<{ readonly wanted: ReadonlyArray<number>; readonly isAlone: boolean }, SqlError> =>
  Effect.gen(function*() {
    // Whoever changes a lane's assignees has the lane first: otherwise two could wait for each other.
    yield* sql`UPDATE plane_sync_lane SET assign_at = assign_at WHERE id = ${lane}`
    const rows = yield* sql<{ id: number }>`UPDATE plane_sync_assignee SET asked = 1
      WHERE id IN ${sql.numbers(ids)} AND wanted = 1 RETURNING id`
    const earlier = (yield* readPatch(sql, lane))?.patch
    yield* lookBackAt(sql, lane, later(now, lookBackAfter), {
      before,
      checks: 0,
      ...earlier,
      since: Moment(Math.min(since, earlier?.since ?? since)),
      isOpen: true
    })
    return { wanted: rows.map(({ id }) => id), isAlone: earlier === undefined }
  })

/** The PATCH that was to assign these was surely not executed. `wasOpen`: one before it may have been. */
export const notAsked = (
  sql: Sql,
  lane: LaneId,
  { ids, wasOpen }: { readonly ids: ReadonlyArray<number>; readonly wasOpen: boolean }
): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    if (ids.length > 0) yield* sql`UPDATE plane_sync_assignee SET asked = 0 WHERE id IN ${sql.numbers(ids)}`
    if (wasOpen) return
    const last = yield* readPatch(sql, lane)
    if (last?.at == null || last.patch?.isOpen !== true) return
    const { left, ...others } = last.patch
    yield* left === undefined
      ? dropPatch(sql, lane)
      : lookBackAt(sql, lane, last.at, { ...others, left, isOpen: false })
  })

/** A PATCH was answered. It is looked back at, together with those before that were not looked back at yet. */
export const patched = (
  sql: Sql,
  lane: LaneId,
  { by, isAlone, isLast, left, since }: AssignedPatch,
  now: EpochMillis
) =>
  Effect.gen(function*() {
    const earlier = isAlone ? undefined : (yield* readPatch(sql, lane))?.patch
    if (isLast && earlier === undefined) {
      yield* dropPatch(sql, lane)
      return
    }
    yield* lookBackAt(sql, lane, later(now, lookBackAfter), {
      since: Moment(Math.min(since, earlier?.since ?? since)),
      by: by ?? earlier?.by,
      left,
      before: earlier?.before,
      checks: 0
    })
  })
