import type { ConfigError, Scope } from "effect"
import { Clock, Duration, Effect, Layer, Schedule } from "effect"
import type { Pipeline } from "../orchestrator/Pipeline.js"
import { QualityGates } from "../orchestrator/QualityGate.js"
import { TaskStore } from "../orchestrator/TaskStore.js"
import type { Storage } from "../outbox/Storage.js"
import { connections } from "../plane/Connections.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { RateBudget } from "../plane/RateBudget.js"
import type { Signal } from "../sync/Signal.js"
import { giteaGates } from "./gitea/Gates.js"
import { Gitea } from "./gitea/GiteaClient.js"
import { giteaHandler } from "./gitea/GiteaWebhook.js"
import { TaskPullRequests } from "./gitea/TaskPullRequests.js"
import { Inbox, keptFor } from "./Inbox.js"
import { planeHandler } from "./plane/PlaneWebhook.js"
import { Receiver } from "./Receiver.js"
import { startWorker } from "./Worker.js"

/** Deletes every hour, in small batches, what came longer ago than it is kept. */
const keepInbox = (inbox: Inbox["Type"]): Effect.Effect<void, never, Scope.Scope> =>
  Clock.currentTimeMillis.pipe(
    Effect.flatMap((now) => inbox.prune(now - Duration.toMillis(keptFor))),
    Effect.repeat({ while: (more) => more, schedule: Schedule.spaced("50 millis") }),
    // Storage that fails is the worker's trouble as well, and it says so.
    Effect.ignore,
    Effect.repeat(Schedule.spaced("1 hours")),
    Effect.forkScoped,
    Effect.asVoid
  )

const work = Layer.scopedDiscard(Effect.gen(function*() {
  const inbox = yield* Inbox
  const plane = yield* planeHandler
  const gitea = yield* giteaHandler
  yield* startWorker(inbox, { plane, gitea })
  yield* keepInbox(inbox)
}))

/** Takes webhooks and works on them until the scope closes. */
export const webhooksLayer: Layer.Layer<
  Receiver,
  ConfigError.ConfigError,
  Signal | Storage | TaskStore
> = Layer.merge(Receiver.layer, work).pipe(
  Layer.provide([Inbox.layer, TaskPullRequests.layer]),
  // The client and the budget that the pipeline has: layers are built once.
  Layer.provide(PlaneClient.layer),
  Layer.provide([RateBudget.layer, connections])
)

/** The gates that the default pipeline names: the orchestrator's own, and those that go by what Gitea says. */
export const gatesLayer: Layer.Layer<
  QualityGates,
  ConfigError.ConfigError,
  Pipeline | Signal | Storage
> = Layer.scoped(QualityGates, Effect.map(giteaGates, QualityGates.make)).pipe(
  Layer.provide([Gitea.layer, TaskPullRequests.layer]),
  Layer.provide([TaskStore.layer, connections])
)
