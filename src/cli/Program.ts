import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { version } from "../base/Version.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { RateBudget } from "../plane/RateBudget.js"
import { backup } from "./Backup.js"
import { comment } from "./Comment.js"
import { dead } from "./Dead.js"
import { events } from "./Events.js"
import { find } from "./Find.js"
import { footerOf, lineOf, rootLine, subcommandsOf } from "./Help.js"
import { init } from "./Init.js"
import { loggingLayer } from "./Logging.js"
import { publish } from "./Publish.js"
import { task } from "./Task.js"
import { WrongUse, wrongUse } from "./WrongUse.js"

const asking = Layer.provideMerge(Layer.merge(RateBudget.layer, connections), loggingLayer)

const plane = Layer.provideMerge(projectsLayer, asking)

const rootOf = <E, R>(serving: Effect.Effect<void, E, R>) =>
  Command.make("plane-sync", {}, () => serving).pipe(
    Command.withDescription(rootLine),
    Command.withSubcommands([
      // It reads the settings of its logs itself, together with all others.
      Command.make("serve", {}, () => serving).pipe(Command.withDescription(lineOf("serve"))),
      Command.provide(init(Effect.void), asking),
      Command.provide(publish, loggingLayer),
      Command.provide(events, loggingLayer),
      Command.provide(dead, loggingLayer),
      Command.provide(task, loggingLayer),
      Command.provide(backup, loggingLayer),
      Command.provide(find, plane),
      Command.provide(comment, plane)
    ])
  )

// @effect/cli would name the commands beside the group instead of those within it.
const checkSubcommand = ([group = "", word = "-"]: ReadonlyArray<string>) => {
  const names = subcommandsOf(group)
  return names.length === 0 || word.startsWith("-") || names.includes(word)
    ? Effect.void
    : wrongUse(`${group} ${word.slice(0, 80)}: there is no such command, expected ${group} ${names.join(" | ")}`)
}

/** Turns what the parser refuses into wrong use. The parser has told why. */
export const withWrongUse = <A, E, R>(parsed: Effect.Effect<A, E, R>) =>
  Effect.catchIf(parsed, ValidationError.isValidationError, () => new WrongUse())

/** Runs the command line that `process.argv` holds. `serving` is what `serve`, and no command at all, run. */
export const run = <E, R>(argv: ReadonlyArray<string>, serving: Effect.Effect<void, E, R>) => {
  const args = argv.slice(2)
  const parse = Command.run(rootOf(serving), {
    name: "plane-sync",
    version,
    summary: Span.text("shows in Plane what happens to an orchestrator's tasks"),
    executable: "plane-sync",
    footer: footerOf(args)
  })
  return Effect.zipRight(checkSubcommand(args), parse(argv)).pipe(
    withWrongUse,
    // The parser's own options are the same for every command, and would hide the command's.
    Effect.provide(CliConfig.layer({ showBuiltIns: false }))
  )
}
