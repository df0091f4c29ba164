import { Effect, Layer } from "effect"
import { projectsConfig } from "./config/ProjectsConfig.js"
import { Projects } from "./domain/Projects.js"
import { gatesLayer } from "./gitea/GiteaGates.js"
import { peopleLayer } from "./people/PeopleLayer.js"
import { repairLayer } from "./repair/Repair.js"
import { PlaneSync } from "./sending/PlaneSync.js"
import { Storage } from "./StorageLayers.js"
import { orchestratorLayer } from "./tasks/Orchestrator.js"
import { Pipeline, withStates } from "./tasks/Pipeline.js"
import { webhooksLayer } from "./webhooks/Webhooks.js"

/** The projects of the settings, with the states that the host's pipeline carries. */
const projects = Layer.effect(Projects, Effect.zipWith(projectsConfig, Pipeline, withStates))

const layerTasks = Layer.provideMerge(peopleLayer, orchestratorLayer)

const layerStorage = Layer.provideMerge(layerTasks, Layer.provideMerge(PlaneSync.layerStorage, projects))

/**
 * What decides that a stage changes: tasks, a pipeline of stages with their gates, and the launching of agents. A host
 * gives its parts: `Pipeline`, `QualityGates` and `AgentLauncher`.
 */
export const Orchestrator = {
  /** Over a `PlaneSync` that is already there. What the stages of the pipeline carry is not known to it. */
  layerTasks,
  /** With its `PlaneSync`, over a storage. */
  layerStorage,
  /** With its `PlaneSync` and a SQLite file of its own: see `PlaneSync.layer`. */
  layer: Layer.provide(layerStorage, Storage.layer),
  /** With its `PlaneSync`, in the host's own database: see `PlaneSync.layerSql`. */
  layerSql: Layer.provide(layerStorage, Storage.layerSql)
}

/** The gates of the default pipeline, by what Gitea says. */
export const GiteaGates = {
  /** With them as the `QualityGates`. It goes over the pipeline, the sending to Plane and the storage. */
  layer: gatesLayer
}

/** Webhooks of Plane and Gitea. */
export const Webhooks = {
  /**
   * Takes them, by the `Receiver`, and works on them. It goes over the tasks, the sending to Plane and the storage: over
   * `Orchestrator.layerStorage`, or `Orchestrator.layerTasks` over `PlaneSync.layerStorage`, with
   * `Layer.provideMerge(Storage.layer)`.
   */
  layer: webhooksLayer
}

/** What is done where webhooks of Plane are lost, or none come at all. */
export const Repair = {
  /**
   * Reads in Plane what no webhook has told, and notices that none comes: the `Silence`, which `HttpInterface.layer`
   * shows in its health where it is there. It goes over the same as `Webhooks.layer`, beside it or without it.
   */
  layer: repairLayer
}
