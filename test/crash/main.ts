import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Cause, Console, Effect, Exit, Layer, Option, Schema } from "effect"
import { write } from "./Document.js"
import { Failed, run } from "./Run.js"

/**
 * The crash run. The real program is killed by SIGKILL again and again, under steady load and with a Plane that fails
 * at random. In the end the simulated Plane's records must show every accepted event once, in order, and the latest
 * state.
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
  Options.withDescription("writes the last table into docs/reliability.md")
)

/** The files of a failed run are kept, because the database and the logs show what went wrong. */
const command = Command.make("crash", { kills, seed, write: document }, (options) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const directory = yield* files.makeTempDirectory({ prefix: "plane-sync-crash-" })
    yield* Effect.gen(function*() {
      const ended = yield* Effect.scoped(run({ ...options, directory }))
      if (ended.failed) return yield* new Failed()
      if (options.write) yield* write(ended, options)
    }).pipe(
      Effect.onExit((exit) =>
        Exit.isSuccess(exit) ? Effect.orDie(files.remove(directory, { recursive: true })) : Effect.void
      )
    )
  })).pipe(
    Command.withDescription("Kills the program by SIGKILL under load and judges what a simulated Plane has in the end.")
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
