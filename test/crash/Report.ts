import type { Findings } from "../../demo/Judge.js"
import type { Counts } from "./Load.js"
import type { Recorded } from "./Plane.js"
import type { Scene } from "./Scene.js"
import type { Step } from "./Steps.js"
import { aims, steps } from "./Steps.js"

/** What the simulator's records of the requests add up to. */
export interface Strain {
  readonly requests: number
  /** Writes whose answer does not tell whether they were applied. */
  readonly ambiguous: number
  /** The ambiguous writes that were applied. */
  readonly applied: number
  /** Repeated comments that Plane already had. They were answered 409. */
  readonly conflicts: number
  /** Updates of the count of a told gate failure. */
  readonly recounts: number
  /** Edits of the comment that shows where a task is. */
  readonly edits: number
  /** Links that were made, those that were to go again among them. */
  readonly links: number
  /** Changes of the assignees of a work item. */
  readonly assigned: number
}

export const noStrain: Strain = {
  requests: 0,
  ambiguous: 0,
  applied: 0,
  conflicts: 0,
  recounts: 0,
  edits: 0,
  links: 0,
  assigned: 0
}

export const addStrains = (a: Strain, b: Strain): Strain => ({
  requests: a.requests + b.requests,
  ambiguous: a.ambiguous + b.ambiguous,
  applied: a.applied + b.applied,
  conflicts: a.conflicts + b.conflicts,
  recounts: a.recounts + b.recounts,
  edits: a.edits + b.edits,
  links: a.links + b.links,
  assigned: a.assigned + b.assigned
})

const isWrite = ({ method }: Recorded) => method === "POST" || method === "PATCH" || method === "DELETE"

// A late answer is a normal answer. It is ambiguous only if the client has left by then.
const isAmbiguous = (request: Recorded) =>
  isWrite(request) && (request.clientGone || (request.fault !== null && request.fault !== "ApplyLate"))

export const strainOf = (requests: ReadonlyArray<Recorded>): Strain => {
  const ambiguous = requests.filter(isAmbiguous)
  const changed = requests.filter(({ applied, kind, method }) => kind === "comment" && method === "PATCH" && applied)
  const edits = changed.filter(({ body }) => body.includes("<p>Progress")).length
  return {
    requests: requests.length,
    ambiguous: ambiguous.length,
    applied: ambiguous.filter(({ applied }) => applied).length,
    conflicts:
      requests.filter(({ clientGone, fault, kind, status }) =>
        kind === "comments" && status === 409 && fault === null && !clientGone
      ).length,
    recounts: changed.length - edits,
    edits,
    links: requests.filter(({ applied, kind, method }) => kind === "links" && method === "POST" && applied).length,
    assigned:
      requests.filter(({ applied, body, kind, method }) =>
        kind === "item" && method === "PATCH" && applied && body.includes("assignees")
      ).length
  }
}

/** How many kills there were at a step, and how many of them met each state. A kill can meet several, or none. */
export interface Row {
  readonly step: Step
  readonly kills: number
  readonly starting: number
  readonly unmigrated: number
  readonly unclaimed: number
  readonly claimed: number
  readonly sent: number
  readonly answered: number
  readonly settled: number
  readonly torn: number
}

export const rowsOf = (kills: ReadonlyArray<{ readonly step: Step; readonly scene: Scene }>): ReadonlyArray<Row> =>
  steps.map((step) => {
    const scenes = kills.filter((kill) => kill.step === step).map(({ scene }) => scene)
    const having = (is: (scene: Scene) => boolean) => scenes.filter(is).length
    return {
      step,
      kills: scenes.length,
      starting: having(({ starting, unmigrated }) => starting && !unmigrated),
      unmigrated: having(({ unmigrated }) => unmigrated),
      unclaimed: having(({ unclaimed }) => unclaimed > 0),
      claimed: having(({ claimed }) => claimed > 0),
      sent: having(({ sent }) => sent > 0),
      answered: having(({ answered }) => answered > 0),
      settled: having(({ settled }) => settled),
      torn: having(({ torn }) => torn)
    }
  })

