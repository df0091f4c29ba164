import type { Duration } from "effect"
import { Cause, Context, Data, Effect, Layer, Option, Schema } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { Task } from "./Task.js"

/** Where people see why a gate fails: an address by http or https. */
export const Page = Schema.Struct({ title: Schema.String, url: Schema.String })
export type Page = typeof Page.Type

/**
 * What a gate says of a task. A failure is told in Plane, once. A pending gate waits.
 *
 * `sameAs`: two failures of a gate with the same `sameAs` are one failure, whatever their words, so the second is not
 * told again. Without it the words are what makes them the same. It is for words that change by themselves, like
 * "failed after 61 s".
 *
 * `isLost`: nothing will mend this by itself, as when an approval is gone. If the gate held when its stage was left,
 * this is told like a failure. Otherwise it is only what the gate waits for.
 *
 * `page`: where people see the failure. It becomes a link of the work item while the gate is one of the present stage,
 * and does not hold.
 *
 * `againAfter`: all gates are asked again after this time, although there is no new fact about the task. It is for a
 * gate whose answer can change without a word to plane-sync. Of several gates the shortest time counts; less than a
 * second counts as a second, and more than 10 minutes as 10 minutes.
 */
export type Verdict = Data.TaggedEnum<{
  Passed: object
  Failed: {
    readonly reason: string
    readonly sameAs?: string | undefined
    readonly page?: Page | undefined
    readonly againAfter?: Duration.DurationInput | undefined
  }
  Pending: {
    readonly why: string
    readonly isLost?: boolean | undefined
    readonly sameAs?: string | undefined
    readonly againAfter?: Duration.DurationInput | undefined
  }
}>

export const Verdict = Data.taggedEnum<Verdict>()

/** A condition for leaving a stage. The pipeline names the gates of each stage. */
export interface QualityGate {
  readonly name: string
  /**
   * Its verdict does not depend on the stage. Then it is asked once in a round, even if several stages name it. Any
   * other gate is asked about the latest stage that names it, and `task.stage` is that stage.
   */
  readonly isOfTask?: boolean
  /** It is also asked about a task that is done, when there is a new fact about it: what it says can still change. */
  readonly isLasting?: boolean
  /**
   * Asked again whenever there is a new fact about the task, and when the time that a verdict names is over: about the
   * present stage and those before, and, while all gates of the present stage hold, about the next stages. So it may be
   * asked about a stage that the task has not entered, and `task.entry` is always that of the present stage. It may ask
   * other services, and has 30 seconds.
   */
  readonly check: (task: Task) => Effect.Effect<Verdict>
}

/** Holds as soon as there is a task, because a person has moved the work item or started the task by hand. */
export const started: QualityGate = { name: "started", check: () => Effect.succeed(Verdict.Passed()) }

/** Holds when an agent or a script has reported the task's present stage as passed. */
export const reported: QualityGate = {
  name: "reported",
  check: ({ reports, stage }) => {
    const report = reports.find((report) => report.stage === stage)
    if (report === undefined) return Effect.succeed(Verdict.Pending({ why: `nobody has reported on ${stage} yet` }))
    return Effect.succeed(
      report.outcome === "passed"
        ? Verdict.Passed()
        : Verdict.Failed({ reason: Option.getOrElse(report.reason, () => "reported as failed, without a reason") })
    )
  }
}

/**
 * Holds when a person has approved the stage, by `/approve` in a comment, since the task last entered it; fails when a
 * person has rejected it.
 */
export const human: QualityGate = {
  name: "human",
  check: ({ decisions, stage }) => {
    const decision = decisions.find((decision) => decision.stage === stage)
    if (decision === undefined) {
      return Effect.succeed(Verdict.Pending({ why: `a person has to say /approve or /reject to ${stage}` }))
    }
    return Effect.succeed(
      decision.outcome === "approved"
        ? Verdict.Passed()
        : Verdict.Failed({
          reason: `${decision.by}: ${Option.getOrElse(decision.reason, () => "rejected, without a reason")}`
        })
    )
  }
}

/** All gates, by name. */
export class QualityGates
  extends Context.Tag("plane-sync/QualityGates")<QualityGates, ReadonlyMap<string, QualityGate>>()
{
  /**
   * `started`, `reported`, `human` and the given gates. Of two with the same name the later counts, so a host can
   * replace any.
   */
  static readonly make = (gates: ReadonlyArray<QualityGate>): ReadonlyMap<string, QualityGate> =>
    new Map([started, reported, human, ...gates].map((gate) => [gate.name, gate]))

  static readonly layer = (gates: ReadonlyArray<QualityGate>): Layer.Layer<QualityGates> =>
    Layer.succeed(QualityGates, QualityGates.make(gates))
}

const patience = "30 seconds"

/**
 * Asks a gate about a task. Undefined when it gave no verdict, because it died or did not answer in time. That is
 * logged, and the task waits as for a pending gate.
 */
export const ask = ({ check, name }: QualityGate, task: Task): Effect.Effect<Verdict | undefined> =>
  Effect.suspend(() => check(task)).pipe(
    // A check that cannot be interrupted goes on in the background, and nobody waits for it.
    Effect.disconnect,
    Effect.timeoutFail({ duration: patience, onTimeout: () => `no answer within ${patience}` }),
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.interrupt
        : Effect.as(
          Effect.logError(
            `Gate ${name} said nothing of ${task.workItem}: ${cleanLine(String(Cause.squash(cause)), textLimit)}`
          ),
          undefined
        )
    )
  )
