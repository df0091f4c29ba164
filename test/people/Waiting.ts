import { ConfigProvider, Effect, Layer, Logger, LogLevel } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { peopleLayer } from "../../src/people/PeopleLayer.js"
import { readWaiting } from "../../src/people/Waiting.js"
import { Storage } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import type { QualityGate } from "../../src/tasks/QualityGate.js"
import { QualityGates } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { alwaysLeading } from "../support/AlwaysLeading.js"
import { forge } from "../tasks/Orchestration.js"

interface World {
  readonly database: Layer.Layer<Storage, StorageError>
  readonly settings?: Readonly<Record<string, string>>
  readonly stages?: ReadonlyArray<PipelineStage>
  readonly gates?: ReadonlyArray<QualityGate>
  readonly leadership?: Layer.Layer<Leadership>
  readonly wakeUps?: Layer.Layer<WakeUps>
}

/** Tasks, and who is asked about them, without a Plane. Tasks advance only by asking. */
export const world = ({
  database,
  gates = forge().gates,
  leadership = alwaysLeading,
  settings = {},
  stages = defaultStages,
  wakeUps = WakeUps.layerPolling("50 millis")
}: World) =>
  Layer.provideMerge(peopleLayer, Layer.provideMerge(Tasks.layer, TaskStore.layer)).pipe(
    Layer.provide(Layer.merge(Pipeline.layer(stages), QualityGates.layer(gates))),
    Layer.provideMerge(Layer.merge(StageEvents.layer, leadership)),
    Layer.provideMerge(Layer.mergeAll(Outbox.layer, projectsLayer, wakeUps)),
    Layer.provideMerge(database),
    Layer.provideMerge(Logger.minimumLogLevel(LogLevel.None)),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings)))))
  )

/** What a task waits for now, in short. */
export const waits = (key: string) =>
  Effect.gen(function*() {
    const task = yield* (yield* Tasks).get(key)
    const open = (yield* readWaiting(yield* Storage, [task])).get(task.id) ?? []
    return open.map(({ question, reason, reached }) =>
      `${reason}: ${question}${reached.length === 0 ? "" : ` [${reached.join(", ")}]`}`
    )
  })

/** Waits until it holds, for at most some seconds of real time. */
export const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (seen: A) => boolean) =>
  Effect.gen(function*() {
    for (let tries = 0; tries < 200; tries++) {
      const seen = yield* look
      if (holds(seen)) return seen
      yield* Effect.sleep("50 millis")
    }
    return yield* look
  })
