import type { Scope } from "effect"
import { Effect, Redacted, Schema } from "effect"
import { randomBytes } from "node:crypto"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { describe } from "vitest"
import { onDatabase } from "./PostgresCluster.js"
import { notOnPostgres, Run, runVariable } from "./PostgresRun.js"

const run: Run = Schema.decodeUnknownSync(Schema.parseJson(Run))(
  process.env[runVariable] ?? `{"_tag":"None","why":"vitest.config.ts does not name test/support/PostgresSetup.ts"}`
)

/** Like `describe`. Without a Postgres its tests are skipped, and the end of the run says so in one line. */
export const describePostgres = (name: string, tests: () => void): void => {
  if (run._tag === "None") describe.skip(`${name}${notOnPostgres}`, tests)
  else describe(name, tests)
}

const Answer = Schema.parseJson(Schema.Union(
  Schema.Struct({ url: Schema.String }),
  Schema.Struct({ error: Schema.String })
))

/** Asks the process of the run for its server, which it starts at the first question. */
const serverAt = async (port: number) => {
  const answer = Schema.decodeSync(Answer)(await text(connect(port, "127.0.0.1")))
  if ("error" in answer) throw new Error(answer.error)
  return answer.url
}

let server: Promise<string> | undefined

/** The database `postgres` of this run's server, or the one of ORCH_TEST_DATABASE_URL: to make others there. */
export const serverUrl: Effect.Effect<string> = Effect.promise(() => {
  if (run._tag === "None") throw new Error(`describePostgres skips tests without a Postgres: ${run.why}`)
  server ??= run._tag === "Given" ? Promise.resolve(run.url) : serverAt(run.port)
  return server
})

// The quick way where no commit waits for a disk, and the slow one on another's server.
const copied = run._tag === "Own" ? "STRATEGY = file_copy" : ""

let made = 0
const mine = randomBytes(4).toString("hex")

const withDatabase = (server: string, database: string) => {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

const make = (template: string) =>
  Effect.gen(function*() {
    const server = yield* serverUrl
    const name = `plane_sync_test_${mine}_${++made}`
    yield* onDatabase(server, (sql) => sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template} ${copied}`))
    return { name, server }
  })

/**
 * A new and empty database. It is dropped when the scope closes, whoever is still connected.
 */
export const postgresUrl: Effect.Effect<Redacted.Redacted, never, Scope.Scope> = Effect.acquireRelease(
  make("template1"),
  ({ name, server }) => onDatabase(server, (sql) => sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`))
).pipe(Effect.map(({ name, server }) => Redacted.make(withDatabase(server, name))))
