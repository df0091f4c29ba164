import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Cause, Console, Effect, Exit, Layer, Option, Schema } from "effect"
import { write } from "./Document.js"
import { runReplicas } from "./ReplicaRun.js"
import { Failed, run } from "./Run.js"

/**
 * The crash run. The real program is killed by SIGKILL again and again, under steady load and with a Plane that fails
 * at random. In the end the simulated Plane's records must show every accepted event once, in order, and the latest
 * state. With `--database postgres`, several replicas share a Postgres, and are also stopped and cut off, and so is
 * Postgres.
 */

const kills = Options.integer("kills").pipe(
  Options.withSchema(Schema.Int.pipe(Schema.between(1, 100_000))),
  Options.withDefault(20),
  Options.withDescription("how often the program is killed")
)
const seed = Options.integer("seed").pipe(
  Options.withDefault(1),
  Options.withDescription("of the load, of the faults and of the moments of the kills")
)

const document = Options.boolean("write").pipe(
  Options.withDescription("writes the results into docs/reliability.md")
)

const database = Options.choice("database", ["sqlite", "postgres"]).pipe(
  Options.withDefault("sqlite"),
  Options.withDescription("postgres: several replicas on a server of the run's own")
)
const replicas = Options.integer("replicas").pipe(
  Options.withSchema(Schema.Int.pipe(Schema.between(2, 9))),
  Options.withDefault(3),
  Options.withDescription("how many replicas, on postgres")
)

/** The files of a failed run are kept, because the database and the logs show what went wrong. */
const command = Command.make(
  "crash",
  { kills, seed, write: document, database, replicas },
  (options) =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectory({ prefix: "plane-sync-crash-" })
      yield* Effect.gen(function*() {
        const { kills, replicas, seed } = options
        const onPostgres = options.database === "postgres"
        const ended = onPostgres
          ? yield* Effect.scoped(runReplicas({ ...options, directory }))
          : yield* Effect.scoped(run({ ...options, directory }))
        if (ended.failed) return yield* new Failed()
        if (!options.write) return
        const given = `--kills ${kills} --seed ${seed}`
        yield* onPostgres
          ? write("crash-postgres", {
            ...ended,
            kills,
            options: `--database postgres --replicas ${replicas} ${given}`
          })
          : write("crash", { ...ended, kills, options: given })
      }).pipe(
        Effect.onExit((exit) =>
          Exit.isSuccess(exit) ? Effect.orDie(files.remove(directory, { recursive: true })) : Effect.void
        )
      )
    })
).pipe(
  Command.withDescription(
    "Kills the program under load, again and again, and judges what a simulated Plane has in the end."
  )
)

Command.run(command, { name: "npm run crash --", version: "1" })(process.argv).pipe(
  Effect.tapErrorCause((cause) =>
    Option.exists(Cause.failureOption(cause), ({ _tag }) => _tag === "Failed") || Cause.isInterruptedOnly(cause)
      ? Effect.void
      : Console.error(Cause.pretty(cause))
  ),
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layer)),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
