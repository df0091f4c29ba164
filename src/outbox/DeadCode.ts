import { Schema } from "effect"

/** Why something is a dead letter, in a word; its `reason` has the words. */
export const DeadCode = Schema.Literal(
  /** The event can never be told: its key or a text is not what it must be. */
  "unfit",
  /** Its key's prefix is not the project's identifier. */
  "wrong_project",
  /** Several names carry its key. */
  "ambiguous",
  /** Nobody had its key for as long as it is looked for. */
  "not_found",
  /** Its work item was deleted or archived. */
  "gone",
  /** Plane refused the request. */
  "refused",
  /** Plane said yes and did something else. */
  "ignored",
  /** It failed as often as it is tried. */
  "attempts"
)
export type DeadCode = typeof DeadCode.Type
