import type { Duration } from "effect"
import { Effect, Layer } from "effect"
import type { WebhookOptions, WebhookRequest } from "../../src/simulator/PlaneSimulator.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { startHookWorker } from "../../src/webhooks/HookWorker.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/PlaneHandler.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"

/**
 * Plane's hooks without a socket: `webhook` is for the simulator, and `layer` takes what that sends and works on it,
 * beside a pipeline and its tasks. `late` says how long a hook about a field is on its way.
 */
export const planeHooks = (late: (field: string) => Duration.DurationInput = () => 0) => {
  let deliver: (request: WebhookRequest) => Effect.Effect<void, unknown> = () => Effect.void
  const webhook: WebhookOptions = {
    url: "http://kept.test/",
    secret: "plane_wh_unused",
    send: (request) => Effect.as(Effect.suspend(() => deliver(request)), 202)
  }
  const work = Layer.scopedDiscard(Effect.gen(function*() {
    const inbox = yield* Inbox
    const plane = yield* planeHandler
    yield* startHookWorker(inbox, { plane, gitea: () => Effect.dieMessage("no forge here") })
    let count = 0
    deliver = ({ body, headers }) => {
      const field = /"field": "?(\w+)/.exec(body)?.[1] ?? ""
      const uuid = `hook ${count++}`
      const hook = {
        source: "plane",
        signer: "",
        isSigned: true,
        event: headers["X-Plane-Event"] ?? "",
        uuid,
        body,
        digest: uuid
      } as const
      return Effect.delay(inbox.store(hook), late(field))
    }
  }))
  const layer = work.pipe(
    Layer.provideMerge(Layer.mergeAll(Inbox.layer, SkippedHooks.layer)),
    Layer.provideMerge(Layer.provide(TaskStore.layer, Pipeline.layerDefault))
  )
  return { webhook, layer }
}