/** The results of a run. */
export interface Result {
  readonly rows: ReadonlyArray<Row>
  readonly strain: Strain
  readonly counts: Counts
  readonly findings: Findings
  /** Where assignees are others than those whom a person has assigned. */
  readonly assignees: ReadonlyArray<string>
}

const sum = (rows: ReadonlyArray<Row>, of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0)

/**
 * Why the run fails, in words. Empty if it passes. A run fails too if one of its strains never occurred, because then
 * it shows nothing about it.
 */
export const problemsOf = ({ assignees, counts, findings, rows, strain }: Result): ReadonlyArray<string> => {
  const all = [
    ...findings.lost.map((line) => `lost: ${line}`),
    ...findings.doubled.map((line) => `doubled: ${line}`),
    ...findings.outOfOrder.map((line) => `out of order: ${line}`),
    ...findings.wrongState.map((line) => `wrong state: ${line}`),
    ...findings.unexpected.map((line) => `never published: ${line}`),
    ...findings.links.map((line) => `link: ${line}`),
    ...assignees.map((line) => `assignees: ${line}`)
  ]
  const nothing: ReadonlyArray<readonly [count: number, of: string]> = [
    [counts.accepted, "events accepted"],
    ...rows.map(({ kills, step }) => [kills, step === "random" ? "kills at random" : `kills ${step}`] as const),
    [sum(rows, ({ unmigrated }) => unmigrated), "kills that met a file without its tables"],
    [sum(rows, ({ unclaimed }) => unclaimed), "kills that met a committed event unclaimed"],
    [sum(rows, ({ claimed }) => claimed), "kills that met a claim unsent"],
    [sum(rows, ({ sent }) => sent), "kills that met a request unanswered"],
    [sum(rows, ({ answered }) => answered), "kills that met an answer unsettled"],
    [strain.applied, "ambiguous answers to what was applied"],
    [strain.conflicts, "409s adopted"],
    [strain.recounts, "counts of a gate's failures brought up to date"],
    [strain.edits, "edits of the comment that shows where a task is"],
    [strain.links, "links made"],
    [strain.assigned, "people assigned"]
  ]
  return [...all, ...nothing.flatMap(([count, of]) => count > 0 ? [] : [`this run proves nothing: no ${of}`])]
}

const headings = [
  "killed",
  "kills",
  "not yet leader",
  "no tables",
  "unclaimed",
  "claimed, unsent",
  "sent, unanswered",
  "answered, unsettled",
  "settled just now",
  "torn commit",
  "aimed at"
]

const cellsOf = (row: Row): ReadonlyArray<string> => [
  row.step,
  ...[
    row.kills,
    row.starting,
    row.unmigrated,
    row.unclaimed,
    row.claimed,
    row.sent,
    row.answered,
    row.settled,
    row.torn
  ].map(
    String
  ),
  aims[row.step]
]

/** Rows under headings, in columns, for a terminal and as Markdown. */
export const asTable = (
  headings: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const [head = "", ...body] = lines.map((line) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  )
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body]
}

/** The kills, one line for each step. */
export const table = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => asTable(headings, rows.map(cellsOf))

/** The end of the run. The last line stands alone, for people who read only that. */
export const closing = ({ assignees, counts, findings, rows, strain }: Result): ReadonlyArray<string> => [
  `requests ${strain.requests}, ambiguous answers ${strain.ambiguous} (applied all the same: ${strain.applied}), ` +
  `409s adopted ${strain.conflicts}, counts of gate failures brought up to date ${strain.recounts}, ` +
  `edits of living comments ${strain.edits}, links made ${strain.links}, ` +
  `changes of assignees ${strain.assigned}`,
  `publishes sent again ${counts.resent}, of these committed before (duplicate) ${counts.duplicates}`,
  `kills ${sum(rows, ({ kills }) => kills)}, accepted ${counts.accepted}, lost ${findings.lost.length}, ` +
  `doubled ${findings.doubled.length}, out of order ${findings.outOfOrder.length}, ` +
  `wrong state ${findings.wrongState.length}, assignees wrong ${assignees.length}`
]
