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
      const { cutConnections, freeze, start, stop, thaw, url } = yield* cluster
      const proxy = yield* makeTcpProxy(Number(new URL(url("postgres")).port))
      const sql = yield* PgClient.make({ url: Redacted.make(proxy.via(url("postgres"))), maxConnections: 1 })
      const numbers = Effect.map(
        sql<{ number: number }>`SELECT number FROM a`,
        (rows) => rows.map(({ number }) => number)
      )
      yield* sql`CREATE TABLE a (number int)`
      for (const [number, how] of [[1, "immediate"], [2, "fast"]] as const) {
        yield* sql`INSERT INTO a (number) VALUES (${number})`
        yield* stop(how)
        assert.strictEqual((yield* Effect.flip(numbers))._tag, "SqlError")
        yield* start
      }
      assert.deepStrictEqual(yield* numbers, [1, 2])

      assert.strictEqual(yield* cutConnections, 1)
      yield* Effect.retry(numbers, { times: 1 })

      yield* freeze
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(Effect.disconnect(numbers), "200 millis")))
      yield* thaw
      assert.deepStrictEqual(yield* numbers, [1, 2])

      yield* proxy.hang
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(Effect.disconnect(numbers), "200 millis")))
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
