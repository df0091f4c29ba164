import { ConfigProvider, Layer, Option } from "effect"
import { projectsLayer } from "../../src/domain/ProjectSettings.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"

/** What the handlers of hooks need, without any background work. */
export const handlersOnly = Layer.mergeAll(Inbox.layer, SkippedHooks.layer, Stirs.layer, TaskPullRequests.layer).pipe(
  Layer.provideMerge(TaskStore.layer),
  Layer.provideMerge(
    Layer.mergeAll(Storage.layerFile(":memory:"), WakeUps.layer, Pipeline.layerDefault, PlaneClient.layer)
  ),
  Layer.provideMerge(projectsLayer),
  Layer.provide(RateBudget.layer),
  Layer.provideMerge(Layer.succeed(Gitea, Option.none())),
  Layer.provide(PlaneSimulator.layerMemory()),
  Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
)
