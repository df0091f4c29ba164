import * as NodeContext from "@effect/platform-node/NodeContext"
import { ConfigProvider, Console, Effect, Layer } from "effect"
import { exitCode } from "../../src/cli/ExitCode.js"
import { explain } from "../../src/cli/Explain.js"
import { run } from "../../src/cli/Program.js"
import { serve } from "../../src/cli/Serve.js"
import { schemaLayer } from "../../src/Schema.js"

// It checks the settings as always, and must not come any further.
const serving = serve(Effect.dieMessage("a test of the command line serves nobody"))

/** A command line within this process; what it printed, and how it ended. */
export const commandLine = (settings: Readonly<Record<string, string>>) => (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    const err: Array<string> = []
    const live = yield* Console.consoleWith(Effect.succeed)
    const quiet: Console.Console = {
      ...live,
      log: (...parts) => Effect.sync(() => void out.push(parts.join(" "))),
      error: (...parts) => Effect.sync(() => void err.push(parts.join(" ")))
    }
    const exit = yield* run(["node", "plane-sync", ...args], serving).pipe(
      Effect.tapErrorCause(explain),
      Effect.withConsole(quiet),
      Effect.provide(
        Layer.mergeAll(
          NodeContext.layer,
          schemaLayer,
          Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))
        )
      ),
      Effect.exit
    )
    return { code: exitCode(exit), out: out.join("\n"), err: err.join("\n") }
  })
