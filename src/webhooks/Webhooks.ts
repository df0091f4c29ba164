import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { prunePullRequests } from "../gitea/Facts.js"
import { Gitea } from "../gitea/GiteaClient.js"
import { giteaGates } from "../gitea/GiteaGates.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { retention } from "../outbox/Prune.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { projectsLayer } from "../plane/ProjectSettings.js"
import { RateBudget } from "../plane/RateBudget.js"
import { pruneHourly } from "../storage/Retention.js"
import { Storage } from "../storage/Storage.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { Pipeline } from "../tasks/Pipeline.js"
import { QualityGates } from "../tasks/QualityGate.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { giteaHandler } from "./GiteaHandler.js"
import { startWorker } from "./HookWorker.js"
import { Inbox, keptFor } from "./Inbox.js"
import { planeHandler } from "./PlaneHandler.js"
import { Receiver } from "./Receiver.js"

const work = Layer.scopedDiscard(Effect.gen(function*() {
  const inbox = yield* Inbox
  const { sql, write } = yield* Storage
  const plane = yield* planeHandler
  const gitea = yield* giteaHandler
  yield* startWorker(inbox, { plane, gitea })
  yield* pruneHourly(inbox.prune, keptFor)
  yield* pruneHourly((before) => write(prunePullRequests(sql, before)), yield* retention)
}))

/** Takes webhooks and works on them until the scope closes. */
export const webhooksLayer: Layer.Layer<
  Receiver,
  ConfigError.ConfigError,
  WakeUps | Storage | TaskStore
> = Layer.merge(Receiver.layer, work).pipe(
  Layer.provide([Inbox.layer, TaskPullRequests.layer]),
  // The client and the budget that the pipeline has: layers are built once.
  Layer.provide(PlaneClient.layer),
  Layer.provide([projectsLayer, RateBudget.layer, connections])
)

/** The gates that the default pipeline names: the orchestrator's own, and those that go by what Gitea says. */
export const gatesLayer: Layer.Layer<
  QualityGates,
  ConfigError.ConfigError,
  Pipeline | WakeUps | Storage
> = Layer.scoped(QualityGates, Effect.map(giteaGates, QualityGates.make)).pipe(
  Layer.provide([Gitea.layer, TaskPullRequests.layer]),
  Layer.provide([TaskStore.layer, connections])
)
