import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, it } from "@effect/vitest"
import { Effect, Option, Redacted, Schema } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { killed } from "./OtherProcess.js"
import { describeCluster } from "./Postgres.js"
import { makeTcpProxy } from "./TcpProxy.js"

const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const Said = Schema.parseJson(Schema.Struct({ folder: Schema.String, processes: Schema.Array(Schema.Number) }))

describeCluster("a server that a test may break", (cluster) => {
  it.scopedLive("stops and starts, keeps what was committed, freezes, and cuts connections", () =>
    Effect.gen(function*() {
      const { cutConnections, freeze, port, start, stop, thaw, url } = yield* cluster
      const proxy = yield* makeTcpProxy(port)
      const address = Redacted.make(proxy.via(url("postgres")))
      const connected = PgClient.make({ url: address, maxConnections: 1 })
      // A connection of its own each time.
      const numbers = Effect.scoped(Effect.flatMap(connected, (sql) => sql<{ number: number }>`SELECT number FROM a`))
        .pipe(
          Effect.map((rows) => rows.map(({ number }) => number))
        )
      const isSilent = Effect.map(Effect.timeoutOption(Effect.disconnect(numbers), "200 millis"), Option.isNone)

      yield* Effect.scoped(Effect.flatMap(connected, (sql) => sql`CREATE TABLE a (number int)`))
      for (const [number, how] of [[1, "immediate"], [2, "fast"]] as const) {
        yield* Effect.scoped(Effect.flatMap(connected, (sql) => sql`INSERT INTO a (number) VALUES (${number})`))
        yield* stop(how)
        assert.strictEqual((yield* Effect.flip(numbers))._tag, "SqlError")
        yield* start
      }
      assert.deepStrictEqual(yield* numbers, [1, 2])

      const open = yield* connected
      const backend = open`SELECT pg_backend_pid()`
      const before = yield* backend
      assert.isAtLeast(yield* cutConnections, 1)
      // The pool may not know yet, and give the same connection once more.
      assert.notDeepEqual(yield* Effect.retry(backend, { times: 4 }), before)

      yield* freeze
      assert.isTrue(yield* isSilent)
      yield* thaw
      assert.deepStrictEqual(yield* numbers, [1, 2])

      yield* proxy.hang
      assert.isTrue(yield* isSilent)
      yield* proxy.pass
    }).pipe(Effect.provide(Reactivity.layer)))

  it.live("ends with its scope, also when it is frozen", () =>
    Effect.gen(function*() {
      const { folder, pids } = yield* Effect.scoped(Effect.gen(function*() {
        const { folder, freeze, processes } = yield* cluster
        const pids = yield* processes
        yield* freeze
        return { folder, pids }
      }))
      assert.isAbove(pids.length, 1)
      assert.isEmpty(pids.filter(alive))
      assert.isFalse(existsSync(folder))
    }))
})

describeCluster("a server whose owner is killed", (_, programs) => {
  it.scopedLive("ends, and nothing of it stays", () =>
    Effect.gen(function*() {
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [
            "--import",
            "tsx",
            fileURLToPath(new URL("ClusterForever.ts", import.meta.url)),
            programs
          ], {
            stdio: ["pipe", "pipe", "inherit"]
          })
        ),
        killed
      )
      const said = yield* Effect.promise(() => Promise.race([once(child.stdout, "data"), once(child, "exit")]))
      const { folder, processes } = yield* Schema.decode(Said)(String(said[0]))
      assert.isTrue(existsSync(folder))
      assert.deepStrictEqual(processes.filter(alive), processes)
      yield* killed(child)
      yield* Effect.iterate(0, {
        while: (tries) => tries < 500 && (processes.some(alive) || existsSync(folder)),
        body: (tries) => Effect.delay(Effect.succeed(tries + 1), "20 millis")
      })
      assert.isEmpty(processes.filter(alive))
      assert.isFalse(existsSync(folder))
    }))
})
