import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { EventSequence } from "../../src/domain/Ids.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { claim } from "../../src/outbox/Claim.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { Owed, Step } from "../../src/outbox/Plan.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { makeTally } from "../../src/outbox/Tally.js"
import { Storage } from "../../src/StorageLayers.js"
import { migratedUrl } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"

/** A host's client, and the outbox over it. What runs outside of a transaction of the host is as another process. */
const hosted = Layer.unwrapScoped(Effect.map(migratedUrl, (url) =>
  Outbox.layer.pipe(
    Layer.provideMerge(Storage.layerSql),
    Layer.provideMerge(Layer.orDie(PgClient.layer({ url, maxConnections: 10 })))
  )))

const holder = "me"

const event = (id: string, key: string, stage = "review"): NewEvent => ({
  id,
  workItem: key,
  lane: NormalizedKey(key),
  body: JSON.stringify({ type: "stage_changed", workItem: key, from: "created", to: stage }),
  stage,
  urgent: false,
  occurredAt: EpochMillis(0),
  publishedAt: EpochMillis(0),
  project: "ET",
  unfit: undefined
})

const look = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }

const publish = (...events: ReadonlyArray<NewEvent>) =>
  Effect.flatMap(Outbox, (outbox) => Effect.forEach(events, outbox.publish, { discard: true }))

/** A transaction of the host that has done `work`, and stays open until it is told to end. */
const open = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const done = yield* Deferred.make<void>()
    const end = yield* Deferred.make<void, "undone">()
    const fiber = yield* Effect.fork(sql.withTransaction(
      work.pipe(Effect.zipLeft(Deferred.succeed(done, undefined)), Effect.zipLeft(Deferred.await(end)))
    ))
    yield* Effect.raceFirst(Deferred.await(done), Effect.flatMap(Fiber.join(fiber), () => Effect.void))
    return {
      commit: Effect.zipRight(Deferred.succeed(end, undefined), Fiber.join(fiber)),
      rollBack: Effect.zipRight(Deferred.fail(end, "undone"), Fiber.await(fiber))
    }
  })

const fed = Effect.flatMap(
  Outbox,
  (outbox) => Effect.map(outbox.eventsAfter(EventSequence(0), 100), (events) => events.map(({ id }) => id))
)

const atOnce = Effect.timeoutFail({ duration: "1500 millis", onTimeout: () => "it waits" })

