import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import Database from "better-sqlite3"
import type { Scope } from "effect"
import { Array, Effect, Layer } from "effect"
import { MonotonicMillis } from "../../src/base/Time.js"
import { projectConfig } from "../../src/domain/ProjectSettings.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Job } from "../../src/outbox/Job.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { Settlement } from "../../src/outbox/Outcome.js"
import { PlaneConfig } from "../../src/plane/PlaneConfig.js"
import { Storage } from "../../src/StorageLayers.js"
import type { Row } from "../Figure.js"
import { changed } from "../Load.js"
import { planBy } from "../NextStep.js"
import { paced, timed } from "../Pace.js"
import { delivered, pipelineInMemory, publishingInMemory } from "../Pipelines.js"
import { readable } from "../Report.js"
import { settled } from "../Settlement.js"
import { median } from "../Statistics.js"
import { aPublish } from "./Metrics.js"

const rounds = 7
const workItems = 500
// The pipeline's default.
const concurrency = 8

/** The median of some rounds. The first is left out, because it compiles the code. */
const medianOf = <E, R>(round: Effect.Effect<number, E, R>) =>
  Effect.map(Effect.zipRight(round, Effect.forEach(Array.range(1, rounds), () => round)), median)

const table = "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT, count INTEGER)"
const firstRow = "INSERT INTO part VALUES (1, 'one', 0)"

/**
 * Changes one row by its key in three ways: as we run it, as `@effect/sql` does, and by the driver alone. Each has a
 * separate table.
 */
const changes = Effect.gen(function*() {
  const { sql, writeAlone } = yield* Storage
  const client = yield* SqlClient.SqlClient
  const driver = yield* Effect.acquireRelease(
    Effect.sync(() => new Database(":memory:")),
    (driver) => Effect.sync(() => driver.close())
  )
  for (const text of [table, firstRow]) {
    yield* writeAlone(sql`${sql.literal(text)}`)
    yield* client.unsafe(text)
    driver.prepare(text).run()
  }
  const prepared = driver.prepare("UPDATE part SET count = ?, name = ? WHERE id = ?")
  return {
    ours: {
      change: (index: number) => sql`UPDATE part SET count = ${index}, name = ${"two"} WHERE id = ${1}`,
      within: writeAlone
    },
    theirs: {
      change: (index: number) => client`UPDATE part SET count = ${index}, name = ${"two"} WHERE id = ${1}`,
      within: client.withTransaction
    },
    bare: (index: number) => Effect.sync(() => prepared.run(index, "two", 1))
  }
})

// The tables are new each time.
const inMemory = <A, E>(measured: Effect.Effect<A, E, Storage | SqlClient.SqlClient | Scope.Scope>) =>
  measured.pipe(
    Effect.scoped,
    Effect.provide(Layer.merge(Storage.layerFile(":memory:"), SqliteClient.layer({ filename: ":memory:" })))
  )

const statements = 5_000

const statement = Effect.gen(function*() {
  const { bare, ours, theirs } = yield* changes
  const all = (change: (index: number) => Effect.Effect<unknown, SqlError>) =>
    Effect.forEach(Array.range(1, statements), change, { discard: true })
  const each = <E>(transaction: Effect.Effect<void, E>) =>
    medianOf(Effect.map(timed(transaction), (millis) => millis * 1_000 / statements))
  const value = yield* each(ours.within(all(ours.change)))
  const byTheirs = yield* each(theirs.within(all(theirs.change)))
  const byDriver = yield* each(all(bare))
  return {
    row: "parts: a statement",
    value,
    unit: "µs",
    beside: { what: `µs by @effect/sql's own, ${readable(byDriver)} by the driver alone`, value: byTheirs },
    means: "what a turn does ten of"
  }
}).pipe(inMemory)

// Measured at the pace of the row `publish`, because after a pause code and data are no longer in the processor's
// caches.
const transaction = Effect.gen(function*() {
  const { ours, theirs } = yield* changes
  const each = <E>(one: (index: number) => Effect.Effect<unknown, E>) =>
    Effect.map(
      paced({ count: 400, perSecond: 100, each: one }),
      (all) => median(Array.map(all, ({ took }) => took)) * 1_000
    )
  return {
    row: "parts: a transaction of one statement, 100 a second",
    value: yield* each((index) => ours.within(ours.change(index))),
    unit: "µs",
    beside: { what: "µs by @effect/sql's own", value: yield* each((index) => theirs.within(theirs.change(index))) },
    means: "what a publish waits for beside the disk, in memory"
  }
}).pipe(inMemory)

