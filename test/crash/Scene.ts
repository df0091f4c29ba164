import * as FileSystem from "@effect/platform/FileSystem"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { SqlClient } from "@effect/sql/SqlClient"

import { Effect } from "effect"
import type { Recorded } from "./Plane.js"

/** What a kill met, as the file that it left and the simulator's records show. */
export interface Scene {
  /** It had not become the leader of the file yet. */
  readonly starting: boolean
  /** Of a migration: the file was there, but its tables were not. */
  readonly unmigrated: boolean
  /** Committed events of which nothing was claimed. */
  readonly unclaimed: number
  /** Claimed requests that the simulator never received. */
  readonly claimed: number
  /** Requests that the simulator received and had not answered. */
  readonly sent: number
  /** Requests that the simulator had answered whole, and that are not settled in the file. */
  readonly answered: number
  /** The request whose answer the kill was aimed at is settled in the file. */
  readonly settled: boolean
  /** The file's log ends in the middle of a commit. */
  readonly torn: boolean
}

export const emptyScene: Scene = {
  starting: true,
  unmigrated: false,
  unclaimed: 0,
  claimed: 0,
  sent: 0,
  answered: 0,
  settled: false,
  torn: false
}

const walHeader = 32
const frameHeader = 24

/** Whether anything stands behind the last commit of the write-ahead log (see sqlite.org/fileformat2). */
export const endsInCommit = (wal: Uint8Array): boolean => {
  if (wal.length < walHeader) return false
  const view = new DataView(wal.buffer, wal.byteOffset, wal.byteLength)
  const pageSize = view.getUint32(8)
  const frame = frameHeader + pageSize
  let open = false
  for (let at = walHeader; at + frameHeader <= wal.length; at += frame) {
    // Behind this frame stand frames from before the log began anew.
    if (view.getUint32(at + 8) !== view.getUint32(16) || view.getUint32(at + 12) !== view.getUint32(20)) return open
    if (at + frame > wal.length) return true
    // The size of the database after a commit. 0 in a frame that is no commit.
    open = view.getUint32(at + 4) === 0
  }
  return open
}

/** A request that is claimed. */
export interface Owed {
  readonly kind: "comment" | "recount" | "state"
  readonly workItem: string
  readonly sentAt: number
}

const isItsRequest = (owed: Owed) => ({ at, kind, method, path }: Recorded) =>
  at >= owed.sentAt && path.includes(owed.workItem) &&
  (owed.kind === "comment"
    ? method === "POST" && kind === "comments"
    : method === "PATCH" && kind === (owed.kind === "state" ? "item" : "comment"))

/** What had become of claimed requests at a moment, as the simulator's records show: undefined if it never came. */
export const became = (owed: ReadonlyArray<Owed>, requests: ReadonlyArray<Recorded>, at: number) => {
  const seen = owed.map((each) => requests.findLast(isItsRequest(each)))
  const isAnswered = (request: Recorded) =>
    request.answeredAt !== null && request.answeredAt <= at && !request.clientGone
  return {
    claimed: seen.filter((request) => request === undefined).length,
    sent: seen.filter((request) => request !== undefined && !isAnswered(request)).length,
    answered: seen.filter((request) => request !== undefined && isAnswered(request)).length,
    has: (sequence: number) => seen.some((request) => request?.sequence === sequence)
  }
}

const read = (file: string, bornAt: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const [tables] = yield* sql<{ count: number }>`SELECT count(*) AS count FROM sqlite_schema
      WHERE name = 'plane_sync_sender'`
    if (tables?.count !== 1) return undefined
    const [leader] = yield* sql<{ since: number }>`SELECT since FROM plane_sync_sender`
    // Lanes that are still held belong to its predecessor, whose kill has been looked at already.
    if (leader === undefined || leader.since < bornAt) return { owed: [], unclaimed: 0, starting: true }
    const owed = yield* sql<Owed>`SELECT d.kind, l.work_item AS "workItem", d.sent_at AS "sentAt"
      FROM plane_sync_delivery d JOIN plane_sync_lane l ON l.id = d.lane
      WHERE d.status = 'pending' AND l.holder IS NOT NULL`
    const [events] = yield* sql<{ count: number }>`SELECT count(*) AS count
      FROM plane_sync_event e JOIN plane_sync_lane l ON l.id = e.lane
      WHERE e.status = 'pending' AND l.holder IS NULL AND NOT EXISTS (
        SELECT 1 FROM plane_sync_delivery d WHERE d.lane = l.id AND d.status = 'pending')`
    return { owed, unclaimed: events?.count ?? 0, starting: false }
  }).pipe(Effect.provide(SqliteClient.layer({ filename: file })))

/**
 * Looks at the file of a process that was killed at the moment `at`, together with the simulator's records of its life.
 * It opens a copy, because opening a database repairs it, and the next process is to find the file unchanged.
 */
export const look = Effect.fnUntraced(function*(options: {
  readonly file: string
  readonly bornAt: number
  readonly at: number
  readonly requests: ReadonlyArray<Recorded>
  /** The sequence of the request that killed the process. */
  readonly by?: number | undefined
}) {
  const { at, bornAt, by, file, requests } = options
  const files = yield* FileSystem.FileSystem
  if (!(yield* files.exists(file))) return emptyScene
  const copy = `${file}.seen`
  yield* Effect.forEach(
    ["", "-wal"],
    (end) => Effect.whenEffect(files.copyFile(`${file}${end}`, `${copy}${end}`), files.exists(`${file}${end}`))
  )
  const torn = (yield* files.exists(`${copy}-wal`)) && endsInCommit(yield* files.readFile(`${copy}-wal`))
  const found = yield* read(copy, bornAt)
  yield* Effect.forEach(["", "-wal", "-shm"], (end) => files.remove(`${copy}${end}`, { force: true }))
  if (found === undefined) return { ...emptyScene, unmigrated: true, torn }

  const { answered, claimed, has, sent } = became(found.owed, requests, at)
  const scene: Scene = {
    starting: found.starting,
    unmigrated: false,
    unclaimed: found.unclaimed,
    claimed,
    sent,
    answered,
    settled: by !== undefined && !has(by),
    torn
  }
  return scene
})
