/**
 * plane-sync: an orchestrator's stage events become states and comments of Plane's work items, durably, in order, once.
 *
 * @module
 */
export { stages } from "./domain/Stage.js"
export type { Stage } from "./domain/Stage.js"
export { StageEvent, StageEventJson } from "./domain/StageEvent.js"
export { AgentLauncher } from "./orchestrator/AgentLauncher.js"
export type { Launch } from "./orchestrator/AgentLauncher.js"
export { Orchestrator } from "./orchestrator/Orchestrator.js"
export { defaultStages, Pipeline, PipelineError } from "./orchestrator/Pipeline.js"
export type { PipelineStage } from "./orchestrator/Pipeline.js"
export { QualityGates, Verdict } from "./orchestrator/QualityGate.js"
export type { QualityGate } from "./orchestrator/QualityGate.js"
export type { GivenVerdict, Report, Task, TaskStatus } from "./orchestrator/Task.js"
export { Tasks } from "./orchestrator/Tasks.js"
export { InvalidKey, NoTask, UnknownStage } from "./orchestrator/TaskStore.js"
export type { EventStatus, StoredEvent } from "./outbox/Event.js"
export type { OutboxStatus } from "./outbox/Reading.js"
export { SenderActive } from "./outbox/Sender.js"
export { Storage } from "./outbox/Storage.js"
export { StorageError } from "./outbox/StorageError.js"
export type { RateStatus } from "./plane/RateBudget.js"
export type { DestinationStatus } from "./sync/Destination.js"
export { PlaneSync } from "./sync/PlaneSync.js"
export { IdTaken, Receipt } from "./sync/Receipt.js"
export { StageEvents } from "./sync/StageEvents.js"
