import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { stages } from "../../src/domain/Stage.js"
import { tasksOnly } from "./Orchestration.js"

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
        "Pipeline: the stage \"a\" has the gate \"lint\", which nobody provides: there are started, reported, ci, " +
          "approval, merged"
      )
    }))
})
