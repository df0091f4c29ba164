/**
 * plane-sync: an orchestrator's stage events become states and comments of Plane's work items, durably, in order, once.
 *
 * @module
 */
import { Layer } from "effect"
import { PlaneSync } from "./sending/PlaneSync.js"
import { Storage } from "./storage/Storage.js"
import { orchestratorLayer } from "./tasks/Orchestrator.js"

export { ItemId } from "./domain/Ids.js"
export { stages } from "./domain/Stage.js"
export type { Stage } from "./domain/Stage.js"
export { StageEvent, StageEventJson } from "./domain/StageEvent.js"
export { IdTaken, Receipt } from "./events/Receipt.js"
export { StageEvents } from "./events/StageEvents.js"
export { gatesLayer } from "./gitea/GiteaGates.js"
export { LeaderActive } from "./outbox/Leadership.js"
export type { OutboxStatus } from "./outbox/Queries.js"
export type { EventStatus, StoredEvent } from "./outbox/StoredEvent.js"
export type { RateStatus } from "./plane/RateBudget.js"
export type { DestinationStatus } from "./sending/Destination.js"
export { StorageError } from "./storage/StorageError.js"
export { AgentLauncher } from "./tasks/AgentLauncher.js"
export type { Launch } from "./tasks/AgentLauncher.js"
export { defaultStages, Pipeline, PipelineError } from "./tasks/Pipeline.js"
export type { PipelineStage } from "./tasks/Pipeline.js"
export { QualityGates, Verdict } from "./tasks/QualityGate.js"
export type { QualityGate } from "./tasks/QualityGate.js"
export type { GivenVerdict, Report, Task, TaskId, TaskStatus } from "./tasks/Task.js"
export { Tasks } from "./tasks/Tasks.js"
export { InvalidKey, NoTask, UnknownStage } from "./tasks/TaskStore.js"
export { Receiver, Refused } from "./webhooks/Receiver.js"
export { webhooksLayer } from "./webhooks/Webhooks.js"

export { PlaneSync, Storage }

const orchestratorOverStorage = Layer.provideMerge(orchestratorLayer, PlaneSync.layerStorage)

/**
 * What decides that a stage changes: tasks, a pipeline of stages with their gates, and the launching of agents. The host
 * gives its parts: `Pipeline`, `QualityGates`, `AgentLauncher`.
 */
export const Orchestrator = {
  /** Over a `PlaneSync` that the host has built. */
  layerTasks: orchestratorLayer,
  /** With its own `PlaneSync`, over a storage. */
  layerStorage: orchestratorOverStorage,
  /** With its own `PlaneSync` and a SQLite file of its own: see `PlaneSync.layer`. */
  layer: Layer.provide(orchestratorOverStorage, Storage.layer),
  /** With its own `PlaneSync`, in the host's own database: see `PlaneSync.layerSql`. */
  layerSql: Layer.provide(orchestratorOverStorage, Storage.layerSql)
}
