import type { ConfigError } from "effect"
import type { Array as Arr, DateTime } from "effect"
import { Context, Effect, ExecutionStrategy, Layer, Option, Schedule, Scope } from "effect"
import { connections } from "../base/Connections.js"
import { either, makeSignal } from "../base/Signal.js"
import type { EpochMillis } from "../base/Time.js"
import { GiteaAddresses, reachable } from "../domain/GiteaAddress.js"
import type { Projects } from "../domain/Projects.js"
import type { WorkItemLook } from "../domain/WorkItemLook.js"
import { StageEvents } from "../events/StageEvents.js"
import type { LeaderActive, Term } from "../outbox/Leader.js"
import { Leadership } from "../outbox/Leadership.js"
import { Outbox } from "../outbox/Outbox.js"
import type { OutboxStatus } from "../outbox/Queries.js"
import type { RateStatus } from "../plane/RateBudget.js"
import { RateBudgets } from "../plane/RateBudgets.js"
import { tokenDestinations } from "../plane/TokenDestinations.js"
import { Integrity } from "../storage/Integrity.js"
import { pruneHourly, retention } from "../storage/Retention.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { sayAllTold } from "./AllTold.js"
import type { DestinationStatus } from "./Destination.js"
import { makeFind } from "./Find.js"
import { launchLookLayer } from "./LaunchLook.js"
import { watchLeft } from "./LeftProjects.js"
import { makeSettled, tellOwed } from "./Owed.js"
import { followPlaces } from "./PlacesElsewhere.js"
import type { PlaneProject } from "./PlaneProjects.js"
import { PlaneProjects } from "./PlaneProjects.js"
import { answerProbeRequests } from "./ProbeRequests.js"
import * as QuietTimes from "./QuietTimes.js"
import { startWorkers } from "./Workers.js"

/** How sending to one project is. */
export interface ProjectStatus {
  readonly identifier: string
  readonly destination: DestinationStatus
  /** When Plane has last accepted something, since the start. */
  readonly wroteAt: Option.Option<DateTime.Utc>
  /** That of its API token. */
  readonly budget: RateStatus
  /** What is wrong with the stage table, or why it could not be compared, in words. None while it fits. */
  readonly misfit: Option.Option<string>
}

/** Sending: published events become states and comments in Plane. */
export class PlaneSync extends Context.Tag("plane-sync/PlaneSync")<PlaneSync, {
  /** Each project, in the order of the settings. */
  readonly projects: Effect.Effect<Arr.NonEmptyArray<ProjectStatus>>
  /** Sends the probe now of each project that this process sends to, and tells what is known after it. */
  readonly probe: Effect.Effect<Arr.NonEmptyArray<ProjectStatus>>
  readonly outbox: Effect.Effect<OutboxStatus, StorageError>
  /** Why what some projects are owed waits, in words: they are not set any more. */
  readonly left: Effect.Effect<ReadonlyArray<string>>
  /** Why storage fails, until it works again. */
  readonly storageFailure: Effect.Effect<Option.Option<StorageError>>
  /**
   * Waits until nothing is owed to Plane: all that was published is told, or is a dead letter. It waits as long as Plane
   * is away, so a script gives it a `timeout`. Not within a transaction, which the sending would wait for.
   */
  readonly settled: Effect.Effect<void, StorageError>
}>() {
  /**
   * Sending, over the services that it is made of. It starts with the layer, or later, once this process is the leader.
   * When the layer's scope closes, requests in flight have 8 s to end.
   */
  static readonly layerPipeline: Layer.Layer<
    PlaneSync,
    ConfigError.ConfigError,
    Leadership | Outbox | PlaneProjects | WakeUps | Storage
  > = Layer.scoped(PlaneSync, Effect.suspend(() => make))

  /**
   * All of sending, over a storage, together with the services that read it. Anything else that asks Plane with the
   * same API token has to use the `PlaneProjects` of this layer, because one token has one budget. An orchestrator over
   * it looks at a work item before it launches an agent (`WorkItemLook`). What only one process may do waits for its
   * `Leadership`.
   */
  static readonly layerStorage: Layer.Layer<
    PlaneSync | StageEvents | Integrity | Leadership | Outbox | WakeUps | PlaneProjects | WorkItemLook,
    ConfigError.ConfigError | LeaderActive | StorageError,
    Projects | Storage
  > = Layer.suspend(() => sending)
}

const statusOf = ({ budget, destination, project: { identifier } }: PlaneProject): Effect.Effect<ProjectStatus> =>
  Effect.all({
    identifier: Effect.succeed(identifier),
    destination: destination.status,
    wroteAt: destination.wroteAt,
    budget: budget.status,
    misfit: destination.misfit
  })

