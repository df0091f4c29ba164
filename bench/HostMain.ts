import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import * as WorkerRunner from "@effect/platform/WorkerRunner"
import { Array, Clock, Context, Effect, Layer, Schema } from "effect"
import type { Scope } from "effect"
import { open } from "node:fs/promises"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { StageEvents } from "../src/events/StageEvents.js"
import { bareDriver } from "./BareDriver.js"
import type { Kind } from "./Host.js"
import { KindArgument, Slice } from "./Host.js"
import { spoken } from "./Load.js"
import { paced } from "./Pace.js"
import { pipelineOn, publishingOn } from "./Pipelines.js"
import { publishCommitted } from "./Publisher.js"
import { percentile } from "./Statistics.js"

/** Writes a page at the end of a file, and waits until it is on disk. */
const bareSync = (file: string) =>
  Effect.map(
    Effect.acquireRelease(Effect.promise(() => open(file, "a")), (handle) => Effect.promise(() => handle.close())),
    (handle) =>
      Effect.promise(async () => {
        await handle.write(Buffer.alloc(4096))
        await handle.datasync()
      })
  )

/** Makes a publish that can be run again and again. The layer is built once, as in a host that runs for days. */
const publishing = (kind: Kind): Effect.Effect<Effect.Effect<unknown, unknown>, unknown, Scope.Scope> => {
  if (kind._tag === "Bystander") return Effect.succeed(Effect.sync(() => JSON.stringify(spoken("ET-1", "an id"))))
  if (kind._tag === "BareSync") return bareSync(kind.file)
  if (kind._tag === "BareDriver") return bareDriver(kind.file)
  const layer: Layer.Layer<StageEvents, unknown> = kind._tag === "Pipeline"
    ? pipelineOn(kind.file, kind.settings)
    : publishingOn(kind.file)
  return Effect.map(Layer.build(layer), (context) => {
    const events = Context.get(context, StageEvents)
    let published = 0
    return Effect.suspend(() => publishCommitted(events, published++))
  })
}

// A bench that was killed leaves no process behind.
process.once("disconnect", () => process.exit())

Layer.unwrapScoped(
  Effect.gen(function*() {
    const publish = yield* Effect.flatMap(Schema.decodeUnknown(KindArgument)(process.argv[2]), publishing)
    return WorkerRunner.layerSerialized(Slice, {
      Slice: ({ count, perSecond }) =>
        Effect.gen(function*() {
          const delays = monitorEventLoopDelay({ resolution: 1 })
          delays.enable()
          const before = yield* Clock.currentTimeMillis
          const all = yield* Effect.orDie(paced({ count, perSecond, each: () => publish }))
          const millis = (yield* Clock.currentTimeMillis) - before - (all.at(-1)?.took ?? 0)
          delays.disable()
          const waits = Array.map(all, ({ late, took }) => late + took)
          return {
            p99: percentile(waits, 0.99),
            p50: percentile(waits, 0.5),
            loop: delays.percentile(99) / 1e6,
            // The first is due at once.
            perSecond: (count - 1) * 1_000 / millis
          }
        })
    })
  })
).pipe(
  Layer.provide(NodeWorkerRunner.layer),
  WorkerRunner.launch,
  NodeRuntime.runMain
)
