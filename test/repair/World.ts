import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type { Duration } from "effect"
import { Effect, Layer, Option } from "effect"
import { repairLayer } from "../../src/repair/Repair.js"
import type { PlaneSimulatorOptions } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { orchestratorLayer } from "../../src/tasks/Orchestrator.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { startHookWorker } from "../../src/webhooks/HookWorker.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/PlaneHandler.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import { pipelineOver, settingsFor } from "../sending/Pipeline.js"
import { immediateDisk } from "../support/ImmediateDisk.js"
import { forge } from "../tasks/Orchestration.js"

const moments = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=\.\d{6}Z)/g

/** A text of Plane as one would write it whose clock is so far ahead. */
const shifted = (text: string, seconds: number) =>
  text
    .replace(moments, (moment) => new Date(Date.parse(`${moment}Z`) + seconds * 1_000).toISOString().slice(0, 19))
    .replace(/"epoch": ?([\d.]+)/g, (_, epoch: string) => `"epoch":${Number(epoch) + seconds}`)

interface Options {
  readonly plane?: PlaneSimulatorOptions
  readonly settings?: Readonly<Record<string, string>>
  readonly database?: string
  /** How far Plane's clock is ahead. */
  readonly ahead?: number
  /** Whether Plane's hooks come. They can be switched. */
  readonly hooks?: { isOn: boolean; late?: Duration.DurationInput }
}

/** Plane, with hooks that come as the test says. It outlives the program. */
export const plane = ({ ahead = 0, hooks = { isOn: false }, plane = {} }: Options = {}) => {
  let count = 0
  let take: (body: string, event: string) => Effect.Effect<void, unknown> = () => Effect.void
  const layer = PlaneSimulator.layerMemory({
    ...plane,
    webhook: {
      url: "http://kept.test/",
      secret: "plane_wh_unused",
      send: ({ body, headers }) =>
        // Plane waits 30 s for an answer, and then sends again: so a late one is under way, and answered by now.
        Effect.suspend(() => hooks.isOn ? take(shifted(body, ahead), headers["X-Plane-Event"] ?? "") : Effect.void)
          .pipe(
            (taken) => hooks.late === undefined ? taken : Effect.forkDaemon(Effect.delay(taken, hooks.late)),
            Effect.as(202)
          )
    }
  })
  const skewed = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      (client) =>
        HttpClient.transformResponse(
          client,
          (answered) =>
            Effect.map(answered, (response): HttpClientResponse.HttpClientResponse =>
              new Proxy(response, {
                get: (target, name) =>
                  name === "text"
                    ? Effect.map(target.text, (text) => shifted(text, ahead))
                    : (Reflect.get(target, name, target) as unknown)
              }))
        )
    )
  )
  return {
    layer: ahead === 0 ? layer : Layer.merge(layer, Layer.provide(skewed, layer)),
    listen: Layer.scopedDiscard(Effect.gen(function*() {
      const inbox = yield* Inbox
      take = (body, event) => {
        const uuid = `hook ${count++}`
        return inbox.store({ source: "plane", signer: "", isSigned: true, event, uuid, body, digest: uuid })
      }
    }))
  }
}

const hookWork = Layer.scopedDiscard(Effect.gen(function*() {
  yield* startHookWorker(yield* Inbox, {
    plane: yield* planeHandler,
    gitea: () => Effect.dieMessage("no forge here")
  })
}))

/** The program over a Plane: sending, tasks, hooks and repair, by the TestClock. */
export const program = (
  { database = ":memory:", settings = {} }: Options,
  listen: ReturnType<typeof plane>["listen"]
) =>
  Layer.mergeAll(repairLayer, hookWork, listen).pipe(
    Layer.provideMerge(Layer.merge(Inbox.layer, SkippedHooks.layer)),
    Layer.provideMerge(orchestratorLayer),
    Layer.provide([Pipeline.layerDefault, QualityGates.layer(forge().gates), AgentLauncher.layerLog]),
    Layer.provideMerge(pipelineOver(Layer.provide(Storage.layerFile(database), immediateDisk))),
    Layer.provide(settingsFor({ ORCH_PLANE_WEBHOOK_SECRET: "plane_wh_test", ...settings }))
  )

/** Both. */
export const world = (options: Options = {}) => {
  const { layer, listen } = plane(options)
  return Layer.provideMerge(program(options, listen), layer)
}

/** The task of a key, in short. */
export const task = (key: string) =>
  Effect.flatMap(
    TaskStore,
    (tasks) =>
      Effect.map(
        tasks.byKey(key),
        Option.match({ onNone: () => "none", onSome: ({ stage, status }) => `${stage} ${status}` })
      )
  )

/** What Plane was asked since, in short. */
export const asked = Effect.flatMap(
  PlaneSimulator,
  ({ requests }) => Effect.map(requests, (all) => all.map(({ kind, method }) => `${method} ${kind}`))
)

/** Only what repair asks. */
export const read = Effect.map(asked, (all) => all.filter((one) => one === "GET items" || one === "GET activities"))
