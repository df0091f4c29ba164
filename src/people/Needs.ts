import { Duration, Option } from "effect"
import { cleanText, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { Projects } from "../domain/Projects.js"
import { costWords, countWords, timeWords } from "../domain/ReceiptLines.js"
import type { Stage } from "../domain/Stage.js"
import type { Noted } from "../domain/StageEvent.js"
import { secondsOf } from "../domain/TaskReceipt.js"
import { sumOf } from "../domain/Usage.js"
import { askedApproval } from "../tasks/Entering.js"
import { human } from "../tasks/QualityGate.js"
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
  /** The comment that says it, where the task itself has it made. The first with its id is the only one. */
  readonly comment?: Noted | undefined
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

/** The sign before what a comment asks of people. */
const sign = /^\p{Extended_Pictographic}\s*/u

const verdictOf = ({ known }: TaskRow, stage: string) =>
  known.find((verdict) => verdict.gate === human.name && verdict.stage === stage)?.verdict

/**
 * Its stage waits for a person's word. It is the one comment that is made when the stage is entered, so it is not said
 * a second time.
 */
const approvalOf = (row: TaskRow, projects: Projects["Type"]) => {
  const { pipeline, task: { decisions, entry: id, stage } } = row
  if (verdictOf(row, stage) !== "pending" || decisions.some((decision) => decision.stage === stage)) return []
  return Option.toArray(Option.flatMap(pipeline, ({ byName }) => byName(stage))).flatMap((stage) =>
    askedApproval(row, { id, stage }, projects).map((comment): Need => ({
      ...need("approval", human.name, comment.text.replace(sign, "")),
      comment
    }))
  )
}

/** What an active task needs somebody for now. A task that is not active needs nobody. */
export const needsOf = (
  row: TaskRow,
  { areNamed, ceilings, dead, now, projects }: {
    readonly dead: DeadLetter | undefined
    /** Whether somebody is named whom to ask, or a notice reaches somebody. */
    readonly areNamed: boolean
    readonly ceilings: Ceilings
    readonly now: EpochMillis
    readonly projects: Projects["Type"]
  }
): ReadonlyArray<Need> =>
  row.task.status !== "active" ? [] : [
    ...gatesOf(row),
    ...patienceOf(row, now),
    ...ceilingsOf(row, ceilings),
    ...deadOf(row, dead),
    ...(areNamed ? approvalOf(row, projects) : [])
  ]

/** How a wait ends. */
export interface End {
  readonly state: "answered" | "withdrawn"
  /** The answer, or why nobody is needed any more. */
  readonly why: string
  /** Who has answered, if that is known. */
  readonly by: string | null
}

/**
 * What was said of a stage that waited for a person's word: by a person, or, where a host has a gate `human` of its own,
 * by that. It stands with the task until the stage is entered again, also once the stage is left.
 */
export const approvalGiven = (
  { reason, stage }: { readonly reason: WaitReason; readonly stage: string },
  row: TaskRow | undefined
): End | undefined => {
  if (reason !== "approval" || row === undefined) return undefined
  const decision = row.task.decisions.find((decision) => decision.stage === stage)
  const word = decision?.outcome ?? { passed: "approved", failed: "rejected", pending: undefined }[
    verdictOf(row, stage) ?? "pending"
  ]
  if (word === undefined) return undefined
  const rejected = Option.match(decision?.reason ?? Option.none(), { onNone: () => "", onSome: (why) => `: ${why}` })
  return { state: "answered", why: `${stage} is ${word}${rejected}`, by: decision?.by ?? null }
}

/** Why nobody is needed for a wait any more; undefined while somebody is. */
export const whyOver = (
  { entry, reason, same, stage }: {
    readonly entry: string
    readonly stage: Stage
    readonly reason: WaitReason
    readonly same: string
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
    case "approval":
      return "nobody is asked to approve it any more"
    case "patience":
    case "ceiling":
      return "the settings allow more now"
  }
}
