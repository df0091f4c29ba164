import { Schema } from "effect"
import { echoed } from "../base/Issue.js"

const Code = Schema.Literal(
  "unfit",
  "wrong_project",
  "ambiguous",
  "not_found",
  "gone",
  "refused",
  "ignored",
  "attempts"
)

/** Why a delivery is a dead letter, in one word. Its `reason` says the same in a sentence. */
export const DeadCode = Code.annotations({
  description: [
    "unfit: the event can never be told",
    "wrong_project: its key is another project's",
    "ambiguous: several names carry its key",
    "not_found: no work item had its key for as long as it was looked for",
    "gone: its work item was deleted or archived",
    "refused: Plane refused the request",
    "ignored: Plane said yes and did something else",
    "attempts: all its attempts failed, and there are no more"
  ].join("; "),
  message: ({ actual }) => ({
    message: `${echoed(actual)} is not a code: expected one of ${Code.literals.join(", ")}`,
    override: true
  })
})
export type DeadCode = typeof DeadCode.Type
