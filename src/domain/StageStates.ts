import { Brand, Schema } from "effect"

const uuid = { identifier: "StateId", description: "the id of a Plane state, a UUID" }

/** Plane's uuid of a state, lower case as Plane writes it. */
export type StateId = string & Brand.Brand<"StateId">
export const StateId = Brand.nominal<StateId>()

/** A state id as Plane writes it. */
export const PlaneStateId = Schema.String.pipe(Schema.fromBrand(StateId))

/** A state id as people copy it, in letters of either case. */
const StateIdText = Schema.transform(Schema.UUID.annotations(uuid), PlaneStateId, {
  strict: true,
  decode: (text) => text.toLowerCase(),
  encode: (id) => id
})

/**
 * Which Plane state a stage puts its work item in. A stage that is not in the table changes no state; its comment is
 * sent all the same.
 */
export const StageStates = Schema.ReadonlyMapFromRecord({ key: Schema.NonEmptyString, value: StateIdText })
export type StageStates = typeof StageStates.Type

const todo = StateId("2c7d3df3-9eb9-419b-92b7-d7d560bcdd10")
const inProgress = StateId("b873d9eb-993c-48cd-97ac-99a9b1623967")
const done = StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8")

/** The table that applies when no other is set. */
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
