import type { Scope } from "effect"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { describe } from "vitest"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { eventOfBody } from "../../src/outbox/StoredEvent.js"
import type { Storage as StorageService } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { orchestratorLayer } from "../../src/tasks/Orchestrator.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import type { QualityGate } from "../../src/tasks/QualityGate.js"
import { QualityGates, Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { alwaysLeading } from "../support/AlwaysLeading.js"
import type { Engine } from "../support/Engines.js"
import { inFile, inMemory, inPostgres } from "../support/Engines.js"
import { immediateDisk } from "../support/ImmediateDisk.js"
import { describePostgres } from "../support/Postgres.js"

type Database = Layer.Layer<StorageService, StorageError>

interface Options {
  /** A file. */
  readonly database?: string
  readonly stages?: ReadonlyArray<PipelineStage>
  readonly gates?: ReadonlyArray<QualityGate>
  readonly settings?: Readonly<Record<string, string>>
}

/** A gate that says what it is told to say; pending until then. How often it was asked is counted. */
export const settable = (name: string, is: Omit<Partial<QualityGate>, "name" | "check"> = {}) => {
  let verdict: Effect.Effect<Verdict> = Effect.succeed(Verdict.Pending({ why: "nothing was heard" }))
  let asked = 0
  const gate: QualityGate = {
    ...is,
    name,
    check: () =>
      Effect.suspend(() => {
        asked += 1
        return verdict
      })
  }
  return {
    gate,
    say: (next: Verdict | Effect.Effect<Verdict>) => {
      verdict = Effect.isEffect(next) ? next : Effect.succeed(next)
    },
    asked: () => asked
  }
}

/** The default gates that others provide, each settable. */
export const forge = () => {
  const ofTask = { isOfTask: true }
  const [ci, approval] = [settable("ci", ofTask), settable("approval", ofTask)]
  const merged = settable("merged", { ...ofTask, isLasting: true })
  return { ci, approval, merged, gates: [ci.gate, approval.gate, merged.gate] }
}

const parts = ({ gates = forge().gates, stages = defaultStages }: Options) =>
  Layer.merge(Pipeline.layer(stages), QualityGates.layer(gates))

/** Events and storage, without a Plane. No polls, which would each cost the TestClock a step. */
const events = (database: Database, settings: Readonly<Record<string, string>> = {}) =>
  Layer.merge(StageEvents.layer, alwaysLeading)
    .pipe(
      Layer.provideMerge(Layer.mergeAll(Outbox.layer, projectsLayer, WakeUps.layerPolling("1 days"))),
      Layer.provideMerge(database),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings)))))
    )

const onFile = (file = ":memory:"): Database => Layer.provide(Storage.layerFile(file), immediateDisk)

const tasksOn = (database: Database, options: Options = {}) =>
  Layer.provideMerge(Tasks.layer, TaskStore.layer).pipe(
    Layer.provide(parts(options)),
    Layer.provideMerge(events(database, options.settings))
  )

/** Tasks that nobody advances but by asking. */
export const tasksOnly = (options: Options = {}) => tasksOn(onFile(options.database), options)

type Parts = Omit<Options, "database">

/** What the tests of `onBoth` have to run on one of the databases. */
export interface On {
  readonly tasksOnly: (options?: Parts) => ReturnType<typeof tasksOnly>
  /** A new database. Each layer over it is a process of its own. */
  readonly processes: Effect.Effect<(options?: Parts) => ReturnType<typeof tasksOnly>, never, Scope.Scope>
  /** How often transactions have waited for each other. */
  readonly deadlocks: Effect.Effect<number, StorageError, StorageService>
}

const on = ({ database, storage }: Pick<Engine, "database" | "storage">, deadlocks: On["deadlocks"]): On => ({
  deadlocks,
  tasksOnly: (options) => tasksOn(storage, options),
  processes: Effect.map(database, (database) => (options) => tasksOn(database, options))
})

const deadlocksOfPostgres = Effect.flatMap(Storage, ({ read, sql }) =>
  Effect.map(
    read(sql<{ n: number }>`SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()`),
    ([row]) => row?.n ?? 0
  ))

/** Rules that hold on SQLite and on Postgres. The latter answers in real time, so its tests wait for no virtual one. */
export const onBoth = (name: string, tests: (on: On) => void) => {
  describe(name, () => tests(on({ ...inFile, storage: inMemory.storage }, Effect.succeed(0))))
  describePostgres(
    `${name}, on Postgres`,
    () => tests(on(inPostgres, deadlocksOfPostgres))
  )
}

/** With what works in the background. */
export const running = (
  options: Options & {
    readonly launcher?: Layer.Layer<AgentLauncher>
    /** `ORCH_LAUNCHES`. */
    readonly launches?: number
  } = {}
) =>
  orchestratorLayer.pipe(
    Layer.provide(Layer.merge(parts(options), options.launcher ?? AgentLauncher.layerLog)),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(
      new Map(options.launches === undefined ? [] : [["ORCH_LAUNCHES", String(options.launches)]])
    ))),
    Layer.provideMerge(events(onFile(options.database), options.settings))
  )

/** What was published, oldest first, in short. */
export const told = Effect.gen(function*() {
  const outbox = yield* Outbox
  const rows = yield* outbox.events({ limit: 200 })
  return rows.toReversed().map(({ body }) =>
    Option.match(eventOfBody(body), {
      onNone: () => body,
      onSome: (event) => {
        switch (event._tag) {
          case "StageChanged":
            return `${event.from} → ${event.to}${event.agent === undefined ? "" : ` (${event.agent})`}`
          case "QualityGateFailed":
            return `${event.stage}: ${event.check} failed: ${event.reason}`
          case "TaskCompleted":
            return "completed"
          case "QuestionAsked":
            return `${event.agent ?? "somebody"} asks: ${event.question}`
          case "Noted":
            return event.text
        }
      }
    })
  )
})
