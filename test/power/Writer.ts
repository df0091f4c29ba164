import * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Layer, Logger, LogLevel, Option, Schema } from "effect"
import { openSync, writeSync } from "node:fs"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Receipt } from "../../src/events/Receipt.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Disk } from "../../src/storage/sqlite/LogSync.js"
import { Storage } from "../../src/StorageLayers.js"
import { delivered, pipelineOver, settingsFor } from "../sending/Pipeline.js"

/**
 * The program whose power is cut: it publishes, and sends to a simulated Plane, for as long as it takes. What it
 * promises to others is written into a file at the same moment: each receipt, and each comment that it sends. A disk that
 * lies says at once that all is there.
 */

const [, , folder = "", events = "0", kind = "honest"] = process.argv
const descriptor = openSync(`${folder}/promises`, "a")
const promise = (what: string, id: string) => Effect.sync(() => void writeSync(descriptor, `${what} ${id}\n`))

const lying = Layer.succeed(Disk, { sync: (_, done) => void setImmediate(() => done(null)) })

const Comment = Schema.parseJson(Schema.Struct({ external_id: Schema.String }))

/** Notes the id of each comment at the moment at which it leaves. */
const watched = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.tapRequest(({ body, method }) => {
      if (method !== "POST" || body._tag !== "Uint8Array") return Effect.void
      const comment = Schema.decodeUnknownOption(Comment)(new TextDecoder().decode(body.body))
      return Option.match(comment, {
        onNone: () => Effect.void,
        onSome: ({ external_id }) => promise("sent", external_id)
      })
    })
  )
)

const publishAll = Effect.gen(function*() {
  const { publish } = yield* StageEvents
  const plane = yield* PlaneSimulator
  const items = yield* Effect.forEach(Array.from({ length: 12 }), (_, n) => plane.addWorkItem({ name: `Item ${n}` }))
  const reason = "x".repeat(1_500)
  yield* Effect.forEach(
    Array.from({ length: Number(events) }, (_, n) => n),
    (n) =>
      Effect.gen(function*() {
        const event = StageEvent.QualityGateFailed({
          workItem: items[n % items.length]?.key ?? "",
          stage: "review",
          check: "lint",
          reason: `${n} ${reason}`,
          id: `event-${n}`
        })
        const receipt = yield* publish(event)
        if (!Receipt.$is("Committed")(receipt)) return yield* Effect.dieMessage(JSON.stringify(receipt))
        yield* promise("accepted", receipt.id)
      }),
    { concurrency: 8, discard: true }
  )
  yield* delivered
})

const settings = settingsFor({ ORCH_PLANE_RATE_LIMIT: "100/second", ORCH_PLANE_QUIET: "1 second" })

await Effect.runPromise(publishAll.pipe(
  Effect.provide(
    pipelineOver(
      Layer.provide(Storage.layerFile(`${folder}/events.sqlite`), kind === "lying" ? lying : Layer.empty)
    ).pipe(
      Layer.provide(settings),
      Layer.provideMerge(Layer.provideMerge(watched, PlaneSimulator.layerMemory({ rateLimit: "off" })))
    )
  ),
  Logger.withMinimumLogLevel(LogLevel.Warning)
))
