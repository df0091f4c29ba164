import { Effect, Exit, Scope } from "effect"
import { randomBytes } from "node:crypto"
import type { Server } from "node:net"
import { createServer } from "node:net"
import { choose, installed } from "./PostgresBinaries.js"
import { makeCluster, onDatabase } from "./PostgresCluster.js"
import type { Run } from "./PostgresRun.js"
import { runVariable } from "./PostgresRun.js"

const tell = (run: Run) => {
  process.env[runVariable] = JSON.stringify(run)
}

const portOf = (server: Server) => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("it listens on no port")
  return address.port
}

/** What tests, their templates and killed workers have left on another's server. */
const dropAll = (url: string, prefix: string) =>
  onDatabase(url, (sql) =>
    Effect.flatMap(
      sql<{ name: string }>`SELECT datname AS name FROM pg_database WHERE datname LIKE ${`${prefix}%`}`,
      Effect.forEach(({ name }) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`)
    ))

/**
 * Chooses the server of a whole run of tests. It is started when the first test asks for it, because most runs have no
 * such test, and ends with the run.
 */
export const setup = async () => {
  // Vitest calls this once for each project.
  if (process.env[runVariable] !== undefined) return
  const choice = choose(process.env["ORCH_TEST_DATABASE_URL"], installed)
  if (choice._tag === "None") return tell(choice)
  const prefix = `plane_sync_test_${randomBytes(4).toString("hex")}`
  if (choice._tag === "Given") {
    tell({ ...choice, prefix })
    return () => Effect.runPromise(dropAll(choice.url, prefix))
  }
  const scope = Effect.runSync(Scope.make())
  let url: Promise<string> | undefined
  const server = createServer((worker) => {
    worker.on("error", () => undefined)
    url ??= Effect.runPromise(
      makeCluster(choice.folder).pipe(
        Effect.map((cluster) => cluster.url("postgres")),
        Scope.extend(scope)
      )
    )
    url.then((text) => worker.end(JSON.stringify({ url: text })), (error: unknown) => {
      worker.end(JSON.stringify({ error: String(error) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  tell({ _tag: "Own", port: portOf(server), prefix })
  return async () => {
    server.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
