import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import { Array, Config, ConfigProvider, Data, Effect, Layer, Logger, LogLevel } from "effect"
import { monotonicMillis } from "../../src/base/Time.js"
import { projectConfig } from "../../src/domain/ProjectSettings.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { serveLayer } from "../../src/http/Serve.js"
import type { Job } from "../../src/outbox/Job.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneConfig } from "../../src/plane/PlaneConfig.js"
import { schemaLayer } from "../../src/Schema.js"
import type { Figure, Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { eventsOfEach, stored } from "../FilledDatabase.js"
import { changed } from "../Load.js"
import { planBy } from "../NextStep.js"
import { timed } from "../Pace.js"
import { publishingOn, temporaryDatabase } from "../Pipelines.js"
import { settled } from "../Settlement.js"
import { median } from "../Statistics.js"

const rounds = 10

// How often each is done in a round. A work item's look-up and its state follow each other, so two turns are measured
// as one. All rounds together, the first included, need no more turns than the smallest database has work items to look
// up.
const each = { "publish": 30, "settle and claim": 4, "GET /api/work-items/{key}": 30 } as const
const names = ["publish", "settle and claim", "GET /api/work-items/{key}"] as const
type Name = (typeof names)[number]

class OtherJob extends Data.TaggedError("OtherJob")<{ readonly claimed: string; readonly expected: string }> {
  override get message(): string {
    return `A ${this.claimed} was claimed instead of a ${this.expected}: times of unlike jobs cannot be compared`
  }
}

/** The program on a file, within this process and without a token, so it serves and sends nothing. */
const served = (file: string) =>
  Effect.gen(function*() {
    const config = ConfigProvider.fromMap(new Map([["ORCH_DATABASE_URL", file], ["ORCH_PORT", "0"]]))
    const context = yield* Layer.build(
      serveLayer.pipe(
        Layer.provide(schemaLayer),
        Layer.provide(Layer.setConfigProvider(config)),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None))
      )
    )
    return yield* HttpServer.addressFormattedWith(Effect.succeed).pipe(Effect.provide(context))
  })

/** The measured operations, on a database where this many events are owed. */
const onDatabaseOf = (events: number) =>
  Effect.gen(function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const file = yield* stored(events)
    const copy = yield* temporaryDatabase
    yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.copyFile(file, copy))
    const workItems = events / eventsOfEach
    const url = yield* served(copy)
    const context = yield* Layer.build(publishingOn(file))
    const { publish } = yield* Effect.provide(StageEvents, context)
    const outbox = yield* Effect.provide(Outbox, context)
    const [config, { stages }] = yield* Effect.withConfigProvider(
      Config.all([PlaneConfig, projectConfig]),
      ConfigProvider.fromMap(new Map())
    )
    const claim = {
      projects: ["ET", ""],
      urgentAfter: Infinity,
      plan: planBy(config, stages)
    }
    const holder = "bench"
    yield* outbox.becomeLeader({ holder })

    let index = 0
    let job: Job | undefined
    const turn = Effect.fnUntraced(function*(expected: "look" | "state") {
      const now = yield* monotonicMillis
      job = yield* outbox.turn({ holder, claim, settlement: job && settled(job, now) })
      const claimed = job === undefined ? "nothing" : job._tag === "Send" ? job.delivery.kind : job._tag.toLowerCase()
      if (claimed !== expected) return yield* new OtherJob({ claimed, expected })
    })
    const operations: Record<Name, Effect.Effect<unknown, unknown>> = {
      "publish": Effect.suspend(() => publish(changed(index++, workItems))),
      "settle and claim": Effect.zipRight(turn("look"), turn("state")),
      "GET /api/work-items/{key}": Effect.suspend(() =>
        Effect.flatMap(
          client.get(`${url}/api/work-items/ET-${index++ % workItems + 1}`),
          (response) => response.text
        )
      )
    }
    return { events, operations }
  })

const measure = (sizes: Array.NonEmptyReadonlyArray<number>) =>
  Effect.gen(function*() {
    const databases = yield* Effect.forEach(sizes, onDatabaseOf)
    const seen = databases.map(({ events, operations }) => ({
      events,
      operations,
      millis: new Map<Name, Array<number>>()
    }))
    // The databases take turns, so that a noisy moment of the machine hits all alike. The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      for (const { millis, operations } of seen) {
        for (const name of names) {
          const times = yield* Effect.replicateEffect(timed(operations[name]), each[name])
          if (round > 0) millis.set(name, [...(millis.get(name) ?? []), ...times])
        }
      }
    }
    const medianOf = (millis: ReadonlyArray<number> | undefined) =>
      millis !== undefined && Array.isNonEmptyReadonlyArray(millis) ? median(millis) : NaN
    return names.map((name): Figure => {
      const all = seen.map(({ events, millis }) => ({ events, value: medianOf(millis.get(name)) }))
      const [least = NaN, ...rest] = all.map(({ value }) => value)
      const texts = all.slice(1).map(({ events, value }) =>
        `${value.toFixed(2)} with ${events.toLocaleString("en-US")}`
      )
      return {
        row: `constant: ${name}`,
        value: (rest.at(-1) ?? NaN) / least,
        unit: `× with ${(all.at(-1)?.events ?? 0).toLocaleString("en-US")} events`,
        aim: Aim.AtMost({ limit: 1.5 }),
        beside: { what: `ms with ${(all[0]?.events ?? 0).toLocaleString("en-US")}, ${texts.join(", ")}`, value: least },
        means: "it stays as fast as on the first day"
      }
    })
  }).pipe(Effect.provide(Layer.merge(NodeHttpClient.layer, NodeFileSystem.layer)))

/** Whether what is stored makes work slower. */
export const row: Row = {
  name: "constant",
  description: "publish, claim and GET /api/work-items/{key} with 1,000, 10,000 and 100,000 events stored",
  measure: measure([1_000, 10_000, 100_000])
}

/** The same with more events. */
export const million: Row = {
  name: "million",
  description: "the same with 1,000 and 1,000,000 events; only when it is named",
  onDemand: true,
  measure: measure([1_000, 1_000_000])
}
