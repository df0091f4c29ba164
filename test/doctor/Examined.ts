import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { DoctorReport } from "../../src/doctor/DoctorReport.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { commandLine } from "../cli/CommandLine.js"
import { folder } from "../http/Server.js"

type Check = DoctorReport["checks"][number]

/** What `plane-sync doctor` said, and how it ended. */
export interface Examined {
  readonly code: number
  readonly err: string
  readonly report: DoctorReport
  /** The lines of one check. */
  readonly of: (name: string) => ReadonlyArray<Check>
  /** The checks that failed or warned, but for those that always do here. */
  readonly trouble: ReadonlyArray<Check>
}

const decode = Schema.decodeSync(Schema.parseJson(DoctorReport))

/** Runs `plane-sync doctor` with these settings, and nothing else. */
export const examine = (settings: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
  Effect.map(commandLine(settings)("doctor", "--json", ...args), ({ code, err, out }): Examined => {
    const report = decode(out)
    return {
      code,
      err,
      report,
      of: (name) => report.checks.filter((check) => check.name === name),
      trouble: report.checks.filter(({ result }) => result === "failed" || result === "warned")
    }
  })

/** The settings that lead to the simulated Plane, and to a file that is not there. */
export const settingsHere = Effect.gen(function*() {
  const { settings } = yield* PlaneSimulator
  return { ...settings, ORCH_DATABASE_URL: `${yield* folder}/plane-sync.sqlite` }
})

/** Runs it against the simulated Plane. */
export const examineHere = (settings: Readonly<Record<string, string>> = {}, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(settingsHere, (here) => examine({ ...here, ...settings }, ...args))

/** One line of a check: how it ended, what was seen, and what mends it. */
export const says = (
  { of }: Examined,
  name: string,
  result: Check["result"],
  seen: RegExp | string,
  mend?: RegExp | string
) => {
  const lines = of(name)
  const matches = (text: string, wanted: RegExp | string) =>
    typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)
  const isSaid = lines.some((line) =>
    line.result === result && matches(line.seen, seen) && (mend === undefined || matches(line.mend ?? "", mend))
  )
  assert.isTrue(isSaid, `${name} ${result} ${String(seen)} → ${String(mend)}\n${JSON.stringify(lines, null, 2)}`)
}
