import { Data, Effect } from "effect"
import { hasCode } from "../base/ErrorCode.js"

/** The package that parses the command line is not installed. */
class NoParser extends Data.TaggedError("NoParser") {
  override get message(): string {
    return "its command line needs the package @effect/cli, which a program that only embeds plane-sync does without. " +
      "Install it beside plane-sync: npm install @effect/cli@0"
  }
}

const isNoParser = (error: unknown): boolean =>
  error instanceof Error && hasCode(error) && error.code === "ERR_MODULE_NOT_FOUND" &&
  error.message.includes("'@effect/cli'")

/** Loads the command line. */
export const loadProgram = Effect.promise(() => import("./Program.js")).pipe(
  Effect.catchAllDefect((error) => isNoParser(error) ? new NoParser() : Effect.die(error))
)
