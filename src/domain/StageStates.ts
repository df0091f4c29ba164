import { Schema } from "effect"

/** The id of a Plane state: a UUID, lower case as Plane writes it. */
export const StateId = Schema.UUID.pipe(
  Schema.annotations({ identifier: "StateId", description: "the id of a Plane state, a UUID" })
)

/**
 * Which Plane state a stage puts its work item in: stage name → state id. A stage that is not in the table changes no
 * state; its comment is written all the same.
 */
export const StageStates = Schema.ReadonlyMapFromRecord({ key: Schema.NonEmptyString, value: StateId })
export type StageStates = typeof StageStates.Type

const todo = "2c7d3df3-9eb9-419b-92b7-d7d560bcdd10"
const inProgress = "b873d9eb-993c-48cd-97ac-99a9b1623967"
const done = "381a2833-3c4e-4be5-bd0f-be84cb946ad8"

/** The table of the installation that the specification was written for. */
export const defaultStageStates: StageStates = new Map([
  ["created", todo],
  ["analysis", inProgress],
  ["architecture", inProgress],
  ["development", inProgress],
  ["review", inProgress],
  ["testing", inProgress],
  ["deploy", inProgress],
  ["done", done]
])
