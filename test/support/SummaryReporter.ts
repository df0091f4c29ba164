import type { Reporter } from "vitest/node"
import { notInBrowser, withoutBrowser } from "./Chromium.js"
import { notOnPostgres, runVariable, skippedLine } from "./PostgresRun.js"
import { notByPromtool, withoutPromtool } from "./Promtool.js"

/**
 * Ends the run with one plain line, "N passed, N failed", so that the end of the output tells the result. Lines before
 * it say if there was no Postgres to test on, no browser, or no promtool.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules, errors) => {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    let withoutPostgres = 0
    let withoutChromium = 0
    let unchecked = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1
        if (test.fullName.includes(notOnPostgres)) withoutPostgres += 1
        if (test.fullName.includes(notInBrowser)) withoutChromium += 1
        if (test.fullName.includes(notByPromtool)) unchecked += 1
      }
      // A file that could not be loaded has no tests to fail.
      if (module.state() === "failed" && module.children.size === 0) count.failed += 1
    }
    if (withoutPostgres > 0) console.log(`\n${skippedLine(withoutPostgres, process.env[runVariable])}`)
    if (withoutChromium > 0) console.log(`\n${withoutBrowser(withoutChromium)}`)
    if (unchecked > 0) console.log(`\n${withoutPromtool(unchecked)}`)
    const skipped = count.skipped + count.pending
    console.log(`\n${count.passed} passed, ${count.failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)
  }
}
