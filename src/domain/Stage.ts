/**
 * A stage of a task, by name. Any text is a stage, because an orchestrator may have its own; `stages` are those of the
 * default pipeline.
 */
export type Stage = string

/** The stages of the default pipeline, in their order. */
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
