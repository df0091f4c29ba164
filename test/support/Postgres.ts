import type { Scope } from "effect"
import { Effect, Redacted, Schema } from "effect"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { describe } from "vitest"
import { choose, installed } from "./PostgresBinaries.js"
import type { Cluster } from "./PostgresCluster.js"
import { makeCluster, onDatabase } from "./PostgresCluster.js"
import { notOnPostgres, Run, runVariable } from "./PostgresRun.js"

const run: Run = Schema.decodeUnknownSync(Schema.parseJson(Run))(
  process.env[runVariable] ?? `{"_tag":"None","why":"vitest.config.ts does not name test/support/PostgresSetup.ts"}`
)

/** Like `describe`. Without a Postgres its tests are skipped, and the end of the run says so in one line. */
export const describePostgres = (name: string, tests: () => void): void => {
  if (run._tag === "None") describe.skip(`${name}${notOnPostgres}`, tests)
  else describe(name, tests)
}

// A given server is not ours to stop.
const own = run._tag === "None" ? run : choose(undefined, installed)

/**
 * Like `describePostgres`, for tests that stop, freeze or restart a server. Each use of `cluster` makes one, which takes
 * a second or two. `programs` is the folder of the server's programs.
 */
export const describeCluster = (
  name: string,
  tests: (cluster: Effect.Effect<Cluster, never, Scope.Scope>, programs: string) => void
): void => {
  if (own._tag === "Own") describe(name, () => tests(Effect.orDie(makeCluster(own.folder)), own.folder))
  else describe.skip(`${name}${notOnPostgres}`, () => tests(Effect.dieMessage("skipped"), ""))
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

const withDatabase = (server: string, database: string) => {
  const url = new URL(server)
  url.pathname = `/${database}`
  return Redacted.make(url.href)
}

const make = (template: string) =>
  Effect.gen(function*() {
    const server = yield* serverUrl
    const name = `${run._tag === "None" ? "" : run.prefix}_${process.pid}_${++made}`
    yield* onDatabase(server, (sql) => sql.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template} ${copied}`))
    return { name, server, url: withDatabase(server, name) }
  })

/** A new database like `template`. It is dropped when the scope closes, whoever is still connected. */
const copyOf = (template: string): Effect.Effect<Redacted.Redacted, never, Scope.Scope> =>
  Effect.acquireRelease(
    make(template),
    ({ name, server }) => onDatabase(server, (sql) => sql.unsafe(`DROP DATABASE ${name} WITH (FORCE)`))
  ).pipe(Effect.map(({ url }) => url))

/** A new and empty database. It is dropped when the scope closes, whoever is still connected. */
export const postgresUrl: Effect.Effect<Redacted.Redacted, never, Scope.Scope> = copyOf("template1")

/** Like `postgresUrl`, with what `fill` makes in a database. That is done once in this process, and copied. */
export const filledPostgresUrl = <E>(
  fill: (url: Redacted.Redacted) => Effect.Effect<void, E>
): Effect.Effect<Redacted.Redacted, never, Scope.Scope> => {
  let template: Promise<string> | undefined
  const filled = make("template1").pipe(
    Effect.tap(({ url }) => fill(url)),
    // What is connected to cannot be copied, and a pool whose scope has closed may be about to disconnect.
    Effect.tap(({ name, server }) =>
      onDatabase(
        server,
        (sql) => sql`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ${name}`
      )
    ),
    Effect.map(({ name }) => name),
    Effect.orDie
  )
  return Effect.promise(() => template ??= Effect.runPromise(filled)).pipe(Effect.flatMap(copyOf))
}
