import { Effect, Exit, Scope } from "effect"
import type { Server } from "node:net"
import { createServer } from "node:net"
import { choose, installed } from "./PostgresBinaries.js"
import { makeCluster } from "./PostgresCluster.js"
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

/**
 * Chooses the server of a whole run of tests. It is started when the first test asks for it, because most runs have no
 * such test, and ends with the run.
 */
export const setup = async () => {
  // Vitest calls this once for each project.
  if (process.env[runVariable] !== undefined) return
  const choice = choose(process.env["ORCH_TEST_DATABASE_URL"], installed)
  if (choice._tag !== "Own") return tell(choice)
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
  tell({ _tag: "Own", port: portOf(server) })
  return async () => {
    server.close()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
