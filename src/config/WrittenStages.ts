import { Duration, Option } from "effect"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { defaultStages } from "../domain/PipelineStage.js"
import type { StageTable, StateName } from "../domain/StageStates.js"
import { StateId } from "../domain/StageStates.js"
import type { ProjectText, StateText } from "./ProjectsFile.js"

const stateName = (state: StateText): StateName => {
  if (typeof state === "string") return { name: state }
  return "id" in state ? { id: StateId(state.id.toLowerCase()) } : state
}

/** The stages that a project writes itself. */
export const pipelineOf = ({ pipeline }: ProjectText): ReadonlyArray<PipelineStage> | undefined =>
  pipeline?.map(({ gates = [], patience, state, ...stage }) => ({
    ...stage,
    gates,
    ...Option.match(Option.flatMap(Option.fromNullable(patience), Duration.decodeUnknown), {
      onNone: () => ({}),
      onSome: (patience) => ({ patience })
    }),
    ...(state === undefined ? {} : { state: stateName(state) })
  }))

/** Where a stage has no state of its own: not begun, done, and in between. */
const stateByPlace = (index: number, count: number): StateName => ({
  group: index === 0 ? "unstarted" : index === count - 1 ? "completed" : "started"
})

/** The states that the stages carry themselves, and those of the table. */
export const stagesOf = (text: ProjectText): StageTable => {
  const pipeline = pipelineOf(text)
  const carried = (pipeline ?? []).flatMap(({ stage, state }) => state === undefined ? [] : [[stage, state] as const])
  const listed = Object.entries(text.stages ?? {}).map(([stage, state]) => [stage, stateName(state)] as const)
  if (carried.length + listed.length > 0) return new Map([...carried, ...listed])
  const stages = pipeline ?? defaultStages
  return new Map(stages.map(({ stage }, index) => [stage, stateByPlace(index, stages.length)]))
}

/** Whether the states stand in the pipeline alone. */
export const isInPipeline = ({ pipeline, stages }: ProjectText) =>
  stages === undefined && (pipeline ?? []).some(({ state }) => state !== undefined)
