import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import { Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { version } from "../base/Version.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { projectsLayer } from "../plane/ProjectSettings.js"
import { RateBudget } from "../plane/RateBudget.js"
import { comment } from "./Comment.js"
import { dead } from "./Dead.js"
import { events } from "./Events.js"
import { WrongUse, wrongUse } from "./Failure.js"
import { find } from "./Find.js"
import { footerOf, lineOf, rootLine, subcommandsOf } from "./Help.js"
import { loggingLayer } from "./Logging.js"
import { publish } from "./Publish.js"
import { runServe } from "./Serve.js"
import { task } from "./Task.js"

const plane = PlaneClient.layer.pipe(
  Layer.provideMerge(projectsLayer),
  Layer.provide(RateBudget.layer),
  Layer.provide(connections),
  Layer.provideMerge(loggingLayer)
)

const serve = Command.make("serve", {}, () => runServe).pipe(Command.withDescription(lineOf("serve")))

const root = Command.make("plane-sync", {}, () => runServe).pipe(
  Command.withDescription(rootLine),
  Command.withSubcommands([
    // It reads the settings of its logs together with all others.
    serve,
    Command.provide(publish, loggingLayer),
    Command.provide(events, loggingLayer),
    Command.provide(dead, loggingLayer),
    Command.provide(task, loggingLayer),
    Command.provide(find, plane),
    Command.provide(comment, plane)
  ])
)

// @effect/cli would name the commands beside the group in place of those within it.
const checkSubcommand = ([group = "", word = "-"]: ReadonlyArray<string>) => {
  const names = subcommandsOf(group)
  return names.length === 0 || word.startsWith("-") || names.includes(word)
    ? Effect.void
    : wrongUse(`${group} ${word.slice(0, 80)}: there is no such command, expected ${group} ${names.join(" | ")}`)
}

/** What the parser refuses, it has printed. */
export const withWrongUse = <A, E, R>(parsed: Effect.Effect<A, E, R>) =>
  Effect.catchIf(parsed, ValidationError.isValidationError, () => new WrongUse())

/** The command line, as `process.argv` has it. */
export const run = (argv: ReadonlyArray<string>) => {
  const args = argv.slice(2)
  const parse = Command.run(root, {
    name: "plane-sync",
    version,
    summary: Span.text("makes Plane tell the truth"),
    executable: "plane-sync",
    footer: footerOf(args)
  })
  return Effect.zipRight(checkSubcommand(args), parse(argv)).pipe(
    withWrongUse,
    // Its own options, the same with every command, drown a command's.
    Effect.provide(CliConfig.layer({ showBuiltIns: false }))
  )
}
