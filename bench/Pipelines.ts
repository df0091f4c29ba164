import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { ConfigProvider, Effect, Layer, Logger, LogLevel } from "effect"
import { projectsLayer } from "../src/config/ProjectsConfig.js"
import { StageEvents } from "../src/events/StageEvents.js"
import { Leadership } from "../src/outbox/Leadership.js"
import { Outbox } from "../src/outbox/Outbox.js"
import { RateBudgets } from "../src/plane/RateBudgets.js"
import { tokenDestinations } from "../src/plane/TokenDestinations.js"
import { PlaneSync } from "../src/PlaneSyncLayers.js"
import { PlaneProjects } from "../src/sending/PlaneProjects.js"
import { WakeUps } from "../src/storage/WakeUps.js"
import { Storage } from "../src/StorageLayers.js"

/** `ORCH_…` variables, instead of the environment's. */
export type Settings = Readonly<Record<string, string>>

const configured = (settings: Settings) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))

// A misbehaving Plane is logged as it should be, but not in the middle of a table.
const quiet = Logger.minimumLogLevel(LogLevel.None)

/** The path of a new database, in a folder that is removed with the scope. */
export const temporaryDatabase = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  Effect.map(
    fs.makeTempDirectoryScoped({ prefix: "plane-sync-bench-" }),
    (folder) => `${folder}/bench.sqlite`
  )).pipe(Effect.provide(NodeFileSystem.layer))

/** What a host has: `PlaneSync.layer` on a SQLite file. */
export const pipelineOn = (file: string, settings: Settings) =>
  PlaneSync.layer.pipe(
    Layer.provide(configured({ ...settings, ORCH_DATABASE_URL: file })),
    Layer.provide(quiet)
  )

/** The same on a new file that is removed with the scope. */
export const pipeline = (settings: Settings) =>
  Layer.unwrapScoped(Effect.map(temporaryDatabase, (file) => pipelineOn(file, settings)))

const publishing = StageEvents.layer.pipe(
  Layer.provide(projectsLayer),
  Layer.provideMerge(Layer.merge(Outbox.layer, WakeUps.layer)),
  Layer.provide(quiet)
)

/** The same publishing on a file or a Postgres, without anything that sends. */
export const publishingOn = (database: string) =>
  publishing.pipe(Layer.provide(Storage.layer), Layer.provide(configured({ ORCH_DATABASE_URL: database })))

/** The same publishing without a file, which no setting asks for. */
export const publishingInMemory = publishing.pipe(
  Layer.provide(Storage.layerFile(":memory:")),
  Layer.provide(configured({}))
)

/** The same publishing on a new file, without anything that sends. */
export const publishingOnly = Layer.unwrapScoped(Effect.map(temporaryDatabase, publishingOn))

/** A pipeline over the given HttpClient, a simulated Plane in memory, and no file. Its time is the TestClock's. */
export const pipelineInMemory = (settings: Settings) =>
  Layer.merge(PlaneSync.layerPipeline, StageEvents.layer).pipe(
    Layer.provideMerge(PlaneProjects.layer),
    // No other process writes to it, and each poll would cost the TestClock a step.
    Layer.provide(Layer.provide(Leadership.layer, tokenDestinations)),
    Layer.provide(Layer.mergeAll(Outbox.layer, WakeUps.layerPolling("1 days"), projectsLayer, RateBudgets.layer)),
    Layer.provide(Storage.layerFile(":memory:")),
    Layer.provide(configured(settings)),
    Layer.provide(quiet)
  )

/** Waits until nothing is owed. Asking more often would take a share of what is measured. */
export const delivered = Effect.gen(function*() {
  const { outbox } = yield* PlaneSync
  while ((yield* outbox).pending > 0) yield* Effect.sleep("50 millis")
}).pipe(Effect.timeout("120 seconds"))
