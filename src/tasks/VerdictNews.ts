import { Option } from "effect"
import { createHash } from "node:crypto"
import { cleanText, reasonLimit, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { Page } from "./QualityGate.js"
import { Verdict } from "./QualityGate.js"
import type { VerdictWord } from "./Task.js"

/** A stored verdict, with what is remembered of it. */
export interface KnownVerdict {
  readonly gate: string
  /** The stage that the gate was asked about. Null in a row of an older version. */
  readonly stage: Stage | null
  readonly verdict: VerdictWord
  readonly reason?: string | undefined
  readonly since: EpochMillis
  readonly at: EpochMillis
  /** What makes the failure that was told last. Null once the gate holds again. */
  readonly told: string | null
  /** The gate held when a stage that names it was left. */
  readonly held: boolean
  /** Where people see the failure, until the gate holds. */
  readonly page?: Page | null | undefined
  /** How many failures of it were told at its stage since it held last. */
  readonly failed: number
}

/** What a gate answered. */
export interface Answer {
  readonly gate: string
  /** The stage that it was asked about. */
  readonly stage: Stage
  readonly isOfTask: boolean
  /** None when it gave none. */
  readonly verdict: Verdict | undefined
}

/** A failure that is to be told. */
export interface Failure {
  readonly gate: string
  readonly reason: string
  readonly sameAs: string | undefined
}

/** What the answers of a round change. */
export interface VerdictNews {
  /** The verdicts that are to be stored. */
  readonly changed: ReadonlyArray<KnownVerdict>
  /** Those that say another word than before. A gate that was not asked before counts as pending. */
  readonly turned: ReadonlyArray<KnownVerdict>
  /** Whether a verdict says something else than before, or a failure is told. */
  readonly isNews: boolean
  readonly failures: ReadonlyArray<Failure>
  /** The gates that hold again after a failure that was told. */
  readonly well: ReadonlyArray<string>
  /** The page of the latest failure that people can see: none where nothing fails. Undefined: the same as before. */
  readonly shown: Option.Option<Page> | undefined
}

/** What makes a failure the same. Nothing is cut before it is compared, so what is long is hashed. */
const identity = (text: string): string =>
  text.length <= textLimit ? text : createHash("sha256").update(text).digest("hex")

/**
 * A verdict as it is stored, and what makes it the same if it is a failure, or is one when the gate has held before.
 */
interface Said {
  readonly verdict: VerdictWord
  readonly reason: string | undefined
  readonly same: string
  readonly sameAs: string | undefined
  readonly isLost: boolean
  readonly page?: Page | undefined
}

const clean = (text: string) => cleanText(text, reasonLimit)

const said = Verdict.$match({
  Passed: (): Said => ({ verdict: "passed", reason: undefined, same: "", sameAs: undefined, isLost: false }),
  Failed: ({ page, reason, sameAs }): Said => ({
    verdict: "failed",
    reason: clean(reason),
    same: identity(sameAs ?? clean(reason)),
    sameAs: sameAs === undefined ? undefined : identity(sameAs),
    isLost: false,
    page
  }),
  Pending: ({ isLost = false, sameAs, why }): Said => ({
    verdict: "pending",
    reason: clean(why),
    same: identity(sameAs ?? clean(why)),
    sameAs: sameAs === undefined ? undefined : identity(sameAs),
    isLost
  })
})

/**
 * What is news in the answers of a round: which verdicts to store, which failures to tell, and which gates hold again.
 * A failure is told once: a gate of the present stage tells each change of it, and the same failure again after it was
 * pending; a gate that is lost, or of a stage before, tells it only if it held when its stage was left, and the same
 * one again only after it held. Several gates that are lost for one reason tell it once.
 */
export const verdictNews = (
  { answers, from, here, known, left, now }: {
    readonly known: ReadonlyArray<KnownVerdict>
    /** In the order of the stages. */
    readonly answers: ReadonlyArray<Answer>
    /** The stage where the task was. */
    readonly from: Stage
    /** The stage where the task is, or comes to rest. */
    readonly here: Stage
    /** The gates of the stages that are left now, because they hold. */
    readonly left: ReadonlySet<string>
    readonly now: EpochMillis
  }
): VerdictNews => {
  const before = new Map(known.map((verdict) => [verdict.gate, verdict]))
  const given = answers.flatMap(({ verdict, ...answer }) =>
    verdict === undefined ? [] : [{ ...answer, ...said(verdict) }]
  )
  const rows = given.map(({ gate, isLost, isOfTask, page, reason, same, sameAs, stage, verdict }) => {
    const old = before.get(gate)
    const isContinued = old !== undefined && (isOfTask || old.stage === null || old.stage === stage)
    const told = isContinued && verdict !== "passed" ? old.told : null
    const held = old?.held === true || left.has(gate)
    // A gate that cannot ask at present repeats its last failure in the same words, but may not know the rest.
    const isRepeated = isContinued && told !== null && old.verdict === "failed" && old.reason === reason
    // While it waits, and when it cannot ask, the page of the last failure is still that.
    const isSamePage = isContinued && (verdict === "pending" || old.reason === reason)
    const isAgain = stage === here && old?.verdict === "pending"
    const isTold = told === same || isRepeated
    const isFailure = verdict === "failed" && (stage === here || held) && (!isTold || isAgain)
    const failedBefore = isContinued && verdict !== "passed" ? old.failed : 0
    return {
      old,
      row: {
        gate,
        stage,
        verdict,
        reason,
        since: isContinued && old.verdict === verdict ? old.since : now,
        at: isContinued && old.verdict === verdict && old.reason === reason ? old.at : now,
        told,
        held,
        page: stage !== here || verdict === "passed" ? null : page ?? (isSamePage ? old.page : null),
        failed: failedBefore + (isFailure ? 1 : 0)
      },
      same,
      sameAs,
      isTurned: verdict !== (isContinued ? old.verdict : "pending"),
      isWell: verdict === "passed" && isContinued && old.told !== null,
      isFailure,
      isLoss: isLost && held && !isTold
    }
  })
  const failing = rows.filter(({ isFailure }) => isFailure)
  const marks = new Map(failing.map(({ row, same }) => [row.gate, same]))
  const isShared = ({ row: { gate }, same }: (typeof rows)[number]) =>
    rows.some((other) =>
      other.row.gate !== gate && other.same === same &&
      (marks.get(other.row.gate) ?? other.row.told) === same
    )
  const losses = rows.filter(({ isLoss }) => isLoss)
  const losing = losses.filter((loss) => {
    const isNew = !isShared(loss)
    marks.set(loss.row.gate, loss.same)
    return isNew
  })
  const stored = rows.map(({ old, row }) => ({ old, row: { ...row, told: marks.get(row.gate) ?? row.told } }))
  const told = new Set([...failing, ...losing])
  const after = stored.map(({ row }) => row)
  // Of a gate that was not asked now, or has not answered, the last verdict is still that.
  const silent = known.filter(({ gate }) => !after.some((row) => row.gate === gate))
  const [shownBefore, shown] = [
    known.filter(({ stage }) => stage === from),
    [...silent, ...after].filter(({ stage }) => stage === here)
  ].map(latestPage)
  return {
    changed: stored.flatMap(({ old, row }) => old !== undefined && isSame(old, row) ? [] : [row]),
    turned: rows.filter(({ isTurned }) => isTurned).map(({ row }) => row),
    isNews: told.size > 0 || stored.some(({ old, row }) => old?.verdict !== row.verdict || old.reason !== row.reason),
    failures: rows.filter((row) => told.has(row)).map(({ row: { gate, reason = "" }, sameAs }) => ({
      gate,
      reason,
      sameAs
    })),
    well: rows.filter(({ isWell }) => isWell).map(({ row }) => row.gate),
    shown: shownBefore?.url === shown?.url ? undefined : Option.fromNullable(shown)
  }
}

/** The page of the verdict that has changed last. */
const latestPage = (verdicts: ReadonlyArray<KnownVerdict>): Page | null | undefined =>
  verdicts.reduce<KnownVerdict | undefined>(
    (latest, one) => one.page && (latest === undefined || one.at >= latest.at) ? one : latest,
    undefined
  )?.page

const isSame = (old: KnownVerdict, row: KnownVerdict) =>
  old.verdict === row.verdict && old.reason === row.reason && old.stage === row.stage && old.since === row.since &&
  old.at === row.at && old.told === row.told && old.held === row.held && old.page?.url === row.page?.url &&
  old.failed === row.failed
