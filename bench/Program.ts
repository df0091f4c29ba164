import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Span from "@effect/cli/HelpDoc/Span"
import * as Options from "@effect/cli/Options"
import { Console, Data, Duration, Effect, Fiber, Schema } from "effect"
import { machine } from "./Machine.js"
import { Quick } from "./replicas/Scene.js"
import { exitCode, jsonLine, table, verdict } from "./Report.js"
import { rows } from "./Rows.js"
import { partNames, Parts } from "./rows/Replicas.js"
import { SoakMinutes } from "./rows/Soak.js"

/** With `--strict`: an aim was missed. The output has said which. */
export class AimsMissed extends Data.TaggedError("AimsMissed") {}

const names = Args.choice(rows.map((row) => [row.name, row]), { name: "row" }).pipe(
  Args.withDescription(rows.map((row) => `${row.name}: ${row.description}`).join("; ")),
  Args.repeated
)

const json = Options.boolean("json").pipe(
  Options.withDescription(`One object a row, {"row","value","unit","aim","holds"}, and nothing else on stdout`)
)

const strict = Options.boolean("strict").pipe(
  Options.withDescription("Exit 1 when an aim is missed; the last line names it (with --json: on stderr)")
)

const minutes = Options.integer("minutes").pipe(
  Options.withSchema(Schema.Positive),
  Options.withDefault(30),
  Options.withDescription("How long the row soak takes")
)

const quick = Options.boolean("quick").pipe(
  Options.withDescription("The row replicas is small, to see that it runs: its figures then mean little")
)

const parts = Options.choice("part", partNames).pipe(
  Options.repeated,
  Options.withDescription("Of the row replicas only this; may be given several times")
)

// Measures a row in a fiber that inherits nothing. Otherwise a TestClock that one row was provided with would stay, and
// the next row would wait in it for ever.
const alone = <A, E, R>(measure: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.fork(measure), (fiber) => Effect.flatten(Fiber.await(fiber)))

const bench = Command.make(
  "bench",
  { names, json, minutes, parts, quick, strict },
  ({ json, minutes, names, parts, quick, strict }) =>
    Effect.gen(function*() {
      const wanted = names.length === 0
        ? rows.filter((row) => row.onDemand !== true)
        : rows.filter((row) => names.includes(row))
      const where = yield* machine
      const figures = yield* Effect.forEach(wanted, ({ measure, name }) =>
        Effect.gen(function*() {
          const [took, measured] = yield* Effect.timed(alone(Effect.scoped(measure)))
          // All rows together take minutes, so stderr shows the progress.
          yield* Console.error(`${name}: ${Math.round(Duration.toSeconds(took))} s`)
          if (json) yield* Effect.forEach(measured, (figure) => Console.log(jsonLine(figure)), { discard: true })
          return measured
        }).pipe(Effect.annotateLogs({ row: name }))).pipe(Effect.map((measured) => measured.flat()))
      if (!json) yield* Console.log(`${table(figures)}\n\n${where}`)
      yield* (json ? Console.error : Console.log)(verdict(figures))
      if (exitCode(figures, strict) !== 0) return yield* new AimsMissed()
    }).pipe(
      Effect.provideService(SoakMinutes, minutes),
      Effect.provideService(Quick, quick),
      Effect.provideService(Parts, parts.length === 0 ? partNames : parts)
    )
).pipe(Command.withDescription("Measures plane-sync on this machine and holds the figures against their aims."))

const footer = HelpDoc.blocks([
  HelpDoc.h1("EXAMPLES"),
  HelpDoc.p("$ npm run bench                                 all rows but those that take long"),
  HelpDoc.p("$ npm run bench -- requests publish             these"),
  HelpDoc.p("$ npm run --silent bench -- --json requests     for a program to read"),
  HelpDoc.p("$ npm run bench -- --minutes 60 soak            memory over an hour"),
  HelpDoc.p("$ npm run bench -- --part growth replicas       a part of a row"),
  HelpDoc.p("$ npm run bench -- --strict                     exit 1 when an aim is missed"),
  HelpDoc.h1("EXIT CODES"),
  HelpDoc.p("0 measured, 1 could not be measured or (--strict) an aim is missed, 2 wrong use")
])

/** The command line. */
export const run = Command.run(bench, {
  name: "plane-sync bench",
  version: "1",
  summary: Span.text("what it costs"),
  executable: "npm run bench --",
  footer
})
