import type { DateTime, Option } from "effect"
import { Brand, Schema } from "effect"
import type { Stage } from "../domain/Stage.js"
import type { TaskId } from "../tasks/Task.js"

/** A wait's number: those of later ones are higher. */
export type WaitId = number & Brand.Brand<"WaitId">
export const WaitId = Brand.nominal<WaitId>()

/**
 * Why a task waits for somebody. `asked`: its agent has asked. `gate_failed`: a gate has failed three times in a row.
 * `patience`: its stage takes longer than its patience. `ceiling`: it has taken more than a ceiling allows.
 * `dead_letter`: something could not be told in Plane. `approval`: its stage has the gate `human`, which asks a person.
 */
export const WaitReason = Schema.Literal("asked", "gate_failed", "patience", "ceiling", "dead_letter", "approval")
export type WaitReason = typeof WaitReason.Type

/** `answered`: by a person. `withdrawn`: nobody is needed any more. */
export const WaitState = Schema.Literal("open", "answered", "withdrawn")
export type WaitState = typeof WaitState.Type

/** Something that a task waits for somebody for: once for each entry of a stage. */
export interface Wait {
  readonly id: WaitId
  readonly taskId: TaskId
  readonly workItem: string
  /** The transition that entered the stage. */
  readonly entry: string
  readonly stage: Stage
  readonly reason: WaitReason
  /** The question, or what is the matter. */
  readonly question: string
  /** Who asks, if that is known. */
  readonly agent: Option.Option<string>
  readonly openedAt: DateTime.Utc
  readonly state: WaitState
  /** The answer, or why it was withdrawn; none while it is open. */
  readonly why: Option.Option<string>
  /** Who has answered. */
  readonly closedBy: Option.Option<string>
  readonly closedAt: Option.Option<DateTime.Utc>
  /** Those of the attention list who were asked so far. */
  readonly reached: ReadonlyArray<string>
  /** When the next one is asked; none where there is none. */
  readonly escalateAt: Option.Option<DateTime.Utc>
}
