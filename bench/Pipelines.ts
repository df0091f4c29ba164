import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import { ConfigProvider, Effect, Layer, Logger, LogLevel } from "effect"
import { StageEvents } from "../src/events/StageEvents.js"
import { Outbox } from "../src/outbox/Outbox.js"
import { PlaneClient } from "../src/plane/PlaneClient.js"
import { projectsLayer } from "../src/plane/ProjectSettings.js"
import { RateBudget } from "../src/plane/RateBudget.js"
import { PlaneSync } from "../src/PlaneSyncLayers.js"
import { Destination } from "../src/sending/Destination.js"
import { Storage } from "../src/StorageLayers.js"
import { WakeUps } from "../src/storage/WakeUps.js"

/** `ORCH_…` variables, instead of the environment's. */
export type Settings = Readonly<Record<string, string>>

const configured = (settings: Settings) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))

// A Plane that misbehaves is reported as it should be, but not amid a table.
const quiet = Logger.minimumLogLevel(LogLevel.None)

/** The path of a database of its own, in a folder that goes with the scope. */
export const temporaryDatabase = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  Effect.map(
    fs.makeTempDirectoryScoped({ prefix: "plane-sync-bench-" }),
    (folder) => `${folder}/bench.sqlite`
  )).pipe(Effect.provide(NodeFileSystem.layer))

/** What a host has: `PlaneSync.layer`, on a SQLite file. */
export const pipelineOn = (file: string, settings: Settings) =>
  PlaneSync.layer.pipe(
    Layer.provide(configured({ ...settings, ORCH_DATABASE_URL: file })),
    Layer.provide(quiet)
  )

/** The same on a file of its own that goes with the scope. */
export const pipeline = (settings: Settings) =>
  Layer.unwrapScoped(Effect.map(temporaryDatabase, (file) => pipelineOn(file, settings)))

/** The same publishing on a file, and nobody who sends. */
export const publishingOn = (file: string) =>
  StageEvents.layer.pipe(
    Layer.provide(projectsLayer),
    Layer.provideMerge(Layer.merge(Outbox.layer, WakeUps.layer)),
    Layer.provide(Storage.layerFile(file)),
    Layer.provide(configured({})),
    Layer.provide(quiet)
  )

/** The same publishing on the same kind of file, and nobody who sends. */
export const publishingOnly = Layer.unwrapScoped(Effect.map(temporaryDatabase, publishingOn))

/** Over the HttpClient that is there, a simulated Plane in memory, and no file: its time is the TestClock's. */
export const pipelineInMemory = (settings: Settings) =>
  Layer.merge(PlaneSync.layerPipeline, StageEvents.layer).pipe(
    Layer.provide(Destination.layer),
    Layer.provide(PlaneClient.layer),
    // Nobody else writes to it, and each poll would cost the TestClock a step.
    Layer.provide(Layer.mergeAll(Outbox.layer, WakeUps.layerPolling("1 days"), projectsLayer, RateBudget.layer)),
    Layer.provide(Storage.layerFile(":memory:")),
    Layer.provide(configured(settings)),
    Layer.provide(quiet)
  )

/** Waits until nothing is owed. Asked more often, it would take a share of what is measured. */
export const delivered = Effect.gen(function*() {
  const { outbox } = yield* PlaneSync
  while ((yield* outbox).pending > 0) yield* Effect.sleep("50 millis")
}).pipe(Effect.timeout("120 seconds"))
