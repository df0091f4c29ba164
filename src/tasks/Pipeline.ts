import { Array as Arr, Context, Effect, Layer, Option, Schema } from "effect"
import type { PipelineStage } from "../domain/PipelineStage.js"
import { defaultStages } from "../domain/PipelineStage.js"
import { Projects, projectsOf } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"

/** A gate, and the latest stage that names it, among the stages up to some stage. */
export interface StageGate {
  readonly gate: string
  readonly stage: Stage
}

/** The stages cannot be a pipeline, or they name a gate that does not exist. */
export class PipelineError extends Schema.TaggedError<PipelineError>()("PipelineError", { why: Schema.String }) {
  override get message(): string {
    return `Pipeline: ${this.why}`
  }
}

/** The stages that the tasks of a project go through, in their order. */
export interface ProjectPipeline {
  readonly stages: readonly [PipelineStage, ...Array<PipelineStage>]
  readonly names: ReadonlyArray<Stage>
  readonly byName: (stage: Stage) => Option.Option<PipelineStage>
  /** The stage after this one; none after the last. */
  readonly after: (stage: Stage) => Option.Option<PipelineStage>
  /** The gates of this stage and of those before. Those of the last stage are never asked, so they are left out. */
  readonly gatesUpTo: (stage: Stage) => ReadonlyArray<StageGate>
}

/** The pipelines of the projects. */
export class Pipeline extends Context.Tag("plane-sync/Pipeline")<Pipeline, {
  /** The pipeline of the project with this identifier. None if no setting names that project. */
  readonly of: (project: string) => Option.Option<ProjectPipeline>
  /** Each pipeline, with what it is of, in words. None: it is that of all projects. */
  readonly all: ReadonlyArray<{ readonly of: Option.Option<string>; readonly pipeline: ProjectPipeline }>
  /** Whether agents are launched. If not, no stage change names one, and no launch stays owed. */
  readonly launches: boolean
}>() {
  /**
   * A host's own stages, the same for all projects; at least two, each once. `launches`: whether anybody launches their
   * agents.
   */
  static readonly layer = (
    stages: ReadonlyArray<PipelineStage>,
    { launches = true }: Launches = {}
  ): Layer.Layer<Pipeline, PipelineError> =>
    Layer.effect(
      Pipeline,
      Effect.map(
        Effect.suspend(() => make(stages)),
        (pipeline) => ({ launches, of: () => Option.some(pipeline), all: [{ of: Option.none(), pipeline }] })
      )
    )

  static readonly layerDefault: Layer.Layer<Pipeline, PipelineError> = Layer.suspend(() =>
    Pipeline.layer(defaultStages)
  )

  /** Each project's own stages, as its settings name them; the default stages for those that name none. */
  static readonly layerProjects = (
    { launches = true }: Launches = {}
  ): Layer.Layer<Pipeline, PipelineError, Projects> =>
    Layer.effect(Pipeline, Effect.suspend(() => makeOfProjects(launches)))
}

/**
 * The projects with a pipeline, and the states that its stages carry. What a stage carries counts before what the
 * settings say of it.
 */
export const withStates = (projects: Projects["Type"], pipeline: Pipeline["Type"]): Projects["Type"] =>
  projectsOf(Arr.map(projects.all, (project) => {
    const stages = Option.match(pipeline.of(project.identifier), { onNone: () => [], onSome: ({ stages }) => stages })
    const carried = stages.flatMap(({ stage, state }) => state === undefined ? [] : [[stage, state] as const])
    return { ...project, pipeline: stages, stages: new Map([...project.stages, ...carried]) }
  }))

interface Launches {
  readonly launches?: boolean
}

const makeOfProjects = (launches: boolean) =>
  Effect.gen(function*() {
    const { all, named } = yield* Projects
    const made = yield* Effect.forEach(all, ({ identifier, names, pipeline }) => {
      const of = pipeline === undefined ? `the project ${identifier}` : names.identifier
      return Effect.map(
        Effect.mapError(make(pipeline ?? defaultStages), ({ why }) => new PipelineError({ why: `of ${of}: ${why}` })),
        (pipeline) => ({ of: Option.some(of), identifier, pipeline })
      )
    })
    return Pipeline.of({
      launches,
      all: made,
      of: (project) =>
        Option.map(
          Arr.findFirst(made, ({ identifier }) => identifier === named(project)?.identifier),
          ({ pipeline }) => pipeline
        )
    })
  })

const make = (stages: ReadonlyArray<PipelineStage>): Effect.Effect<ProjectPipeline, PipelineError> => {
  const [first, ...rest] = stages
  const names = stages.map(({ stage }) => stage)
  const nameless = names.some((name) => name.trim() === "")
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (first === undefined || rest.length === 0) {
    return new PipelineError({ why: "it has fewer than two stages, so nothing could ever be done" })
  }
  if (nameless) return new PipelineError({ why: "a stage has no name" })
  if (twice !== undefined) return new PipelineError({ why: `the stage ${JSON.stringify(twice)} is there twice` })
  const asked = stages.slice(0, -1)
  return Effect.succeed({
    stages: [first, ...rest],
    names,
    byName: (stage) => Arr.findFirst(stages, (one) => one.stage === stage),
    after: (stage) => Arr.findFirst(stages, (_, index) => names[index - 1] === stage),
    gatesUpTo: (stage) => {
      const upTo = asked.slice(0, names.indexOf(stage) + 1)
      return upTo.flatMap(({ gates, stage }, index) => {
        const later = new Set(upTo.slice(index + 1).flatMap((one) => one.gates))
        return Array.from(new Set(gates)).filter((gate) => !later.has(gate)).map((gate): StageGate => ({ gate, stage }))
      })
    }
  })
}
