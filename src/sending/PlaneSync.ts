import type { ConfigError } from "effect"
import { Context, Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { Projects } from "../domain/Projects.js"
import { projectsLayer } from "../domain/ProjectSettings.js"
import type { WorkItemLook } from "../domain/WorkItemLook.js"
import { StageEvents } from "../events/StageEvents.js"
import type { LeaderActive } from "../outbox/Leader.js"
import { Leadership } from "../outbox/Leadership.js"
import { Outbox } from "../outbox/Outbox.js"
import type { OutboxStatus } from "../outbox/Queries.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import type { RateStatus } from "../plane/RateBudget.js"
import { RateBudget } from "../plane/RateBudget.js"
import { Integrity } from "../storage/Integrity.js"
import { pruneHourly, retention } from "../storage/Retention.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { sayAllTold } from "./AllTold.js"
import type { DestinationStatus } from "./Destination.js"
import { Destination } from "./Destination.js"
import { makeFind } from "./Find.js"
import { launchLookLayer } from "./LaunchLook.js"
import { answerProbeRequests } from "./ProbeRequests.js"
import * as QuietTimes from "./QuietTimes.js"
import type { WorkersStatus } from "./Workers.js"
import { startWorkers } from "./Workers.js"

/** Sending: published events become states and comments in Plane. */
export class PlaneSync extends Context.Tag("plane-sync/PlaneSync")<PlaneSync, {
  readonly destination: Effect.Effect<DestinationStatus>
  /** Sends the probe now, and tells what is known of Plane after it. */
  readonly probe: Effect.Effect<DestinationStatus>
  readonly budget: Effect.Effect<RateStatus>
  readonly outbox: Effect.Effect<OutboxStatus, StorageError>
  readonly workers: Effect.Effect<WorkersStatus>
  /** What is wrong with the stage table, or why it could not be compared, in words. Undefined while it fits. */
  readonly misfit: Effect.Effect<string | undefined>
}>() {
  /**
   * Sending, over the services that it is made of. It starts with the layer, or later, once this process is the leader.
   * When the layer's scope closes, requests in flight have 8 s to end.
   */
  static readonly layerPipeline: Layer.Layer<
    PlaneSync,
    ConfigError.ConfigError,
    Leadership | Outbox | PlaneClient | Projects | RateBudget | Destination | WakeUps | Storage
  > = Layer.scoped(PlaneSync, Effect.suspend(() => make))

  /**
   * All of sending, over a storage, together with the services that read it. Anything else that asks Plane with the
   * same API token has to use the `PlaneClient` of this layer, because one token has one budget. What needs the project
   * has to use its `Projects`, because the settings elsewhere may name another one. An orchestrator over it looks at a
   * work item before it launches an agent (`WorkItemLook`). What only one process may do waits for its `Leadership`.
   */
  static readonly layerStorage: Layer.Layer<
    PlaneSync | StageEvents | Integrity | Leadership | Outbox | WakeUps | PlaneClient | Projects | WorkItemLook,
    ConfigError.ConfigError | LeaderActive | StorageError,
    Storage
  > = Layer.suspend(() => sending)
}

const make = Effect.gen(function*() {
  const config = yield* PlaneConfig
  const { project } = yield* Projects
  const client = yield* PlaneClient
  const budget = yield* RateBudget
  const destination = yield* Destination
  const outbox = yield* Outbox
  const wakeUps = yield* WakeUps
  const storage = yield* Storage
  const { trouble } = storage
  const kept = yield* retention
  const { whileLeading } = yield* Leadership
  const idle: Effect.Effect<WorkersStatus> = Effect.succeed({ storageFailure: undefined })
  let workers = idle
  yield* whileLeading((term) =>
    Effect.gen(function*() {
      yield* pruneHourly(outbox.prune, kept)
      yield* answerProbeRequests({ destination, holder: term.holder, storage, wakeUps })
      yield* sayAllTold({ destination, outbox, trouble, wakeUps })
      yield* Effect.addFinalizer(() => Effect.sync(() => workers = idle))
      const { status } = yield* startWorkers({
        client,
        find: makeFind({ client, outbox, project }),
        config,
        project,
        destination,
        quietTimes: yield* QuietTimes.make(config.quiet, term.lastBefore),
        outbox,
        budget,
        wakeUps,
        trouble,
        term
      })
      workers = status
    })
  )
  return PlaneSync.of({
    destination: destination.status,
    probe: destination.probeNow,
    budget: budget.status,
    outbox: outbox.status,
    workers: Effect.suspend(() => workers),
    misfit: destination.misfit
  })
})

const sending = Layer.mergeAll(PlaneSync.layerPipeline, StageEvents.layer, launchLookLayer, Integrity.layer).pipe(
  Layer.provide(Destination.layer),
  Layer.provideMerge(PlaneClient.layer),
  Layer.provideMerge(Leadership.layer),
  Layer.provideMerge(Layer.merge(Outbox.layer, WakeUps.layer)),
  Layer.provideMerge(projectsLayer),
  Layer.provide(Layer.merge(RateBudget.layer, connections))
)
