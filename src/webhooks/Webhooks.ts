import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { BodyRoom } from "../base/BodyRoom.js"
import type { Projects } from "../domain/Projects.js"
import type { StageEvents } from "../events/StageEvents.js"
import { pruneFactsHourly } from "../gitea/Prune.js"
import { followStirs, Stirs } from "../gitea/Stirs.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Leadership } from "../outbox/Leadership.js"
import type { PlaneProjects } from "../sending/PlaneProjects.js"
import { pruneHourly, retention } from "../storage/Retention.js"
import type { Storage } from "../storage/Storage.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import { giteaHandler } from "./GiteaHandler.js"
import { startHookWorker } from "./HookWorker.js"
import { Inbox, keptFor } from "./Inbox.js"
import { planeHandler } from "./PlaneHandler.js"
import { Receiver } from "./Receiver.js"
import { SkippedHooks } from "./SkippedHooks.js"

const work = Layer.scopedDiscard(Effect.gen(function*() {
  const inbox = yield* Inbox
  const plane = yield* planeHandler
  const gitea = yield* giteaHandler
  const kept = yield* retention
  const { whileLeading } = yield* Leadership
  yield* whileLeading(() =>
    Effect.all([
      startHookWorker(inbox, { plane, gitea }),
      pruneHourly(inbox.prune, keptFor),
      pruneFactsHourly(kept)
    ], { discard: true })
  )
  // A standby takes hooks, too, and the leader asks Gitea about what they have stirred.
  yield* followStirs
}))

/**
 * Takes webhooks until the scope closes, and works on them while this process is the leader. It goes over the tasks,
 * the sending to Plane and the storage of a host: `Orchestrator.layerStorage` (or `Orchestrator.layerTasks` over
 * `PlaneSync.layerStorage`), with `Layer.provideMerge(Storage.layer)`. It uses the `PlaneProjects` of sending, so that
 * both share budgets and projects, however a host puts its layers together. A host
 * hands the requests to the `Receiver`: docs/setup.md has a whole example.
 */
export const webhooksLayer: Layer.Layer<
  Receiver,
  ConfigError.ConfigError,
  PlaneProjects | Projects | Leadership | StageEvents | WakeUps | Storage | TaskStore
> = Layer.merge(Receiver.layer, work).pipe(
  Layer.provide([BodyRoom.layer, Inbox.layer, SkippedHooks.layer, Stirs.layer, TaskPullRequests.layer])
)
