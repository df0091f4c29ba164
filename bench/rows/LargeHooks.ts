import { Array, Effect, Fiber } from "effect"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import type { Hook } from "../Hooks.js"
import { poster, secret, signed } from "../Hooks.js"
import { timed } from "../Pace.js"
import { temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { startService } from "../ServiceProcess.js"

const mebi = 1024 * 1024
const rounds = 8

/** A push as large as the largest that is taken, and a status beside a commit's text of 25 MB, full of escapes. */
const hooks: ReadonlyArray<Hook> = [
  signed("push", 1, {
    commits: Array.makeBy(31 * mebi / 500, (n) => ({ id: String(n), message: "x".repeat(420), added: ["src/a.ts"] })),
    repository: { id: 1, full_name: "bench/load" }
  }),
  signed("status", 2, {
    id: 1,
    sha: "a",
    context: "ci/build",
    state: "success",
    commit: { message: "<p class=\"a\">b</p>\n".repeat(25 * mebi / 22) },
    repository: { id: 1, full_name: "bench/load" }
  })
]

const measure = Effect.scoped(Effect.gen(function*() {
  const port = yield* freePort
  const health = Effect.promise(async () => (await fetch(`http://127.0.0.1:${port}/health`)).text())
  yield* startService({
    script: "src/main.js",
    env: {
      ORCH_PORT: String(port),
      ORCH_DATABASE_URL: yield* temporaryDatabase,
      ORCH_GITEA_WEBHOOK_SECRET: secret
    },
    port,
    ready: Effect.tryPromise(() => fetch(`http://127.0.0.1:${port}/health`))
  })
  const post = yield* poster(port)
  const longest = (rest: Effect.Effect<boolean>) =>
    Effect.gen(function*() {
      let value = 0
      while (!(yield* rest)) value = Math.max(value, yield* timed(health))
      return value
    })
  let left = 200
  const alone = yield* longest(Effect.sync(() => left-- === 0))
  const sending = yield* Effect.fork(
    Effect.forEach(Array.makeBy(rounds, () => hooks).flat(), (hook) => post(hook))
  )
  const value = yield* longest(Effect.sync(() => sending.unsafePoll() !== null))
  const refused = (yield* Fiber.join(sending)).filter((status) => status !== 202).length
  return { alone, refused, value }
}))

/** What a large hook costs all others. */
export const row: Row = {
  name: "large-hooks",
  description: "/health while hooks of 25 to 31 MiB are received, one after the other",
  measure: Effect.map(measure, ({ alone, refused, value }) => [
    {
      row: "large hooks: /health meanwhile",
      value,
      unit: "ms at most",
      aim: Aim.AtMost({ limit: 100 }),
      beside: { what: "at most, without any hooks", value: alone },
      means: "how long others wait while a work item with a very large description is moved"
    },
    {
      row: "large hooks: not taken",
      value: refused,
      unit: "hooks",
      aim: Aim.AtMost({ limit: 0 }),
      means: `how many of ${rounds * hooks.length} were answered by anything but 202`
    }
  ])
}
