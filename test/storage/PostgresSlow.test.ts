import type { PgClient } from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe } from "vitest"
import type { StorageError } from "../../src/storage/StorageError.js"
import { killed } from "../support/OtherProcess.js"
import { describeCluster } from "../support/Postgres.js"
import { onDatabase } from "../support/PostgresCluster.js"
import { makeTcpProxy } from "../support/TcpProxy.js"
import { failing, goesOn, inTime, newDatabase, oneCluster, opened, sessions } from "./OnCluster.js"

const seconds = Effect.map(Clock.currentTimeMillis, (millis) => millis / 1_000)

const limit = 60_000

// These wait for the limits in src/storage/postgres, which are real seconds. So they wait at the same time.
describeCluster("a Postgres that keeps plane-sync waiting", (cluster) => {
  const server = oneCluster(cluster)

  describe("at the same time", { concurrent: true }, () => {
    it.scopedLive(
      "hangs, as when its machine is gone: all are answered, and it goes on when the network does",
      () =>
        Effect.gen(function*() {
          const one = yield* server
          const url = yield* newDatabase(one)
          const proxy = yield* makeTcpProxy(one.port)
          const { ids, publish, status } = yield* opened(proxy.via(url))
          yield* Effect.all([publish("before"), status, status], { concurrency: 3 })
          const begin = yield* seconds
          yield* proxy.hang
          const asked = yield* Effect.forEach(
            [publish("hung"), status, status, Effect.delay(publish("later"), "2 seconds"), publish("with it")].map((
              ask
            ) => Effect.asVoid<unknown, StorageError, never>(ask)),
            (ask) => failing(ask, "Unreachable"),
            { concurrency: "unbounded" }
          )
          assert.match(asked.map(({ words }) => words).join(), /no answer within 5s/)
          // By then the connections have ended by themselves: what hung is not waited for when the network is back.
          yield* Effect.sleep(`${Math.max(0, 10 - ((yield* seconds) - begin))} seconds`)
          yield* proxy.pass
          yield* goesOn(publish("after"), 1)
          // What was held back on the way arrives now, but none of it was a COMMIT.
          assert.deepStrictEqual(yield* ids, ["before", "after"])
          yield* Effect.sleep("1 second")
          assert.isAtMost((yield* sessions(url)).length, 7)
        }),
      limit
    )

    it.scopedLive(
      "its six connections are taken by slow work: others get theirs or fail, and none leaks",
      () =>
        Effect.gen(function*() {
          const url = yield* newDatabase(yield* server)
          const { storage: { sql, write } } = yield* opened(url)
          const slow = (pause: string) => write(sql`SELECT pg_sleep(${sql.literal(pause)})`)
          const six = <A, E, R>(work: Effect.Effect<A, E, R>) =>
            Effect.all(Array.from({ length: 6 }, () => work), { concurrency: 6 })

          // Work of 3 s: whoever comes meanwhile gets its turn.
          const first = yield* Effect.fork(six(slow("3")))
          yield* Effect.sleep("200 millis")
          const interrupted = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.fork(slow("0.01")))
          yield* Effect.sleep("100 millis")
          yield* Fiber.interruptAll(interrupted)
          yield* six(inTime(slow("0.01")))
          yield* Fiber.join(first)

          // Work of 4.6 s in two statements: whoever comes meanwhile is told that there is no connection.
          const second = yield* Effect.fork(six(write(Effect.zipRight(
            sql`SELECT pg_sleep(2.3)`,
            sql`SELECT pg_sleep(2.3)`
          ))))
          yield* Effect.sleep("200 millis")
          const outcomes = yield* six(failing(slow("0.01"), "Unreachable"))
          assert.match(outcomes.map(({ words }) => words).join(), /timeout exceeded when trying to connect/)
          yield* Fiber.join(second)

          // All six still work, at the same time.
          const begin = yield* seconds
          yield* six(slow("0.5"))
          assert.isBelow((yield* seconds) - begin, 1.5)
          assert.isAtMost((yield* sessions(url)).length, 7)
        }),
      limit
    )

    it.scopedLive(
      "somebody has a lock for long: those who wait for it are told so, and it keeps its lock",
      () =>
        Effect.gen(function*() {
          const url = yield* newDatabase(yield* server)
          const { ids, publish, storage: { read, sql } } = yield* opened(url)
          const held = (others: PgClient) =>
            Effect.gen(function*() {
              yield* others`CREATE TABLE note (words text)`
              yield* others`LOCK TABLE plane_sync_event`
              const [write] = yield* Effect.all([
                failing(publish("waits"), "Busy"),
                failing(read(sql`SELECT id FROM plane_sync_event`), "Busy")
              ], { concurrency: 2 })
              assert.include(write.message, "another transaction, of another process or of the host itself")
              yield* others`INSERT INTO note VALUES ('it goes on')`
            })
          yield* onDatabase(url, (others) => others.withTransaction(held(others)))
          assert.lengthOf(yield* onDatabase(url, (others) => others`SELECT words FROM note`), 1)
          assert.isFalse((yield* goesOn(publish("waits"))).duplicate)
          assert.deepStrictEqual(yield* ids, ["waits"])
        }),
      limit
    )

    it.scopedLive(
      "a process is stopped within a transaction: it does not have its rows for ever",
      () =>
        Effect.gen(function*() {
          const url = yield* newDatabase(yield* server)
          const { storage: { sql, write } } = yield* opened(url)
          const touch = write(sql`UPDATE plane_sync_sender SET seen_at = seen_at + 1`)
          yield* write(sql`INSERT INTO plane_sync_sender (holder, pid, host, since, seen_at)
          VALUES ('stopped', 1, 'elsewhere', 0, 0)`)
          const child = yield* Effect.acquireRelease(
            Effect.sync(() =>
              spawn(process.execPath, [
                "--import",
                "tsx",
                fileURLToPath(new URL("HoldTransaction.ts", import.meta.url)),
                url
              ], { stdio: ["ignore", "pipe", "inherit"] })
            ),
            killed
          )
          yield* Effect.promise(() => once(child.stdout, "data"))
          child.kill("SIGSTOP")
          const begin = yield* seconds
          yield* failing(touch, "Busy")
          yield* goesOn(touch, 12)
          assert.isBelow((yield* seconds) - begin, 12)
          // When it is let go, it learns that its transaction is over.
          const said = Effect.promise(() => once(child.stdout, "data"))
          const waiting = yield* Effect.fork(said)
          child.kill("SIGCONT")
          assert.match(String((yield* Fiber.join(waiting))[0]), /Unreachable|Busy/)
        }),
      limit
    )
  })
})