describePostgres("the outbox among others' transactions", () => {
  it.scopedLive(
    "two claims at the same time give a lane to one, and none is claimed by nobody",
    () =>
      Effect.gen(function*() {
        const outbox = yield* Outbox
        const { sql, write } = yield* Storage
        yield* outbox.becomeLeader({ holder })
        for (let race = 0; race < 200; race++) {
          yield* publish(event(`one-${race}`, "ET-1"), event(`two-${race}`, "ET-2"))
          yield* outbox.fold({ holder })
          const jobs = yield* Effect.forEach(
            ["me", "other", "third"],
            (holder) => write(claim(sql, makeTally(sql), holder, look, EpochMillis(1))),
            { concurrency: "unbounded" }
          )
          const lanes = jobs.flatMap((job) => job === undefined ? [] : [job.lane.name])
          assert.strictEqual(new Set(lanes).size, lanes.length, `race ${race}: ${lanes.join()}`)
          assert.isAtLeast(lanes.length, 1)
          yield* write(sql`UPDATE plane_sync_lane SET holder = NULL`)
        }
      }).pipe(Effect.provide(hosted)),
    90_000
  )

  it.scopedLive("a publish does not wait for a host's transaction that publishes to the same new lane, or to another", () =>
    Effect.gen(function*() {
      const host = yield* open(publish(event("first", "ET-1"), event("second", "ET-2")))
      yield* atOnce(publish(event("third", "ET-1"), event("fourth", "ET-2"), event("fifth", "ET-3")))
      yield* host.commit
      assert.deepStrictEqual(yield* fed, ["first", "second", "third", "fourth", "fifth"])
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("a publish does not wait for the fold of its lane, nor the fold for it", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      yield* publish(event("known", "ET-1"))
      yield* outbox.fold({ holder })
      const host = yield* open(publish(event("first", "ET-1"), event("second", "ET-2")))
      yield* publish(event("third", "ET-1"), event("fourth", "ET-2"))
      yield* atOnce(outbox.fold({ holder }))
      yield* host.commit
      assert.deepInclude(yield* outbox.status, { pending: 5 })
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("two hosts' transactions that publish to two new lanes in opposite order both end", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const both = yield* Effect.makeLatch()
      let waiting = 0
      const meet = Effect.suspend(() => (waiting += 1) === 2 ? both.open : both.await)
      const inOrder = (name: string, ...keys: readonly [string, string]) =>
        sql.withTransaction(
          publish(event(`${name}-1`, keys[0])).pipe(
            Effect.zipRight(meet),
            Effect.zipRight(publish(event(`${name}-2`, keys[1])))
          )
        )
      yield* atOnce(Effect.all([inOrder("a", "ET-1", "ET-2"), inOrder("b", "ET-2", "ET-1")], { concurrency: 2 }))
      assert.lengthOf(yield* fed, 4)
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("the feed waits for what may be committed late, and skips nothing", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* publish(event("before", "ET-1"))
      const late = yield* open(publish(event("late", "ET-1")))
      const undone = yield* open(publish(event("undone", "ET-2")))
      yield* publish(event("after", "ET-3"))
      assert.deepStrictEqual(yield* fed, ["before"])
      yield* undone.rollBack
      assert.deepStrictEqual(yield* fed, ["before"])
      yield* late.commit
      assert.deepStrictEqual(yield* fed, ["before", "late", "after"])
      // It is late for the feed alone.
      assert.deepInclude(yield* outbox.status, { pending: 3 })
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("the feed also waits for one that began to write later than the one that is there already", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE host_rows (id integer)`
      const published = yield* Effect.makeLatch()
      const old = yield* Effect.fork(sql.withTransaction(
        Effect.zipRight(sql`INSERT INTO host_rows VALUES (1)`, published.await).pipe(
          Effect.zipRight(publish(event("second", "ET-1")))
        )
      ))
      yield* Effect.sleep("100 millis")
      const late = yield* open(publish(event("first", "ET-2")))
      yield* published.open
      yield* Fiber.join(old)
      assert.deepStrictEqual(yield* fed, [])
      yield* late.commit
      assert.deepStrictEqual(yield* fed, ["first", "second"])
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("a transaction of the host that publishes thousands of events, and undoes some, holds one lock", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const nested = sql.withTransaction(Effect.zipRight(publish(event("undone", "ET-1")), Effect.fail("undone")))
      const host = yield* open(
        Effect.zipRight(
          Effect.flip(nested),
          publish(...Array.from({ length: 300 }, (_, n) => event(`event-${n}`, `ET-${n}`)))
        )
      )
      const locks = sql<{ n: number }>`SELECT CAST(count(*) AS integer) AS n FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 2
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      assert.deepStrictEqual(yield* locks, [{ n: 1 }])
      yield* publish(event("after", "ET-1"))
      assert.deepStrictEqual(yield* fed, [])
      yield* host.commit
      assert.lengthOf(yield* fed, 100)
      assert.deepStrictEqual(yield* locks, [{ n: 0 }])
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("an event that comes late is told, and the state of the later stage stays", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      const host = yield* open(publish(event("late", "ET-1", "review")))
      yield* publish(event("later stage", "ET-1", "done"))
      yield* outbox.fold({ holder })
      yield* host.commit
      yield* outbox.fold({ holder })
      let owed: Owed | undefined
      const plan = (all: Owed): Step => {
        owed = all
        return { _tag: "Look" }
      }
      yield* outbox.turn({ holder, claim: { ...look, plan } })
      assert.deepStrictEqual(owed?.comments.map(({ id }) => id), ["late", "later stage"])
      assert.strictEqual(owed?.state?.id, "later stage")
      assert.deepInclude(yield* outbox.workItem(NormalizedKey("ET-1"), 10), { owed: 2 })
    }).pipe(Effect.provide(hosted)))

  it.scopedLive("what changes many lanes waits for the leader's turn, and sums stay right", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql, write } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      const unfit = (n: number): NewEvent => ({ ...event(`unfit-${n}`, "ET-1"), lane: undefined, unfit: "no key" })
      const rounds = Effect.forEach(Array.from({ length: 30 }), (_, round) =>
        Effect.gen(function*() {
          yield* Effect.forEach([1, 2, 3], (n) => outbox.publish(unfit(10 * round + n)))
          yield* Effect.all(
            [outbox.fold({ holder }), outbox.discard({ code: "unfit" }), outbox.prune(EpochMillis(0))],
            {
              concurrency: "unbounded"
            }
          )
        }))
      yield* rounds
      yield* outbox.fold({ holder })
      const counted: Effect.Effect<ReadonlyArray<unknown>, SqlError> = sql`SELECT status, events FROM plane_sync_count
        WHERE events <> (SELECT count(*) FROM plane_sync_event e WHERE e.status = plane_sync_count.status)`
      assert.deepStrictEqual(yield* write(counted), [])
    }).pipe(Effect.provide(hosted)))
})
