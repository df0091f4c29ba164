import type { Duration } from "effect"
import type { Stage } from "./Stage.js"
import { doneStage } from "./Stage.js"
import type { StateName } from "./StageStates.js"

/** One stage of the pipeline. */
export interface PipelineStage {
  readonly stage: Stage
  /** The state in Plane. None: as the stage table says. */
  readonly state?: StateName
  /** The agent that is launched when a task enters the stage, if it needs one. */
  readonly agent?: string
  /** The names of the gates that must hold before a task leaves the stage. Those of the last stage are never asked. */
  readonly gates: ReadonlyArray<string>
  /** How long a task may be at the stage before somebody is asked. None: as long as it takes. */
  readonly patience?: Duration.Duration
}

/** The default stages, with their agents and gates. */
export const defaultStages: ReadonlyArray<PipelineStage> = [
  { stage: "created", gates: ["started"] },
  { stage: "analysis", agent: "analyst", gates: ["reported"] },
  { stage: "architecture", agent: "architect", gates: ["reported"] },
  { stage: "development", agent: "developer", gates: ["ci"] },
  { stage: "review", agent: "reviewer", gates: ["approval"] },
  // The work can change after it was approved, so its checks and approvals are asked for again.
  { stage: "testing", agent: "tester", gates: ["reported", "ci", "approval"] },
  { stage: "deploy", agent: "deployer", gates: ["ci", "approval", "merged"] },
  { stage: doneStage, gates: [] }
]
