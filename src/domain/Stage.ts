/**
 * A stage of a task, by name. An orchestrator may have stages of its own, so any text is a stage; the eight of the
 * specification are `stages`.
 */
export type Stage = string

/** The stages of a task in their order, as the specification has them. */
export const stages = [
  "created",
  "analysis",
  "architecture",
  "development",
  "review",
  "testing",
  "deploy",
  "done"
] as const satisfies ReadonlyArray<Stage>

/** The stage a completed task is in: its state is the one that `TaskCompleted` asks for. */
export const doneStage: Stage = "done"
