import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Data, Effect, Either, Option, Schema } from "effect"
import { counted } from "../base/Text.js"
import { diagnose } from "../doctor/Doctor.js"
import { DoctorReport, doctorReport } from "../doctor/DoctorReport.js"
import type { Surveyed } from "../doctor/Surveyed.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { isOfDotEnv, variableNames } from "./DotEnv.js"
import { lineOf } from "./Help.js"
import { invalidOption } from "./ListOptions.js"
import { shownWhole } from "./Table.js"
import { hanging, wrapped } from "./Wrap.js"

/** Something is wrong, and the output has said what. */
class Unwell extends Data.TaggedError("Unwell")<{ readonly message: string }> {}

const strict = Options.boolean("strict").pipe(Options.withDescription("End with 1 for warnings, too"))

const json = Options.boolean("json").pipe(Options.withDescription("Print one JSON object"))

const write = Options.text("write").pipe(
  Options.withPseudoName("key"),
  Options.withDescription("Add a comment to this work item and delete it again, to show that writing is permitted"),
  Options.mapEffect((text) =>
    Either.mapLeft(WorkItemKey.parse(text), (message) => invalidOption(`--write: ${message}`))
  ),
  Options.optional
)

type Check = DoctorReport["checks"][number]

const marks: Readonly<Record<Check["result"], string>> = { passed: "✔", warned: "!", failed: "✘", skipped: "-" }

const colours: Readonly<Record<Check["result"], string>> = {
  passed: "\u001b[32m",
  warned: "\u001b[33m",
  failed: "\u001b[31m",
  skipped: "\u001b[2m"
}

const coloured = (result: Check["result"], line: string) =>
  process.stdout.isTTY ? line.replace(marks[result], `${colours[result]}$&\u001b[0m`) : line

const indent = "  "

/** A check in lines of 80 columns: its mark and name, what was seen, and what mends it. */
const linesOf = ({ mend, name, result, seen }: Check): ReadonlyArray<string> => {
  const [first = "", ...others] = hanging(indent, `${name}: ${shownWhole(seen)}`)
  return [
    coloured(result, `${marks[result]} ${first.slice(indent.length)}`),
    ...others,
    ...(mend === undefined ? [] : hanging(`${indent}→ `, shownWhole(mend)))
  ]
}

/** What is printed for people. */
export const doctorLines = ({ checks, requests }: DoctorReport): ReadonlyArray<string> => {
  const count = (result: Check["result"]) => checks.filter((check) => check.result === result).length
  const summary = `${count("passed")} passed, ${count("warned")} warned, ${count("failed")} failed, ` +
    `${count("skipped")} skipped, by ${counted(requests, "request", "requests")}`
  return [...checks.flatMap(linesOf), "", ...wrapped(summary, "")]
}

const toJson = Schema.encodeSync(Schema.parseJson(DoctorReport))

/** The checks after `plane-sync init`: what they find is told, and what was written stays. */
export const checkup = (surveyed: Surveyed) =>
  Effect.flatMap(
    diagnose({ isOfDotEnv, variableNames, write: undefined, surveyed }),
    (diagnosis) => Console.log(doctorLines(doctorReport(diagnosis)).join("\n"))
  )

/** `plane-sync doctor`: checks what may be wrong, and says what mends it. */
export const doctor = Command.make("doctor", { write, strict, json }, (options) =>
  Effect.gen(function*() {
    const diagnosis = yield* diagnose({ isOfDotEnv, variableNames, write: Option.getOrUndefined(options.write) })
    const report = doctorReport(diagnosis)
    yield* Console.log(options.json ? toJson(report) : doctorLines(report).join("\n"))
    const count = (result: Check["result"]) => report.checks.filter((check) => check.result === result).length
    const failed = count("failed")
    const warned = options.strict ? count("warned") : 0
    if (failed + warned === 0) return
    return yield* new Unwell({
      message: failed > 0
        ? counted(failed, "check failed", "checks failed")
        : `${counted(warned, "check warned", "checks warned")}, and --strict was given`
    })
  })).pipe(Command.withDescription(lineOf("doctor")))
