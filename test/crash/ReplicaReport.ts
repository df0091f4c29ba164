import type { Findings } from "../../demo/Judge.js"
import type { Leaders } from "./Leaders.js"
import type { Outcomes } from "./Load.js"
import type { Done, ReplicaStep } from "./ReplicaSteps.js"
import { replicaAims, replicaSteps } from "./ReplicaSteps.js"
import type { Strain } from "./Report.js"
import { asTable } from "./Report.js"

/** How often a step was made, and what that met. */
export interface ReplicaRow {
  readonly step: ReplicaStep
  readonly times: number
  /** After how many of them another replica led. */
  readonly led: number
  readonly unclaimed: number
  readonly claimed: number
  readonly sent: number
  readonly answered: number
}

export const replicaRows = (done: ReadonlyArray<Done>): ReadonlyArray<ReplicaRow> =>
  replicaSteps.map((step) => {
    const mine = done.filter((each) => each.step === step)
    const having = (count: (met: NonNullable<Done["met"]>) => number) =>
      mine.filter(({ met }) => met !== undefined && count(met) > 0).length
    return {
      step,
      times: mine.length,
      led: mine.filter(({ led }) => led).length,
      unclaimed: having(({ unclaimed }) => unclaimed),
      claimed: having(({ claimed }) => claimed),
      sent: having(({ sent }) => sent),
      answered: having(({ answered }) => answered)
    }
  })

/** The results of a run. */
export interface ReplicaResult {
  readonly rows: ReadonlyArray<ReplicaRow>
  readonly strain: Strain
  readonly counts: Outcomes
  readonly leaders: Leaders
  readonly findings: Findings
  readonly stale: ReadonlyArray<string>
  readonly atOnce: ReadonlyArray<string>
  readonly unplanned: ReadonlyArray<string>
  /** The replicas that ended by themselves. */
  readonly exits: ReadonlyArray<string>
  readonly tooMany: number
  readonly mostInMinute: number
  readonly limit: number
  readonly isTold: boolean
}

/** Why the run fails, in words. Empty if it passes. A run in which one of its strains never occurred fails too. */
export const replicaProblems = (result: ReplicaResult): ReadonlyArray<string> => {
  const { atOnce, counts, exits, findings, isTold, leaders, rows, stale, strain, tooMany, unplanned } = result
  const all = [
    ...findings.lost.map((line) => `lost: ${line}`),
    ...findings.doubled.map((line) => `doubled: ${line}`),
    ...findings.outOfOrder.map((line) => `out of order: ${line}`),
    ...findings.wrongState.map((line) => `wrong state: ${line}`),
    ...findings.unexpected.map((line) => `never published: ${line}`),
    ...findings.links.map((line) => `link: ${line}`),
    ...stale.map((line) => `stale: ${line}`),
    ...atOnce.map((line) => `two at once for one work item: ${line}`),
    ...unplanned.map((line) => `sent, and not known to the database: ${line}`),
    ...exits.map((line) => `a replica ended: ${line}`),
    ...(tooMany > 0 ? [`Plane has answered 429 ${tooMany} times`] : []),
    ...(isTold ? [] : ["not all was told in time"])
  ]
  const led = (step: ReplicaStep) => rows.find((row) => row.step === step)?.led ?? 0
  const nothing: ReadonlyArray<readonly [count: number, of: string]> = [
    [counts.accepted, "events accepted"],
    ...rows.map(({ step, times }) => [times, `step “${step}”`] as const),
    [leaders.changes, "change of leader"],
    [led("leader stopped"), "leader that was stopped for longer than its lease"],
    [counts.unanswered + counts.refused, "publish that was not accepted at once"],
    [strain.applied, "ambiguous answers to what was applied"],
    [strain.conflicts, "409s adopted"],
    [strain.links, "links made"],
    [strain.edits, "edits of the comment that shows where a task is"]
  ]
  return [...all, ...nothing.flatMap(([count, of]) => count > 0 ? [] : [`this run proves nothing: no ${of}`])]
}

const headings = [
  "step",
  "times",
  "another led",
  "unclaimed",
  "claimed, unsent",
  "sent, unanswered",
  "answered, unsettled",
  "what it is"
]

/** The steps, one line each, for a terminal and as Markdown. */
export const replicaTable = (rows: ReadonlyArray<ReplicaRow>): ReadonlyArray<string> =>
  asTable(
    headings,
    rows.map(({ answered, claimed, led, sent, step, times, unclaimed }) => [
      step,
      ...[times, led, unclaimed, claimed, sent, answered].map(String),
      replicaAims[step]
    ])
  )

/** The end of the run. The last line stands alone, for people who read only that. */
export const replicaClosing = (result: ReplicaResult): ReadonlyArray<string> => {
  const { atOnce, counts, findings, leaders, limit, mostInMinute, rows, stale, strain, tooMany } = result
  const { accepted, doubtful, duplicates, refused, unanswered } = counts
  const kills = rows.reduce((total, { times }) => total + times, 0)
  return [
    `changes of leader ${leaders.changes}, the same anew ${leaders.again}, ` +
    `longest time without one ${(leaders.longestGap / 1000).toFixed(1)} s`,
    `publishes ${accepted + unanswered + refused}: accepted ${accepted}, answered 503 ${refused}, without an answer ` +
    `${unanswered}; of ${doubtful} events that were published again, ${duplicates} had been committed before`,
    `requests ${strain.requests}, at most ${mostInMinute} of ${limit} in a minute for one destination, ambiguous answers ` +
    `${strain.ambiguous} (applied all the same: ${strain.applied}), 409s adopted ${strain.conflicts}, ` +
    `two at once for one work item ${atOnce.length}, links made ${strain.links}, ` +
    `edits of living comments ${strain.edits}`,
    `kills ${kills}, accepted ${accepted}, lost ${findings.lost.length}, doubled ${findings.doubled.length}, ` +
    `out of order ${findings.outOfOrder.length}, wrong state ${findings.wrongState.length}, stale ${stale.length}, ` +
    `429s ${tooMany}`
  ]
}
