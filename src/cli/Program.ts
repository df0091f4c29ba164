import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import { Console, Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { version } from "../base/Version.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { RateBudget } from "../plane/RateBudget.js"
import { backup } from "./Backup.js"
import { comment } from "./Comment.js"
import { dead } from "./Dead.js"
import { events } from "./Events.js"
import { explainItem } from "./ExplainItem.js"
import { find } from "./Find.js"
import { lineOf, rootLine, subcommandsOf } from "./Help.js"
import { helpText } from "./HelpText.js"
import { loggingLayer } from "./Logging.js"
import { probe } from "./Probe.js"
import { publish } from "./Publish.js"
import { reconcile } from "./Reconcile.js"
import { task } from "./Task.js"
import { WrongUse, wrongUse } from "./WrongUse.js"

const plane = Layer.mergeAll(projectsLayer, RateBudget.layer, connections).pipe(
  Layer.provideMerge(loggingLayer)
)

const commandsOf = <E, R>(serving: Effect.Effect<void, E, R>) =>
  [
    // It reads the settings of its logs itself, together with all others.
    Command.make("serve", {}, () => serving).pipe(Command.withDescription(lineOf("serve"))),
    Command.provide(publish, loggingLayer),
    Command.provide(events, loggingLayer),
    Command.provide(dead, loggingLayer),
    Command.provide(task, loggingLayer),
    Command.provide(explainItem, loggingLayer),
    Command.provide(backup, loggingLayer),
    Command.provide(reconcile, loggingLayer),
    Command.provide(probe, plane),
    Command.provide(find, plane),
    Command.provide(comment, plane)
  ] as const

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

// All behind `--` is a value.
const asksHelp = (args: ReadonlyArray<string>) => {
  const end = args.indexOf("--")
  return args.slice(0, end === -1 ? args.length : end).some((word) => word === "--help" || word === "-h")
}

/** Runs the command line that `process.argv` holds. `serving` is what `serve`, and no command at all, run. */
export const run = <E, R>(argv: ReadonlyArray<string>, serving: Effect.Effect<void, E, R>) => {
  const args = argv.slice(2)
  const commands = commandsOf(serving)
  const root = Command.make("plane-sync", {}, () => serving).pipe(
    Command.withDescription(rootLine),
    Command.withSubcommands(commands)
  )
  const parse = Command.run(root, {
    name: "plane-sync",
    version,
    summary: Span.text("shows in Plane what happens to an orchestrator's tasks"),
    executable: "plane-sync"
  })
  // The parser's own help has lines of any length, and names a command without those above it.
  const help = Effect.suspend(() => {
    const below = commands.map(({ descriptor }) => descriptor)
    return Console.log(helpText({ root: root.descriptor, below }, args))
  })
  return Effect.zipRight(checkSubcommand(args), asksHelp(args) ? help : parse(argv)).pipe(
    withWrongUse,
    // The parser's own options are the same for every command, and would hide the command's.
    Effect.provide(CliConfig.layer({ showBuiltIns: false }))
  )
}
