import type { DateTime } from "effect"
import { Option } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { stored } from "../base/Time.js"
import type { Stage } from "../domain/Stage.js"
import type { StageStates, StateId } from "../domain/StageStates.js"
import type { Task } from "./Task.js"

/** A person has moved a work item in Plane. */
export interface PersonMove {
  /** The group of the state: backlog, unstarted, started, completed or cancelled. */
  readonly group: string
  readonly stateId: StateId
  /** When Plane last changed the work item; not after now. */
  readonly at: DateTime.Utc
  /** Who has done it, and the state's name, as people read them. */
  readonly who: Option.Option<string>
  readonly stateName: Option.Option<string>
  /** The work item was created in this state, so it was moved from nowhere. */
  readonly isNew: boolean
}

/** All that decides what a move means for a task. */
export interface MoveFacts {
  readonly move: Pick<PersonMove, "group" | "stateId" | "isNew"> & { readonly at: EpochMillis }
  /** None: nobody has started a task for the work item. */
  readonly task: Pick<Task, "stage" | "status" | "startedAt"> | undefined
  /** The stages of the pipeline, in order, and the state of each. */
  readonly stages: ReadonlyArray<Stage>
  readonly states: StageStates
}

/**
 * What a move means for a task. `start`: the work item becomes a task. `startAnew`: its task, which is done, begins
 * once more. `goOn`: the task is active, whatever it was before. `nothing`: the task stays as it is.
 */
export type MoveMeaning = "start" | "startAnew" | "goOn" | "pause" | "stop" | "end" | "nothing"

/** The state of a stage; of one that changes no state, that of the last stage before it that does. */
const stateOf = (stage: Stage, stages: ReadonlyArray<Stage>, states: StageStates): StateId | undefined =>
  stages.slice(0, stages.indexOf(stage) + 1).map((one) => states.get(one)).findLast((state) => state !== undefined)

/**
 * What a person's move means. A state of a group that is not known means nothing. The state of the task's own stage is
 * where plane-sync itself has put the work item, so a move there never stops the task, whatever the state's group.
 */
export const meaningOf = ({ move, stages, states, task }: MoveFacts): MoveMeaning => {
  const { at, group, isNew, stateId } = move
  if (task === undefined) return group === "started" ? "start" : "nothing"
  // The task was started by hand before the hook of the creation came.
  if (isNew) return "nothing"
  const isOwn = stateId === stateOf(task.stage, stages, states)
  if (task.status === "done") {
    const isThere = isOwn && task.stage === stages.at(-1)
    // The move that started it is worked on once more after a crash.
    return group === "started" && !isThere && at !== stored(task.startedAt) ? "startAnew" : "nothing"
  }
  if (isOwn || group === "started") return "goOn"
  switch (group) {
    case "completed":
      return "end"
    case "cancelled":
      return task.status === "stopped" ? "nothing" : "stop"
    case "backlog":
    case "unstarted":
      return task.status === "active" ? "pause" : "nothing"
    default:
      return "nothing"
  }
}

/** What becomes of a task, for the log. */
export const moveWords: Readonly<Record<Exclude<MoveMeaning, "nothing">, string>> = {
  start: "starts",
  startAnew: "starts anew",
  goOn: "goes on",
  pause: "pauses",
  stop: "stops",
  end: "has ended"
}

/** Who has done what, as it is shown with the task. */
export const whyOf = ({ group, stateName, who }: Pick<PersonMove, "group" | "stateName" | "who">): string => {
  const clean = (text: string) => cleanLine(text, textLimit)
  const person = Option.match(who, { onNone: () => "a person", onSome: clean })
  const state = Option.match(stateName, { onNone: () => `a ${clean(group)} state`, onSome: clean })
  return `${person} moved the work item to ${state} in Plane`
}

/** Whether a person has ended the task, before it had gone through its pipeline. */
export const isEndedByPerson = ({ status, why }: Pick<Task, "status" | "why">): boolean =>
  status === "done" && Option.isSome(why)
