import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Either, Fiber, Option, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { faster } from "../support/MovableClock.js"
import { describeCluster } from "../support/Postgres.js"
import type { Cluster } from "../support/PostgresCluster.js"
import { onDatabase } from "../support/PostgresCluster.js"
import { makeTcpProxy } from "../support/TcpProxy.js"
import { cutSessions, failing, goesOn, newDatabase, oneCluster, opened, refusal, sessions, until } from "./OnCluster.js"

/** Has each commit of an event take 0.7 s. */
const slowCommits = (url: string) =>
  onDatabase(url, (sql) =>
    Effect.all([
      sql`CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END'`,
      sql`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON plane_sync_event DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow()`
    ]))
const quickCommits = (url: string) => onDatabase(url, (sql) => sql`DROP TRIGGER slow ON plane_sync_event`)

const isCommitting = (url: string) =>
  Effect.map(sessions(url), (all) => all.some(({ query, state }) => query === "COMMIT" && state === "active"))

const changeConfiguration = ({ folder }: Cluster, lines: string) =>
  appendFileSync(join(folder, "data", "postgresql.conf"), lines)

describeCluster("a Postgres that goes away", (cluster) => {
  const server = oneCluster(cluster)

  it.scopedLive("is stopped, at once or in peace, and started: typed errors meanwhile, and it goes on by itself", () =>
    Effect.gen(function*() {
      const one = yield* server
      const { ids, publish, status } = yield* opened(yield* newDatabase(one))
      yield* publish("first")
      for (const how of ["immediate", "fast"] as const) {
        yield* one.stop(how)
        yield* failing(publish(how), "Unreachable")
        yield* failing(status, "Unreachable")
        yield* one.start
        assert.isFalse((yield* goesOn(publish(how))).duplicate)
      }
      assert.deepStrictEqual(yield* ids, ["first", "immediate", "fast"])
    }))

  it.scopedLive("all connections are cut, while idle and within transactions: nothing of these is stored", () =>
    Effect.gen(function*() {
      const one = yield* server
      const { ids, publish, storage: { sql, write } } = yield* opened(yield* newDatabase(one))
      yield* Effect.forEach(["a", "b", "c"], publish)
      assert.isAtLeast(yield* one.cutConnections, 1)
      assert.isFalse((yield* goesOn(publish("d"))).duplicate)

      const isCut = yield* Deferred.make<void>()
      const begun = yield* Effect.makeSemaphore(0)
      const insert = (id: string) => sql`INSERT INTO plane_sync_kept (name, value) VALUES (${id}, 'x')`
      const within = (id: string) =>
        write(
          insert(id).pipe(
            Effect.zipLeft(begun.release(1)),
            Effect.zipLeft(Deferred.await(isCut)),
            Effect.zipLeft(insert(`${id} too`))
          )
        )
      yield* sql`CREATE TABLE plane_sync_kept (name text, value text)`
      const waiting = yield* Effect.fork(Effect.forEach([1, 2, 3], (n) => failing(within(`${n}`), "Unreachable"), {
        concurrency: 3
      }))
      yield* begun.take(3)
      yield* one.cutConnections
      yield* Deferred.succeed(isCut, undefined)
      yield* Fiber.join(waiting)
      yield* goesOn(write(insert("after")))
      assert.deepStrictEqual(yield* sql`SELECT name FROM plane_sync_kept`, [{ name: "after" }])
      assert.deepStrictEqual(yield* ids, ["a", "b", "c", "d"])
    }))

  it.scopedLive("is cut while a COMMIT is under way: it says so, and publishing again stores the event once", () =>
    Effect.gen(function*() {
      const url = yield* newDatabase(yield* server)
      const proxy = yield* makeTcpProxy((yield* server).port)
      const { ids, publish, storage: { answersAgain } } = yield* opened(proxy.via(url))
      const unsure = (id: string, cut: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          yield* slowCommits(url)
          const publishing = yield* Effect.fork(Effect.flip(publish(id)))
          yield* until(isCommitting(url))
          yield* cut
          const error = yield* Fiber.join(publishing)
          assert.deepInclude(error, { reason: "Unreachable", unknown: true })
          yield* quickCommits(url)
          return (yield* goesOn(publish(id))).duplicate
        })
      const answered = yield* Effect.fork(answersAgain)
      // The server is told to end before it has committed.
      assert.isFalse(yield* unsure("before", cutSessions(url, "COMMIT")))
      // The server commits, and its answer is lost.
      const lost = Effect.zipRight(
        proxy.hang,
        Effect.zipRight(until(Effect.negate(isCommitting(url))), Effect.zipRight(proxy.cut, proxy.pass))
      )
      assert.isTrue(yield* unsure("after", lost))
      assert.deepStrictEqual(yield* ids, ["before", "after"])
      yield* Effect.timeout(Fiber.join(answered), "1 second")
      // Whoever asks from now on is not told of that, or the leader's next term would end at once.
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(answersAgain, "100 millis")))
    }))

  it.scopedLive("has no connection left, because others have taken all: typed, and it goes on when they leave", () =>
    Effect.gen(function*() {
      const one = yield* server
      yield* one.stop("fast")
      changeConfiguration(one, "max_connections = 20\n")
      yield* one.start
      const url = yield* newDatabase(one)
      const { publish, status } = yield* opened(url)
      yield* Effect.scoped(Effect.gen(function*() {
        const others = yield* PgClient.make({ url: Redacted.make(one.url("postgres")), maxConnections: 30 })
        const takeAll = Effect.flip(Effect.forever(others.reserve))
        // What plane-sync has is cut and taken, until it has come too late for any.
        const isOut = Effect.gen(function*() {
          yield* cutSessions(url, "%")
          yield* takeAll
          return Either.isLeft(yield* Effect.either(publish("first")))
        })
        yield* until(isOut)
        for (const refused of [Effect.asVoid(publish("second")), Effect.asVoid(status)]) {
          assert.match((yield* failing(refused, "Unreachable")).words, /too many clients/)
        }
      }))
      assert.isFalse((yield* goesOn(publish("second"))).duplicate)
    }).pipe(Effect.provide(Reactivity.layer)))

  it.scopedLive("does not let plane-sync in: refused at the start, in words that name no password", () =>
    Effect.gen(function*() {
      const one = yield* server
      const url = new URL(yield* newDatabase(one))
      writeFileSync(join(one.folder, "data", "pg_hba.conf"), "host all app all scram-sha-256\nhost all all all trust\n")
      yield* onDatabase(
        one.url("postgres"),
        (sql) => Effect.all([sql`CREATE ROLE app LOGIN PASSWORD 'right-0x1'`, sql`SELECT pg_reload_conf()`])
      )
      const as = (password: string, database = url.pathname) => {
        const address = new URL(url)
        address.username = "app"
        address.password = password
        address.pathname = database
        return address.href
      }
      yield* Effect.sleep("200 millis")
      for (
        const [address, words] of [
          [as("wrong-0x2"), /password authentication failed for user "app"/],
          [as("right-0x1", "/nowhere"), /database "nowhere" does not exist/],
          [as("right-0x1"), /permission denied for schema public/]
        ] as const
      ) {
        const error = yield* refusal(address)
        assert.strictEqual(error.reason, "Refused", error.message)
        assert.match(error.message, words)
        assert.include(error.message, "ORCH_DATABASE_URL")
        assert.notMatch(error.message, /0x\d/)
      }
    }))

  it.scopedLive("is deaf, because its LISTEN was cut: it is heard again within 20 s, and looks by itself meanwhile", () =>
    Effect.gen(function*() {
      const url = yield* newDatabase(yield* server)
      const other = yield* opened(url)
      // Ten times as fast, so that 20 s are 2.
      const { storage } = yield* faster(10)(opened(url))
      const { elsewhere } = storage
      if (elsewhere === undefined || other.storage.elsewhere === undefined) return assert.fail("nobody listens")
      const { heard, isHearing } = elsewhere
      yield* until(isHearing)
      const listeners = Effect.map(sessions(url), (all) => all.filter(({ query }) => query.startsWith("LISTEN")))
      yield* until(Effect.map(listeners, (all) => all.length === 2))
      const before = yield* heard.mark
      yield* cutSessions(url, "LISTEN%")
      yield* other.storage.elsewhere.tell
      yield* Effect.timeout(heard.since(before), "10 seconds")
      yield* until(isHearing)
      const again = yield* heard.mark
      yield* other.storage.elsewhere.tell
      yield* Effect.timeout(heard.since(again), "5 seconds")

      // While it knows that it does not hear, it looks each 500 ms.
      const deaf = { ...storage, elsewhere: { ...elsewhere, isHearing: Effect.succeed(false) } }
      yield* Effect.gen(function*() {
        const { mark, since } = yield* WakeUps
        yield* Effect.timeout(since(yield* mark), "4 seconds")
      }).pipe(Effect.provide(WakeUps.layer), Effect.provideService(Storage, deaf))
    }))

  it.scopedLive("gets the tables of a newer plane-sync while it is in use: this one notices, and does nothing more", () =>
    Effect.gen(function*() {
      const url = yield* newDatabase(yield* server)
      // Ten times as fast: it looks each 5 s.
      const { publish, status } = yield* faster(10)(opened(url))
      yield* publish("before")
      yield* onDatabase(
        url,
        (sql) => sql`INSERT INTO plane_sync_migrations (migration_id, name) VALUES (9999, 'of a newer one')`
      )
      yield* until(Effect.map(Effect.either(status), Either.isLeft))
      const error = yield* failing(publish("after"), "NewerSchema")
      assert.include(error.message, "run that one")
    }))

  it.scopedLive("fails over to a standby: it cannot be written until that is promoted, and then all goes on", () =>
    Effect.gen(function*() {
      const [former, next] = yield* Effect.all([cluster, cluster], { concurrency: 2 })
      const proxy = yield* makeTcpProxy(former.port)
      const { ids, publish } = yield* opened(proxy.via(yield* newDatabase(former)))
      yield* publish("before")
      yield* Effect.all([former.stop("fast"), next.stop("fast")], { concurrency: 2 })
      const folderOf = ({ folder }: Cluster) => join(folder, "data")
      execFileSync("sh", ["-c", `rm -rf "$1" && cp -a "$0" "$1"`, folderOf(former), folderOf(next)])
      changeConfiguration(next, `port = ${next.port}\nunix_socket_directories = '${next.folder}'\n`)
      writeFileSync(join(folderOf(next), "standby.signal"), "")
      yield* failing(publish("away"), "Unreachable")
      yield* next.start
      yield* proxy.to(next.port)
      const error = yield* failing(publish("not yet"), "ReadOnly")
      assert.include(error.message, "it may not be written")
      assert.deepStrictEqual(yield* ids, ["before"])
      yield* onDatabase(next.url("postgres"), (sql) => sql`SELECT pg_promote()`)
      yield* goesOn(publish("after"))
      assert.deepStrictEqual(yield* ids, ["before", "after"])
    }))
})
