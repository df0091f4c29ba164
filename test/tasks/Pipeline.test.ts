import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { writeFileSync } from "node:fs"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { Projects } from "../../src/domain/Projects.js"
import { stages } from "../../src/domain/Stage.js"
import { StateId } from "../../src/domain/StageStates.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline, withStates } from "../../src/tasks/Pipeline.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { folder } from "../http/Server.js"
import { forge, tasksOnly } from "./Orchestration.js"

const refused = (given: ReadonlyArray<PipelineStage>) =>
  Effect.map(
    Effect.flip(Effect.scoped(Layer.build(tasksOnly({ stages: given })))),
    (error) => error.message
  )

describe("Pipeline", () => {
  it("has the stages of domain/Stage.ts by default, in their order", () => {
    assert.deepStrictEqual(defaultStages.map(({ stage }) => stage), [...stages])
  })

  it.effect("what cannot be a pipeline is refused when it is built", () =>
    Effect.gen(function*() {
      assert.match(yield* refused([]), /fewer than two stages/)
      assert.match(yield* refused([{ stage: "a", gates: [] }]), /fewer than two stages/)
      assert.match(yield* refused([{ stage: "a", gates: [] }, { stage: "a", gates: [] }]), /"a" is there twice/)
      assert.match(yield* refused([{ stage: "a", gates: [] }, { stage: " ", gates: [] }]), /no name/)
      assert.strictEqual(
        yield* refused([{ stage: "a", gates: ["started", "lint"] }, { stage: "b", gates: [] }]),
        "Pipeline: the stage \"a\" has the gate \"lint\", which nobody provides: there are started, reported, human, ci, " +
          "approval, merged"
      )
    }))

  it.effect("one in plane-sync.json with an unknown gate is refused: the field, the gate, and which there are", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/plane-sync.json`
      const pipeline = [{ stage: "write", gates: ["lint"] }, { stage: "live" }]
      writeFileSync(file, JSON.stringify({ projects: { ET: {}, APP: { pipeline } } }))
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Tasks.layer.pipe(
        Layer.provide([TaskStore.layer, StageEvents.layer]),
        Layer.provide([Outbox.layer, Pipeline.layerProjects(), WakeUps.layer, QualityGates.layer(forge().gates)]),
        Layer.provide([projectsLayer, Storage.layerFile(":memory:")]),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["ORCH_CONFIG", file]]))))
      ))))
      assert.strictEqual(
        error.message,
        `Pipeline: of projects.APP in ${file}: the stage "write" has the gate "lint", which nobody provides: there ` +
          "are started, reported, human, ci, approval, merged"
      )
    }).pipe(Effect.scoped))

  it.effect("what a host's stages carry is the state of the stage, before what the settings say of it", () =>
    Effect.gen(function*() {
      const pipeline = yield* Pipeline
      const { all: [project] } = withStates(yield* Projects, pipeline)
      assert.deepStrictEqual(project.stages.get("analysis"), { name: "Reading" })
      assert.deepStrictEqual(project.stages.get("proofread"), { group: "started" })
      // Of the settings.
      assert.deepStrictEqual(project.stages.get("done"), { id: StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8") })
    }).pipe(
      Effect.provide(Layer.merge(
        Pipeline.layer([
          { stage: "analysis", state: { name: "Reading" }, gates: [] },
          { stage: "proofread", state: { group: "started" }, gates: [] },
          { stage: "done", gates: [] }
        ]),
        Layer.provide(projectsLayer, Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
      ))
    ))
})
