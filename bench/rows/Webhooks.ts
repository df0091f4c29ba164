import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { Array, Effect, Schedule } from "effect"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { poster, secret, statusHook } from "../Hooks.js"
import { paced } from "../Pace.js"
import { temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { startService } from "../ServiceProcess.js"
import { percentile } from "../Statistics.js"

const perSecond = 500
const seconds = 10
/** The first requests compile the code and open the connections. */
const warmUp = 500

const hooks = Array.makeBy(warmUp + perSecond * seconds, statusHook)

/** How long each hook took, and how many were answered by anything but 202. */
const load = (port: number) =>
  Effect.scoped(Effect.gen(function*() {
    const post = yield* poster(port)
    let refused = 0
    const each = (offset: number) => (index: number) =>
      Effect.map(post(hooks[offset + index] ?? statusHook(offset + index)), (status) => {
        if (status !== 202) refused += 1
      })
    yield* paced({ count: warmUp, perSecond, each: each(0) })
    const sent = yield* paced({ count: perSecond * seconds, perSecond, each: each(warmUp) })
    return { p99: percentile(Array.map(sent, ({ took }) => took), 0.99), refused }
  }))

const bare = Effect.scoped(Effect.gen(function*() {
  const port = yield* freePort
  yield* startService({ script: "bench/BareServer.js", args: [String(port), secret], port })
  return yield* load(port)
}))

/** The whole program, with a Plane that is away. */
const service = (database: string) =>
  Effect.gen(function*() {
    const port = yield* freePort
    const away = yield* freePort
    const process = yield* startService({
      script: "src/main.js",
      env: {
        ORCH_PORT: String(port),
        ORCH_DATABASE_URL: database,
        ORCH_PLANE_API_URL: `http://127.0.0.1:${away}`,
        ORCH_PLANE_API_TOKEN: "plane_api_bench",
        ORCH_GITEA_WEBHOOK_SECRET: secret
      },
      port,
      ready: Effect.flatMap(
        Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}/health`)),
        ({ status }) => status === 200 ? Effect.void : Effect.fail(status)
      )
    })
    return { port, process }
  })

const whole = Effect.scoped(Effect.gen(function*() {
  const { port } = yield* service(yield* temporaryDatabase)
  return yield* load(port)
}))

/** How many hooks were answered 202 and are not processed after a SIGKILL in the middle and a new start. */
const lost = Effect.scoped(Effect.gen(function*() {
  const database = yield* temporaryDatabase
  const accepted: globalThis.Array<string> = []
  yield* Effect.scoped(Effect.gen(function*() {
    const { port, process } = yield* service(database)
    const post = yield* poster(port)
    const sending = paced({
      count: perSecond * 4,
      perSecond,
      each: (index) => {
        const hook = statusHook(index)
        return Effect.map(post(hook), (status) => {
          if (status === 202) accepted.push(hook.digest)
        })
      }
    })
    yield* Effect.all([sending, Effect.delay(process.kill, "2 seconds")], { concurrency: "unbounded" })
  }))
  yield* service(database)
  return yield* Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const pending = sql<
      { pending: number }
    >`SELECT count(*) AS pending FROM plane_sync_webhook WHERE status = 'pending'`
    yield* Effect.repeat(pending, {
      until: ([row]) => row?.pending === 0,
      schedule: Schedule.spaced("200 millis")
    }).pipe(Effect.timeoutOption("30 seconds"))
    const kept = yield* sql<{ digest: string }>`SELECT digest FROM plane_sync_webhook WHERE status <> 'pending'`
    const digests = new Set(kept.map(({ digest }) => digest))
    return { accepted: accepted.length, missing: accepted.filter((digest) => !digests.has(digest)).length }
  }).pipe(Effect.provide(SqliteClient.layer({ filename: database })))
}))

/** What receiving costs the clients that send hooks, and what is left after a crash. */
export const row: Row = {
  name: "webhooks",
  description: "500 signed hooks a second for 10 s with Plane away, and a SIGKILL in the middle of such a load",
  measure: Effect.gen(function*() {
    const without = yield* bare
    const { p99, refused } = yield* whole
    const { accepted, missing } = yield* lost
    return [
      {
        row: "webhooks: 500 a second",
        value: p99,
        unit: "ms p99",
        aim: Aim.AtMost({ limit: Math.max(50, 5 * without.p99) }),
        beside: { what: "a bare server that verifies and stores nothing", value: without.p99 },
        means: "how long a sender waits for its 202, at worst in a hundred (Gitea gives up after 5 s)"
      },
      {
        row: "webhooks: not taken",
        value: refused,
        unit: "hooks",
        aim: Aim.AtMost({ limit: 0 }),
        means: `how many of ${warmUp + perSecond * seconds} were answered by anything but 202`
      },
      {
        row: "webhooks: lost by a SIGKILL",
        value: missing,
        unit: "hooks",
        aim: Aim.AtMost({ limit: 0 }),
        means: `how many of ${accepted} that were answered 202 were not processed after a restart`
      }
    ]
  })
}
