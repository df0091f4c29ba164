import type { Outcome } from "./Run.js"

const headings = [
  "row",
  "accepted",
  "delivered",
  "dead",
  "lost",
  "doubled",
  "disorder",
  "wrong state",
  "requests",
  "p99 ms",
  "recovery s",
  "verdict"
]

const cells = (outcome: Outcome): ReadonlyArray<string> => {
  const { doubled, lost, outOfOrder, wrongState } = outcome.findings
  return [
    outcome.row.name,
    String(outcome.accepted),
    String(outcome.delivered),
    String(outcome.dead),
    String(lost.length),
    String(doubled.length),
    String(outOfOrder.length),
    String(wrongState.length),
    String(outcome.requests),
    outcome.publishP99.toFixed(1),
    outcome.recovery === undefined ? "–" : (outcome.recovery / 1_000).toFixed(1),
    hasPassed(outcome) ? "passed" : "FAILED"
  ]
}

export const hasPassed = ({ problems }: Outcome): boolean => problems.length === 0

const isText = (column: number) => column === 0 || column === headings.length - 1

/** Lines of aligned columns: the headings, and a line for each row. */
export const table = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> => {
  const lines = [headings, ...outcomes.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) =>
    line.map((cell, column) => isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))
      .join("  ").trimEnd()
  )
}

// A failed check may have thousands of findings.
const shown = 20

/** Why rows failed, and their remarks. */
export const remarks = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap(({ notes, problems, row }) => [
    ...notes.map((note) => `${row.name}: ${note}`),
    ...problems.slice(0, shown).map((problem) => `${row.name} FAILED: ${problem}`),
    ...(problems.length > shown ? [`${row.name} FAILED: … and ${problems.length - shown} more`] : [])
  ])

/** The last line. */
export const closing = (outcomes: ReadonlyArray<Outcome>, skipped = 0): string => {
  const passed = outcomes.filter(hasPassed).length
  const rest = skipped === 0 ? "" : `, ${skipped} SKIPPED`
  return `${passed} passed, ${outcomes.length - passed} failed${rest}`
}

/** The table for a document, with a description of each row. */
export const markdown = (outcomes: ReadonlyArray<Outcome>): string => {
  const row = (each: ReadonlyArray<string>) => `| ${each.join(" | ")} |`
  const [name = "", ...others] = headings
  return [
    row([name, "what it is", ...others]),
    row(["---", "---", ...others.map((_, index) => isText(index + 1) ? "---" : "--:")]),
    ...outcomes.map((outcome) => {
      const [name = "", ...others] = cells(outcome)
      return row([`\`${name}\``, outcome.row.shows, ...others])
    })
  ].join("\n")
}

/** `document` with the text between two markers replaced. Undefined if it does not have the markers. */
export const between = (document: string, marker: string, text: string): string | undefined => {
  const begin = `<!-- ${marker}:begin -->`
  const end = `<!-- ${marker}:end -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  return from < 0 || to < from
    ? undefined
    : `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`
}
