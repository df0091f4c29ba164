import { assert } from "@effect/vitest"
import type { Scope } from "effect"
import { Clock, Context, Effect, Either, Exit, Layer, Schedule, Scope as Scopes } from "effect"
import { afterAll } from "vitest"
import { EpochMillis } from "../../src/base/Time.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { parseAddress } from "../../src/storage/postgres/Address.js"
import { Storage } from "../../src/storage/Storage.js"
import type { StorageReason } from "../../src/storage/StorageError.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { Storage as Layers } from "../../src/StorageLayers.js"
import type { Cluster } from "../support/PostgresCluster.js"
import { ClusterError, onDatabase } from "../support/PostgresCluster.js"

/** The server of all tests of a file, because it takes a second or two to make one. */
export const oneCluster = (cluster: Effect.Effect<Cluster, never, Scope.Scope>): Effect.Effect<Cluster> => {
  const scope = Effect.runSync(Scopes.make())
  let made: Promise<Cluster> | undefined
  afterAll(() => Effect.runPromise(Scopes.close(scope, Exit.void)), 30_000)
  return Effect.promise(() => made ??= Effect.runPromise(Scopes.extend(cluster, scope)))
}

let databases = 0

/** The address of a new database. It goes with its server. */
export const newDatabase = ({ url }: Cluster): Effect.Effect<string> =>
  Effect.suspend(() => {
    const name = `broken_${++databases}`
    return Effect.as(onDatabase(url("postgres"), (sql) => sql.unsafe(`CREATE DATABASE ${name}`)), url(name))
  })

const layer = (url: string) =>
  Layer.provideMerge(Outbox.layer, Layers.layerPostgres(Either.getOrThrow(parseAddress(url))))

/** Opens plane-sync's storage there, as a process does, and gives a few ways to use it. */
export const opened = (url: string) =>
  Effect.map(Layer.build(layer(url)), (context) => {
    const storage = Context.get(context, Storage)
    const { publish, status } = Context.get(context, Outbox)
    const { read, sql } = storage
    return {
      storage,
      status,
      publish: (id: string) => publish(event(id)),
      ids: Effect.map(
        read(sql<{ id: string }>`SELECT id FROM plane_sync_event ORDER BY sequence`),
        (rows) => rows.map(({ id }) => id)
      )
    }
  })

export type Opened = Effect.Effect.Success<ReturnType<typeof opened>>

/** How opening it fails. */
export const refusal = (url: string) => inTime(Effect.flip(Effect.scoped(Layer.build(layer(url)))))

const event = (id: string): NewEvent => ({
  id,
  workItem: "ET-1",
  lane: NormalizedKey("ET-1"),
  body: `{"type":"task_completed","workItem":"ET-1"}`,
  stage: "done",
  urgent: true,
  occurredAt: EpochMillis(0),
  publishedAt: EpochMillis(0),
  project: "ET",
  unfit: undefined
})

/** Nobody waits longer for an answer, whatever it is. */
const longest = 6_000

/** What each read and each write must hold to: it answers, and soon. */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const begin = yield* Clock.currentTimeMillis
    const result = yield* Effect.either(effect)
    assert.isBelow((yield* Clock.currentTimeMillis) - begin, longest)
    return yield* result
  })

/** It fails in time with a typed error, and nothing of it is stored. */
export const failing = <A, E, R>(effect: Effect.Effect<A, E, R>, ...reasons: ReadonlyArray<StorageReason>) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(inTime(effect))
    if (!(error instanceof StorageError)) return assert.fail(String(error))
    assert.include(reasons, error.reason, error.message)
    assert.isFalse(error.unknown, error.message)
    return error
  })

/** Tries until it succeeds, for up to so many seconds. Each try must be in time. */
export const goesOn = <A, R>(effect: Effect.Effect<A, StorageError, R>, seconds = 3) =>
  Effect.retry(inTime(effect), { times: seconds * 10, schedule: spaced }).pipe(Effect.orDie)

const spaced = Schedule.spaced("100 millis")

/** Waits until it holds. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(holds, { until: (held) => held, schedule: Schedule.spaced("20 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new ClusterError({ words: "it did not come" }) })
  )

interface Session {
  readonly pid: number
  readonly state: string
  readonly query: string
}

/** What plane-sync's connections to a database do, as its server tells. */
export const sessions = (url: string) =>
  onDatabase(url, (sql) =>
    sql<Session>`SELECT pid, state, query FROM pg_stat_activity
      WHERE application_name = 'plane-sync' AND datname = current_database()`)

/** Ends the connections of a database whose last statement is like this. */
export const cutSessions = (url: string, like: string) =>
  onDatabase(url, (sql) =>
    sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
      AND application_name = 'plane-sync' AND query LIKE ${like}`)