const make = Effect.gen(function*() {
  const { all } = yield* PlaneProjects
  const { outbox, settled } = yield* makeSettled(yield* Outbox)
  const wakeUps = yield* WakeUps
  // What was settled is news to those who send, and to nobody else, in this process or another.
  const news = either(wakeUps, yield* makeSignal)
  const storage = yield* Storage
  const { trouble } = storage
  const kept = yield* retention
  const linkAddress = reachable(yield* GiteaAddresses)
  const leadership = yield* Leadership
  const identifiers = all.map(({ project }) => project.identifier)
  const first = all[0].project.identifier
  const forgetGone = trouble.retry<void, never>(outbox.forgetGone)
  let left: ReadonlyArray<string> = []
  yield* tellOwed(outbox, leadership, storage.sql.isShared)

  const projects = Effect.forEach(all, statusOf)
  const probed = (those: ReadonlyArray<PlaneProject>) =>
    Effect.zipRight(
      Effect.forEach(those, ({ destination }) => destination.probeNow, { concurrency: "unbounded", discard: true }),
      Effect.forEach(those, statusOf)
    )
  // A token's requests are counted where its destination is led.
  const led = new Set<PlaneProject>()
  const here = Effect.sync(() => all.filter((project) => led.has(project)))
  const lead = (project: PlaneProject) =>
    Effect.zipRight(
      Effect.acquireRelease(Effect.sync(() => led.add(project)), () => Effect.sync(() => led.delete(project))),
      // Another replica may have used the token up.
      Effect.zipRight(project.budget.startAlone, project.destination.watch)
    )

  /** Waits until it was asked where the project is, here or by another replica. */
  const placed = ({ destination, project: { identifier } }: PlaneProject) =>
    Effect.raceFirst(
      destination.asked,
      Effect.repeat(Effect.sync(() => leadership.isElsewhere(identifier)), {
        until: (isElsewhere) => isElsewhere,
        schedule: Schedule.spaced("1 second")
      })
    )

  const unlessIdentifierHolds = (other: string, since: EpochMillis) =>
    Effect.gen(function*() {
      // Of what others send to, they know: a key that begins so is theirs by now, or is wrong.
      for (const { destination } of yield* here) {
        const again = yield* destination.unlessIdentifierHolds(other, since)
        if (Option.isSome(again)) return again
      }
      return Option.none<EpochMillis>()
    })

  const start = ({ budget, client, config, destination, place, project }: PlaneProject, term: Term) =>
    Effect.gen(function*() {
      const isFirst = project.identifier === first
      yield* startWorkers({
        client,
        find: makeFind({ client, outbox, project }),
        config,
        project,
        place,
        destination,
        unlessIdentifierHolds,
        linkAddress,
        // A key that begins with no project's identifier is the first one's, which says so.
        lanesOf: isFirst ? [project.identifier, ""] : [project.identifier],
        quietTimes: yield* QuietTimes.make(config.quiet, term.lastBefore),
        outbox,
        budget,
        news,
        trouble,
        term
      })
    })

  yield* leadership.whileLeading((term) =>
    Effect.gen(function*() {
      yield* pruneHourly(outbox.prune, kept)
      yield* sayAllTold({
        projects: Effect.flatMap(here, (those) => Effect.forEach(those, statusOf)),
        outbox,
        trouble,
        news
      })
      if (storage.sql.isShared) yield* Effect.forkScoped(Effect.repeat(forgetGone, Schedule.spaced("5 minutes")))
      const tell = (reasons: ReadonlyArray<string>) => {
        left = reasons
      }
      yield* watchLeft({ all, outbox, placed, tell, term, trouble, wakeUps })
    })
  )
  if (storage.sql.isShared) yield* followPlaces({ all, leadership, outbox })
  yield* leadership.whileSending((term, leads) =>
    Effect.gen(function*() {
      const those = all.filter(({ project }) => leads(project.identifier))
      if (leads(first)) yield* trouble.retry<void, never>(outbox.sortLanes(identifiers))
      yield* Effect.forEach(those, lead, { discard: true })
      yield* answerProbeRequests({ probe: probed(those), holder: term.holder, storage, wakeUps })
      // All of them stop at the same time, so that their last requests end in the time that there is for that.
      const together = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
      yield* Effect.forEach(those, (each) =>
        Effect.flatMap(
          Scope.fork(together, ExecutionStrategy.sequential),
          (scope) => Scope.extend(start(each, term), scope)
        ), { discard: true })
    })
  )
  return PlaneSync.of({
    projects,
    left: Effect.sync(() => left),
    probe: Effect.zipRight(Effect.flatMap(here, probed), projects),
    outbox: outbox.status,
    storageFailure: Effect.map(trouble.failure, Option.fromNullable),
    settled
  })
})

const sending = Layer.mergeAll(PlaneSync.layerPipeline, StageEvents.layer, launchLookLayer, Integrity.layer).pipe(
  Layer.provideMerge(PlaneProjects.layer),
  Layer.provideMerge(Layer.provide(Leadership.layer, tokenDestinations)),
  Layer.provideMerge(Layer.merge(Outbox.layer, WakeUps.layer)),
  Layer.provide(Layer.merge(RateBudgets.layer, connections))
)
