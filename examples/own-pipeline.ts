/**
 * A pipeline of the host's own: its stages, a gate that it looks at itself, and agents that it starts itself. plane-sync
 * decides when a stage changes, and tells Plane.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { AgentLauncher, Orchestrator, Pipeline, PlaneSync, QualityGates, Tasks, Verdict } from "plane-sync"

const workItem = process.argv[2] ?? "ET-1"

/** What the agents of this host have written. */
const drafts = new Set<string>()

const parts = Layer.mergeAll(
  Pipeline.layer([
    { stage: "write", agent: "writer", gates: ["started", "draft"] },
    { stage: "proofread", agent: "reader", gates: ["reported"] },
    { stage: "published", gates: [] }
  ]),
  QualityGates.layer([{
    name: "draft",
    check: (task) =>
      Effect.sync(() =>
        drafts.has(task.workItem)
          ? Verdict.Passed()
          : Verdict.Pending({ why: "nobody has written it", againAfter: "1 second" })
      )
  }]),
  Layer.succeed(AgentLauncher, {
    launch: ({ agent, task }) =>
      Effect.zipRight(
        Effect.log(`${agent} works on ${task.workItem}`),
        Effect.sync(() => void drafts.add(task.workItem))
      ),
    stop: ({ agent, task }) => Effect.log(`${agent} stops working on ${task.workItem}`)
  })
)

const program = Effect.gen(function*() {
  const tasks = yield* Tasks
  yield* tasks.start({ workItem })
  // The reader's report. It counts when the task gets to this stage.
  yield* tasks.report(workItem, { stage: "proofread", outcome: "passed" })
  const { stage, status } = yield* Effect.repeat(Effect.delay(tasks.get(workItem), "200 millis"), {
    until: (task) => task.status === "done"
  })
  yield* Effect.log(`${workItem} is ${status} at ${stage}`)
  yield* Effect.timeout((yield* PlaneSync).settled, "1 minute")
  yield* Effect.log("Plane has been told")
})

program.pipe(
  Effect.provide(Layer.provide(Orchestrator.layer, parts)),
  NodeRuntime.runMain
)
