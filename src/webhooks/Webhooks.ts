import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { pruneFactsHourly } from "../gitea/Prune.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { RateBudget } from "../plane/RateBudget.js"
import { pruneHourly } from "../storage/Retention.js"
import type { Storage } from "../storage/Storage.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import { giteaHandler } from "./GiteaHandler.js"
import { startHookWorker } from "./HookWorker.js"
import { Inbox, keptFor } from "./Inbox.js"
import { planeHandler } from "./PlaneHandler.js"
import { Receiver } from "./Receiver.js"

const work = Layer.scopedDiscard(Effect.gen(function*() {
  const inbox = yield* Inbox
  const plane = yield* planeHandler
  const gitea = yield* giteaHandler
  yield* startHookWorker(inbox, { plane, gitea })
  yield* pruneHourly(inbox.prune, keptFor)
  yield* pruneFactsHourly
}))

/** Accepts hooks and works on them until the scope closes. */
export const webhooksLayer: Layer.Layer<
  Receiver,
  ConfigError.ConfigError,
  WakeUps | Storage | TaskStore
> = Layer.merge(Receiver.layer, work).pipe(
  Layer.provide([Inbox.layer, TaskPullRequests.layer]),
  // The client and the budget that the pipeline has: layers are built once.
  Layer.provide(PlaneClient.layer),
  Layer.provide([RateBudget.layer, connections])
)
