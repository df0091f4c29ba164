import type { ConfigError } from "effect"
import { Effect, Layer, Option } from "effect"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import type { StageEvents } from "../events/StageEvents.js"
import type { Covers } from "../outbox/Covers.js"
import { covers, coverTogether } from "../outbox/Covers.js"
import type { Term } from "../outbox/Leader.js"
import { Leadership } from "../outbox/Leadership.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { AgentLauncher } from "./AgentLauncher.js"
import { longestWait, makeActiveDue, readDueTasks } from "./DueTasks.js"
import { waitsForPerson } from "./Entering.js"
import { launchLimit, makeCallsDue } from "./Launches.js"
import { startLaunching } from "./Launching.js"
import type { PipelineError } from "./Pipeline.js"
import { Pipeline } from "./Pipeline.js"
import type { QualityGates } from "./QualityGate.js"
import { human } from "./QualityGate.js"
import { Tasks } from "./Tasks.js"
import { TaskStore } from "./TaskStore.js"

// Gates wait for others: see `startDueWork` for those that take long.
const concurrency = 4

/** Says at the start which stages wait for people where nobody may answer. */
const warnOfNobody = Effect.gen(function*() {
  const pipelines = yield* Pipeline
  for (const { commands, identifier } of (yield* Projects).all) {
    const pipeline = pipelines.of(identifier)
    const stages = Option.match(pipeline, { onNone: () => [], onSome: ({ stages }) => stages })
      .filter((stage) => waitsForPerson(pipeline, stage))
    if (commands.length > 0 || stages.length === 0) continue
    yield* Effect.logWarning(
      `ORCH_COMMANDS is empty, so nobody may say /approve to tasks of ${identifier} at ` +
        `${
          stages.map(({ stage }) => stage).join(", ")
        }, which have the gate ${human.name}: expected the people who may, ` +
        `by e-mail address or id, there or in "commands" of ${identifier} in plane-sync.json`
    )
  }
})

/**
 * Advances the tasks that have a new fact, stored by this process or by another one, and those whose gates want to be
 * asked again. Launches the agents, and stops them. All for the projects whose destinations this process leads, because
 * a launch looks at its work item with that API token. Once it leads, the gates of every active task are asked once:
 * their answers may have changed.
 */
const work = Layer.scopedDiscard(
  Effect.gen(function*() {
    const { read, sql, trouble, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const tasks = yield* Tasks

    yield* warnOfNobody
    const most = yield* launchLimit
    const { whileSending } = yield* Leadership
    // The terms for which all that must be looked at once is due.
    const led = new Set<Term>()
    const ofOurs: Covers = (project) => coverTogether(sql, Array.from(led))(project)

    yield* whileSending((term) =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        yield* trouble.retry<void, never>(write(makeActiveDue(sql, now, covers(sql, term))))
        yield* trouble.retry<void, never>(write(makeCallsDue(sql, now, covers(sql, term))))
        yield* Effect.acquireRelease(Effect.sync(() => led.add(term)), () => Effect.sync(() => led.delete(term)))
        yield* wakeUps.notify
      })
    )
    yield* startDueWork({
      concurrency,
      trouble,
      wakeUps,
      maxAhead: longestWait,
      read: (limit, furthest) => read(readDueTasks(sql, limit, furthest, ofOurs)),
      perform: ({ id }) => tasks.advance(id)
    })
    yield* startLaunching({ most, of: ofOurs, trouble })
  }).pipe(Effect.annotateLogs({ service: "Orchestrator" }))
)

/**
 * What decides that a stage changes: tasks, a pipeline of stages with their gates, and the launching of agents. The
 * host gives its parts: `Pipeline`, `QualityGates`, `AgentLauncher`. If it has a `WorkItemLook`, as over
 * `PlaneSync.layerStorage`, each work item is looked at before its agent is launched.
 */
export const orchestratorLayer: Layer.Layer<
  Tasks | TaskStore,
  ConfigError.ConfigError | PipelineError | StorageError,
  Pipeline | Projects | QualityGates | AgentLauncher | Storage | StageEvents | Leadership | WakeUps
> = Layer.provideMerge(Layer.provideMerge(work, Tasks.layer), TaskStore.layer)
