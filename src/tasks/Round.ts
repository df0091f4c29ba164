import { Duration, Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { unset } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"
import { longestWait } from "./DueTasks.js"
import type { Pipeline, StageGate } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import { ask } from "./QualityGate.js"
import type { Task, TaskId } from "./Task.js"
import type { Answer } from "./VerdictNews.js"

/** A gate that gave no verdict is asked again after this time. */
const silentAgainAfter = Duration.minutes(1)

/** Whether a project has only been renamed in Plane becomes known a moment after the start. */
const leftAgainAfter = Duration.minutes(1)

/** A gate that wants to be asked again at once must not keep a worker busy without a pause. */
const shortestWait = Duration.seconds(1)

/** What the gates of a task say at one time. */
export interface Round {
  /** The stages that the task enters. It comes to rest at the last of them; at none, it stays where it is. */
  readonly entered: ReadonlyArray<PipelineStage>
  /** Of each gate up to the stage where it comes to rest, in the order of the stages. */
  readonly answers: ReadonlyArray<Answer>
  /** No setting names the project of the task, so no gate was asked: when to look again whether it is known by then. */
  readonly lookAgainAfter?: Duration.Duration
}

const nothing: Round = { entered: [], answers: [] }

/**
 * Asks the gates of a task: those of its stage and of the stages before; and as long as all gates of a stage hold, also
 * those of the next one. Only the gates of a stage decide whether it is left. Of a task that is done only the lasting
 * gates are asked.
 */
export const makeRound = (pipelines: Pipeline["Type"], gates: QualityGates["Type"]) => {
  const gateOf = (name: string) => {
    const gate = gates.get(name)
    return gate === undefined
      ? Effect.dieMessage(`the gate ${name} was there when the layer was built`)
      : Effect.succeed(gate)
  }

  // A task of a project that is not set is looked at again and again, and said once.
  const said = new Set<TaskId>()
  const left = ({ id, project, workItem }: Task): Effect.Effect<Round> => {
    if (said.has(id)) return Effect.succeed({ ...nothing, lookAgainAfter: longestWait })
    said.add(id)
    return Effect.as(
      Effect.logWarning(`${workItem} stays where it is: ${unset(project)}`),
      { ...nothing, lookAgainAfter: leftAgainAfter }
    )
  }

  return (task: Task): Effect.Effect<Round> =>
    Effect.gen(function*() {
      if (task.status !== "active" && task.status !== "done") return nothing
      const ofProject = pipelines.of(task.project)
      if (Option.isNone(ofProject)) return task.status === "active" ? yield* left(task) : nothing
      const pipeline = ofProject.value
      const asked = new Map<string, Answer>()

      const answer = ({ gate: name, stage }: StageGate) =>
        Effect.gen(function*() {
          const gate = yield* gateOf(name)
          const isOfTask = gate.isOfTask === true
          const key = JSON.stringify(isOfTask ? [name] : [name, stage])
          const known = asked.get(key)
          if (known !== undefined) return { ...known, stage }
          const verdict = yield* ask(gate, isOfTask ? task : { ...task, stage })
          const given: Answer = { gate: name, stage, isOfTask, verdict }
          asked.set(key, given)
          return given
        })
      const answersOf = (asking: ReadonlyArray<StageGate>) =>
        Effect.forEach(asking, answer, { concurrency: "unbounded" })
      const upTo = (stage: Stage) => answersOf(pipeline.gatesUpTo(stage))

      if (task.status === "done") {
        // A person has ended it, or the pipeline has changed: its gates have no say.
        if (Option.isNone(pipeline.byName(task.stage)) || Option.isSome(pipeline.after(task.stage))) return nothing
        const lasting = pipeline.gatesUpTo(task.stage).filter(({ gate }) => gates.get(gate)?.isLasting === true)
        return { entered: [], answers: yield* answersOf(lasting) }
      }
      if (Option.isNone(pipeline.byName(task.stage)) || Option.isNone(pipeline.after(task.stage))) {
        yield* Effect.logWarning(`${task.workItem} is at ${task.stage}, which the pipeline cannot leave: it stays`)
        return nothing
      }
      const holds = (answers: ReadonlyArray<Answer>, stage: Stage) =>
        answers.every((answer) => answer.stage !== stage || answer.verdict?._tag === "Passed")
      const entered: Array<PipelineStage> = []
      let at = task.stage
      let answers = yield* upTo(at)
      for (;;) {
        const next = holds(answers, at) ? pipeline.after(at) : Option.none()
        if (Option.isNone(next)) return { entered, answers }
        entered.push(next.value)
        at = next.value.stage
        answers = yield* upTo(at)
      }
    })
}

/** After which time a gate is to be asked again although there is no new fact. */
const againAfter = (isDone: boolean) => ({ verdict }: Answer) => {
  if (verdict === undefined) return silentAgainAfter
  if (verdict._tag === "Passed" || verdict.againAfter === undefined) return undefined
  // It is told by now, and nobody waits for more. A new fact has it asked again.
  if (isDone && verdict._tag === "Failed") return undefined
  return Duration.clamp(verdict.againAfter, { minimum: shortestWait, maximum: longestWait })
}

/** When the gates are due again: the first time that one of them names. Null if none does. */
export const dueAgain = ({ answers, lookAgainAfter }: Round, isDone: boolean, now: EpochMillis): EpochMillis | null => {
  if (lookAgainAfter !== undefined) return later(now, Duration.toMillis(lookAgainAfter))
  const waits = answers.map(againAfter(isDone)).filter((wait) => wait !== undefined)
  return waits.length === 0 ? null : later(now, Math.min(...waits.map(Duration.toMillis)))
}
