import { Duration, Option } from "effect"
import { cleanText, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import { costWords, countWords, timeWords } from "../domain/ReceiptLines.js"
import type { Stage } from "../domain/Stage.js"
import { secondsOf } from "../domain/TaskReceipt.js"
import { sumOf } from "../domain/Usage.js"
import type { TaskRow } from "../tasks/TaskRows.js"
import type { Ceilings } from "./PeopleConfig.js"
import type { WaitReason } from "./Wait.js"

/** After so many failures in a row a gate needs somebody. */
const failures = 3

/** The last letter of a work item that died, and that nobody has retried or discarded. */
export interface DeadLetter {
  readonly reason: string
  readonly settledAt: EpochMillis
  /** Nothing can be told of the work item: it is gone, or was never found. */
  readonly isUnreachable: boolean
}

/** What a task needs somebody for, besides its agents' questions. */
export interface Need {
  readonly reason: Exclude<WaitReason, "asked">
  readonly same: string
  /** What is the matter, in plain words, and what a person can do. */
  readonly question: string
  /** Whether a comment can say it. */
  readonly canBeTold: boolean
}

const need = (reason: Need["reason"], same: string, question: string, canBeTold = true): Need => ({
  reason,
  same,
  question: cleanText(question, reasonLimit),
  canBeTold
})

const byHand = "mend it, or overrule the stage"

const gatesOf = ({ known, task: { stage } }: TaskRow) =>
  known.filter((verdict) => verdict.stage === stage && verdict.failed >= failures).map(({ failed, gate, reason }) =>
    need(
      "gate_failed",
      gate,
      `the gate ${gate} has failed ${failed} times in a row at ${stage}${
        reason === undefined ? "" : `: ${reason}`
      }. What to do: ${byHand}.`
    )
  )

const patienceOf = ({ enteredAt, pipeline, task: { stage } }: TaskRow, now: EpochMillis) => {
  const patience = Option.getOrUndefined(Option.flatMap(pipeline, ({ byName }) => byName(stage)))?.patience
  return patience === undefined || enteredAt === null || now < later(enteredAt, patience) ? [] : [need(
    "patience",
    "",
    `the stage ${stage} takes longer than its patience of ${timeWords(Math.floor(Duration.toSeconds(patience)))}. ` +
      `What to do: see what its agent does, and ${byHand}.`
  )]
}

const ceilingsOf = ({ task: { receipt, stage } }: TaskRow, ceilings: Ceilings) => {
  const { costUsd = 0, inputTokens = 0, outputTokens = 0 } = sumOf(receipt.usage)
  const attempts = receipt.stages.find((share) => share.stage === stage)?.attempts ?? 0
  const tokens = inputTokens + outputTokens
  const seconds = secondsOf(receipt)
  const over = (same: string, isOver: boolean, taken: string, most: string) =>
    isOver
      ? [
        need(
          "ceiling",
          same,
          `the task has taken ${taken}, and its ceiling is ${most}. What to do: decide if it goes on.`
        )
      ]
      : []
  return [
    ...over(
      "attempts",
      attempts >= (ceilings.attempts ?? Infinity),
      `${attempts} attempts at ${stage}`,
      String(ceilings.attempts)
    ),
    ...over(
      "hours",
      seconds >= (ceilings.hours ?? Infinity) * 3_600,
      timeWords(seconds),
      `${String(ceilings.hours)} h`
    ),
    ...over(
      "tokens",
      tokens >= (ceilings.tokens ?? Infinity),
      `${countWords(tokens)} tokens`,
      countWords(ceilings.tokens ?? 0)
    ),
    ...over("costUsd", costUsd >= (ceilings.costUsd ?? Infinity), costWords(costUsd), costWords(ceilings.costUsd ?? 0))
  ]
}

const deadOf = ({ enteredAt }: TaskRow, dead: DeadLetter | undefined) =>
  dead === undefined || enteredAt === null || dead.settledAt < enteredAt ? [] : [need(
    "dead_letter",
    "",
    `something could not be told in Plane: ${dead.reason}. What to do: \`plane-sync dead\` shows it; retry or discard it.`,
    !dead.isUnreachable
  )]

/** What an active task needs somebody for now. A task that is not active needs nobody. */
export const needsOf = (
  row: TaskRow,
  { ceilings, dead, now }: {
    readonly dead: DeadLetter | undefined
    readonly ceilings: Ceilings
    readonly now: EpochMillis
  }
): ReadonlyArray<Need> =>
  row.task.status !== "active" ? [] : [
    ...gatesOf(row),
    ...patienceOf(row, now),
    ...ceilingsOf(row, ceilings),
    ...deadOf(row, dead)
  ]

/** Why nobody is needed for a wait any more; undefined while somebody is. */
export const whyOver = (
  { entry, reason, same, stage }: {
    readonly entry: string
    readonly reason: WaitReason
    readonly same: string
    readonly stage: Stage
  },
  row: TaskRow | undefined,
  needs: ReadonlyArray<Need>
): string | undefined => {
  if (row === undefined) return "its task is gone"
  const { task } = row
  if (task.status === "done") return "the task has ended"
  if (task.status === "stopped") return "the task was stopped"
  if (task.entry !== entry) {
    return task.stage === stage ? `the task has entered ${stage} again` : `the task is at ${task.stage} now`
  }
  // While it is paused nothing is asked of it, so nothing has changed.
  if (task.status === "paused" || reason === "asked") return undefined
  if (needs.some((one) => one.reason === reason && one.same === same)) return undefined
  switch (reason) {
    case "gate_failed":
      return `the gate ${same} does not fail any more`
    case "dead_letter":
      return "what could not be told was retried or discarded"
    case "patience":
    case "ceiling":
      return "the settings allow more now"
  }
}
