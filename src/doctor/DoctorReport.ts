import { Schema } from "effect"
import type { Diagnosis } from "./Doctor.js"
import type { Finding } from "./Finding.js"

/** What findings are called in JSON. */
const tags = { Passed: "passed", Warned: "warned", Failed: "failed", Skipped: "skipped" } as const

/** What all checks together say: the worst of what was found. */
const verdictOf = (findings: ReadonlyArray<Finding>) =>
  findings.some(({ _tag }) => _tag === "Failed")
    ? "failed"
    : findings.some(({ _tag }) => _tag === "Warned")
    ? "warned"
    : "passed"

/** What `plane-sync doctor --json` prints. */
export const DoctorReport = Schema.Struct({
  result: Schema.Literal("passed", "warned", "failed"),
  requests: Schema.Int,
  checks: Schema.Array(Schema.Struct({
    name: Schema.String,
    result: Schema.Literal("passed", "warned", "failed", "skipped"),
    /** What was seen, or why the check was skipped. */
    seen: Schema.String,
    /** The command or setting that mends it. */
    mend: Schema.optionalWith(Schema.String, { exact: true })
  }))
})
export type DoctorReport = typeof DoctorReport.Type

/** What was found, as it is shown. */
export const doctorReport = ({ checked, requests }: Diagnosis): DoctorReport => ({
  result: verdictOf(checked.map(({ finding }) => finding)),
  requests,
  checks: checked.map(({ finding, name }) => ({
    name,
    result: tags[finding._tag],
    seen: finding._tag === "Skipped" ? finding.why : finding.seen,
    ...("mend" in finding ? { mend: finding.mend } : {})
  }))
})
