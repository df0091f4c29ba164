import { ConfigProvider, Effect, Layer } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Gitea, giteaOf } from "../../src/gitea/GiteaClient.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { CurrentProject } from "../../src/plane/CurrentProject.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { Destination } from "../../src/sending/Destination.js"
import type { PlaneProject } from "../../src/sending/PlaneProjects.js"
import { PlaneProjects } from "../../src/sending/PlaneProjects.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"

/** The only project, to which nothing is sent. */
const planeProjects = Layer.effect(
  PlaneProjects,
  Effect.gen(function*() {
    const { config, place, project } = yield* CurrentProject
    const only: PlaneProject = {
      project,
      config,
      place,
      client: yield* PlaneClient,
      budget: yield* RateBudget,
      destination: Destination.of({
        watch: Effect.void,
        opened: Effect.never,
        asked: Effect.void,
        isDown: () => Effect.succeed(true),
        unlessIdentifierHolds: () => Effect.succeedNone,
        wrote: Effect.void,
        wroteAt: Effect.succeedNone,
        status: Effect.succeed({ open: true }),
        probeNow: Effect.succeed({ open: true }),
        misfit: Effect.succeedNone,
        hasState: () => Effect.succeedNone
      })
    }
    return PlaneProjects.of({ all: [only] })
  })
).pipe(Layer.provide(PlaneClient.layer), Layer.provide(CurrentProject.layerOfKey("")))

/** What the handlers of hooks need, without any background work. */
export const handlersOnly = Layer.mergeAll(Inbox.layer, SkippedHooks.layer, Stirs.layer, TaskPullRequests.layer).pipe(
  Layer.provideMerge(TaskStore.layer),
  Layer.provideMerge(Layer.provide(StageEvents.layer, Outbox.layer)),
  Layer.provideMerge(
    Layer.mergeAll(
      Storage.layerFile(":memory:"),
      WakeUps.layerPolling("500 millis"),
      Pipeline.layerDefault,
      planeProjects
    )
  ),
  Layer.provideMerge(projectsLayer),
  Layer.provide(RateBudget.layer),
  Layer.provideMerge(Layer.succeed(Gitea, giteaOf(new Map()))),
  Layer.provide(PlaneSimulator.layerMemory()),
  Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
)
