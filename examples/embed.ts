/**
 * An orchestrator that embeds plane-sync and stays alive. Each second it takes one task to its next stage, and the work
 * item in Plane follows: look at it in the browser.
 *
 * Try it without a Plane of your own: `npm run simulator -- --port 8091` in one terminal, and in another
 * `ORCH_PLANE_API_URL=http://localhost:8091 ORCH_PLANE_API_TOKEN=… node examples/embed.js ET-1`.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { PlaneSync, StageEvent, StageEvents, stages } from "plane-sync"

const workItem = process.argv[2] ?? "ET-1"

const orchestrator = Effect.gen(function*() {
  const events = yield* StageEvents
  for (const [index, from] of stages.entries()) {
    const to = stages[index + 1]
    if (to === undefined) break
    const receipt = yield* events.publish(StageEvent.StageChanged({ workItem, from, to, agent: `agent of ${to}` }))
    yield* Effect.log(`${from} → ${to}`, receipt)
    yield* Effect.sleep("1 second")
  }
  yield* events.publish(StageEvent.TaskCompleted({ workItem }))

  const { settled } = yield* PlaneSync
  yield* settled
  yield* Effect.log(`Plane has been told of ${workItem}. Ctrl-C ends this program`)
})

const program = Layer.effectDiscard(orchestrator).pipe(Layer.provide(PlaneSync.layer))

NodeRuntime.runMain(Layer.launch(program))
