import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Array as Arr, Cause, Clock, Console, Data, Effect, Option } from "effect"
import { machine } from "../../bench/Machine.js"
import { whyNoPostgres } from "./OnPostgres.js"
import { between, closing, hasPassed, markdown, remarks, table } from "./Report.js"
import type { Row } from "./Row.js"
import { scaling } from "./Row.js"
import { rows } from "./rows/Rows.js"
import { runRow } from "./Run.js"

/** A row or the run failed, and the output has said why. */
class Failed extends Data.TaggedError("Failed") {}

const hardLimit = "6 minutes"
const document = "docs/reliability.md"

const names = Args.choice(rows.map((row) => [row.name, row]), { name: "row" }).pipe(
  Args.withDescription("rows to run; all, if none is named"),
  Args.repeated
)
const list = Options.boolean("list").pipe(Options.withDescription("Only say which rows there are, and what each shows"))
const subset = Options.choice("subset", ["ci"]).pipe(
  Options.optional,
  Options.withDescription("ci: the rows that every change runs")
)
const write = Options.boolean("write").pipe(Options.withDescription(`Put the table into ${document}`))

/** Runs a row in a new folder. If the row fails, the folder is kept, with its database and log. */
const inFolder = (row: Row) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const directory = yield* files.makeTempDirectory({ prefix: `plane-sync-fault-${row.name}-` })
    const log: Array<string> = []
    const outcome = yield* Effect.scoped(runRow(row, directory, log))
    if (hasPassed(outcome)) {
      yield* files.remove(directory, { recursive: true })
      return outcome
    }
    yield* files.writeFileString(`${directory}/log`, log.join("\n"))
    return { ...outcome, notes: [...outcome.notes, `its log and database are in ${directory}`] }
  })

const say = (lines: ReadonlyArray<string>) => Effect.forEach(lines, (line) => Console.log(line), { discard: true })

const coloured = (line: string) =>
  process.stdout.isTTY
    ? line.replace(/\bpassed$/, "\u001b[32m$&\u001b[0m").replace(/\bFAILED\b/, "\u001b[31m$&\u001b[0m")
    : line

const command = Command.make("faults", { names, list, subset, write }, (options) =>
  Effect.gen(function*() {
    const named = options.names.length > 0
      ? rows.filter((row) => options.names.includes(row))
      : rows.filter((row) => Option.isNone(options.subset) || row.ci === true)
    if (options.list) {
      const width = Math.max(...named.map(({ name }) => name.length))
      return yield* say(
        named.map(({ ci, name, shows }) => `${name.padEnd(width)}  ${ci === true ? "ci" : "  "}  ${shows}`)
      )
    }
    const why = named.some(({ postgres }) => postgres === true) ? whyNoPostgres() : undefined
    const [wanted, skipped] = Arr.partition(named, ({ postgres }) => postgres === true && why !== undefined)
    const notRun = skipped.map(({ name }) => `NOT RUN: ${name}, because ${why}`)
    const begin = yield* Clock.currentTimeMillis
    yield* say([scaling, ""])
    const outcomes = yield* Effect.forEach(wanted, inFolder, { concurrency: 4 })
    const seconds = (((yield* Clock.currentTimeMillis) - begin) / 1_000).toFixed(0)
    const where = `${wanted.length} rows in ${seconds} s · ${yield* machine}`
    yield* say([
      ...table(outcomes).map(coloured),
      "",
      ...remarks(outcomes).map(coloured),
      ...notRun,
      where,
      closing(outcomes, skipped.length)
    ])
    if (options.write) {
      const files = yield* FileSystem.FileSystem
      const text = [scaling, "", markdown(outcomes), "", `${where}: ${closing(outcomes, skipped.length)}.`].join("\n")
      const made = between(yield* files.readFileString(document), "faults", text)
      yield* made === undefined
        ? Console.error(`${document} has no markers for the table`)
        : files.writeFileString(document, made)
    }
    if (!outcomes.every(hasPassed)) return yield* new Failed()
  }).pipe(
    Effect.timeoutOption(hardLimit),
    Effect.flatMap(Option.match({
      onNone: () =>
        Effect.zipRight(
          Console.error(`The run was stopped, because it was not over within ${hardLimit}.`),
          new Failed()
        ),
      onSome: () => Effect.void
    }))
  )).pipe(
    Command.withDescription("Runs the pipeline under faults and judges each by what a simulated Plane has recorded.")
  )

Command.run(command, { name: "npm run faults --", version: "1" })(process.argv).pipe(
  Effect.tapErrorCause((cause) =>
    Option.exists(Cause.failureOption(cause), (error) => error instanceof Failed) || Cause.isInterruptedOnly(cause)
      ? Effect.void
      : Console.error(Cause.pretty(cause))
  ),
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, disablePrettyLogger: true })
)
