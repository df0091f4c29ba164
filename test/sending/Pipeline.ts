import { ConfigProvider, Effect, Layer } from "effect"
import { connections } from "../../src/base/Connections.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { RateBudgets } from "../../src/plane/RateBudgets.js"
import { tokenDestinations } from "../../src/plane/TokenDestinations.js"
import { PlaneProjects } from "../../src/sending/PlaneProjects.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import type { PlaneSimulatorOptions } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { immediateDisk } from "../support/ImmediateDisk.js"

/** What the pipeline reads from its environment, for the simulated Plane that is there. */
export const settingsFor = (settings: Readonly<Record<string, string>>) =>
  Effect.map(PlaneSimulator, (plane) =>
    Layer.setConfigProvider(ConfigProvider.fromMap(
      new Map(Object.entries({
        ORCH_PLANE_API_URL: plane.url,
        ORCH_PLANE_API_TOKEN: plane.token,
        ...settings
      }))
    ))).pipe(Layer.unwrapEffect)

interface Options {
  readonly plane?: PlaneSimulatorOptions
  readonly settings?: Readonly<Record<string, string>>
  readonly database?: string
}

/** The whole pipeline, its storage and its way to Plane still open. */
export const pipelineOver = (
  storage: ReturnType<typeof Storage.layerFile>,
  // Nobody else writes to this file, and each poll would cost the TestClock a step.
  signal: Layer.Layer<WakeUps> = WakeUps.layerPolling("1 days"),
  leadership: typeof Leadership.layer = Leadership.layer
) =>
  Layer.merge(PlaneSync.layerPipeline, StageEvents.layer).pipe(
    Layer.provideMerge(PlaneProjects.layer),
    Layer.provideMerge(Layer.provide(leadership, tokenDestinations)),
    Layer.provideMerge(Layer.mergeAll(Outbox.layer, signal, projectsLayer, RateBudgets.layer)),
    Layer.provideMerge(storage)
  )

/** The whole pipeline over the simulated Plane that is there, without sockets: time is the TestClock's. */
export const overPlane = (options: Omit<Options, "plane"> = {}) =>
  pipelineOver(Layer.provide(Storage.layerFile(options.database ?? ":memory:"), immediateDisk)).pipe(
    Layer.provide(settingsFor(options.settings ?? {}))
  )

/** `overPlane`, with a new Plane. */
export const inMemory = (options: Options = {}) =>
  Layer.provideMerge(overPlane(options), PlaneSimulator.layerMemory(options.plane))

/** The whole pipeline over real HTTP on loopback. */
export const overHttp = (options: Options = {}) =>
  pipelineOver(Storage.layerFile(options.database ?? ":memory:"), WakeUps.layerPolling("500 millis")).pipe(
    Layer.provide(connections),
    Layer.provide(settingsFor(options.settings ?? {})),
    Layer.provideMerge(PlaneSimulator.layer(options.plane))
  )

/** How sending to the only project is. */
export const projectStatus = Effect.map(Effect.flatMap(PlaneSync, ({ projects }) => projects), ([first]) => first)

/** What Plane received besides the looks at the project and its states, which come with each start. */
export const received = Effect.map(
  Effect.flatMap(PlaneSimulator, (plane) => plane.requests),
  (requests) => requests.filter(({ kind }) => kind !== "project" && kind !== "states")
)

/** Waits, for real, until nothing is owed. */
export const delivered = Effect.gen(function*() {
  const outbox = yield* Outbox
  while ((yield* outbox.status).pending > 0) yield* Effect.sleep("10 millis")
})