const publishAll = Effect.flatMap(
  StageEvents,
  (events) =>
    Effect.forEach(Array.range(1, workItems), (index) => events.publish(changed(index, workItems)), {
      concurrency: "unbounded",
      discard: true
    })
)

const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`

/** Settling and claiming, by as many lanes at once as there are requests in flight, without sending anything. */
const turns = Effect.gen(function*() {
  const outbox = yield* Outbox
  const config = yield* PlaneConfig
  const { stages } = yield* projectConfig
  yield* outbox.becomeLeader({ holder: "bench" })
  const claim = {
    projects: ["ET", ""],
    urgentAfter: 600_000,
    plan: planBy(config, stages)
  }
  yield* publishAll
  let done = 0
  const worker = Effect.gen(function*() {
    let settlement: Settlement | undefined
    for (;;) {
      const job: Job | undefined = yield* outbox.turn({ holder: "bench", settlement, claim })
      if (job === undefined) return
      settlement = settled(job, MonotonicMillis(0))
      done += 1
    }
  })
  const millis = yield* timed(Effect.all(Array.replicate(worker, concurrency), { concurrency, discard: true }))
  return millis * 1_000 / done
}).pipe(Effect.scoped, Effect.provide(publishingInMemory))

/** A Plane that answers within this process, with next to no work. */
const answering = Effect.map(projectConfig, ({ id: projectId, identifier: projectIdentifier }) => {
  const item = (number: number, state: string | null) => ({
    id: idOf(number),
    sequence_id: number,
    name: "A task",
    project: projectId,
    state,
    updated_at: "2026-01-01T00:00:00.000000Z"
  })
  const bodyOf = (method: string, path: string) => {
    const key = /-(\d+)\/$/.exec(path)?.[1]
    if (method === "POST") return { id: idOf(0) }
    return key === undefined
      // The probe and the list of states get the same answer: each takes the fields it knows.
      ? { id: projectId, identifier: projectIdentifier, results: [], next_page_results: true }
      : item(Number(key), null)
  }
  let requests = 0
  const client = HttpClient.make((request, { pathname }) =>
    Effect.sync(() => {
      requests += 1
      const sent = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
      const state = /"state":"([^"]+)"/.exec(sent)?.[1]
      const body = JSON.stringify(
        request.method === "PATCH"
          ? item(Number(/(\d{12})\/$/.exec(pathname)?.[1]), state ?? null)
          : bodyOf(request.method, pathname)
      )
      return HttpClientResponse.fromWeb(
        request,
        new Response(body, { headers: { "content-length": String(body.length) } })
      )
    }).pipe(Effect.zipLeft(Effect.yieldNow()))
  )
  return { layer: Layer.succeed(HttpClient.HttpClient, client), count: Effect.sync(() => requests) }
})

/** All of our side's work for a request, except the connection. */
const pipelineAlone = Effect.gen(function*() {
  const { count, layer } = yield* answering
  const millis = yield* timed(Effect.zipRight(publishAll, delivered)).pipe(
    Effect.provide(Layer.provide(
      pipelineInMemory({ ORCH_PLANE_API_TOKEN: "token", ORCH_PLANE_RATE_LIMIT: "1000000/second" }),
      layer
    ))
  )
  return millis * 1_000 / (yield* count)
})

/** Where the time of a request in `end-to-end` goes. */
export const row: Row = {
  name: "parts",
  description:
    "what end-to-end and publish are made of: a statement, a transaction, a turn of a lane, a request without a network; and what metrics cost",
  onDemand: true,
  measure: Effect.gen(function*() {
    const turn = yield* medianOf(turns)
    const request = yield* medianOf(pipelineAlone)
    return [yield* statement, yield* transaction, yield* aPublish, {
      row: "parts: a request, in memory and without a network",
      value: request,
      unit: "µs",
      beside: { what: "µs of it to settle, commit and claim", value: turn },
      means: "what our side does for a request, 500 work items, 8 at once"
    }]
  })
}
