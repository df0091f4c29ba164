import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as ValidationError from "@effect/cli/ValidationError"
import { Console, Effect, Layer, Logger } from "effect"
import { connections } from "../base/Connections.js"
import { version } from "../base/Version.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { RateBudget } from "../plane/RateBudget.js"
import { backup } from "./Backup.js"
import { asksHelp, checkWords } from "./CheckWords.js"
import { comment } from "./Comment.js"
import { dead } from "./Dead.js"
import { checkup, doctor } from "./Doctor.js"
import { events } from "./Events.js"
import { explainItem } from "./ExplainItem.js"
import { find } from "./Find.js"
import { lineOf, rootLine } from "./Help.js"
import { helpText } from "./HelpText.js"
import { init } from "./Init.js"
import { loggingLayer } from "./Logging.js"
import { notices } from "./Notices.js"
import { probe } from "./Probe.js"
import { publish } from "./Publish.js"
import { reconcile } from "./Reconcile.js"
import { task } from "./Task.js"
import { WrongUse } from "./WrongUse.js"

const asking = Layer.provideMerge(Layer.merge(RateBudget.layer, connections), loggingLayer)

const plane = Layer.provideMerge(projectsLayer, asking)

const commandsOf = <E, R>(serving: Effect.Effect<void, E, R>) =>
  [
    // It reads the settings of its logs itself, together with all others.
    Command.make("serve", {}, () => serving).pipe(Command.withDescription(lineOf("serve"))),
    Command.provide(init(checkup), asking),
    Command.provide(publish, loggingLayer),
    Command.provide(events, loggingLayer),
    Command.provide(dead, loggingLayer),
    Command.provide(notices, loggingLayer),
    Command.provide(task, loggingLayer),
    Command.provide(explainItem, loggingLayer),
    Command.provide(backup, loggingLayer),
    // It tells of the settings of logs, too, and says itself what would be logged.
    Command.provide(doctor, Logger.remove(Logger.defaultLogger)),
    Command.provide(reconcile, loggingLayer),
    Command.provide(probe, plane),
    Command.provide(find, plane),
    Command.provide(comment, plane)
  ] as const

/** Turns what the parser refuses into wrong use. The parser has told why. */
export const withWrongUse = <A, E, R>(parsed: Effect.Effect<A, E, R>) =>
  Effect.catchIf(parsed, ValidationError.isValidationError, () => new WrongUse())

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
  const known = { root: root.descriptor, below: commands.map(({ descriptor }) => descriptor) }
  const help = Effect.suspend(() => Console.log(helpText(known, args)))
  return Effect.zipRight(checkWords(known, args), asksHelp(args) ? help : parse(argv)).pipe(
    withWrongUse,
    // The parser's own options are the same for every command, and would hide the command's.
    Effect.provide(CliConfig.layer({ showBuiltIns: false }))
  )
}
