import { Brand, Schema } from "effect"
import type { Stage } from "./Stage.js"

const uuid = { identifier: "StateId", description: "the id of a Plane state, a UUID" }

/** Plane's uuid of a state, lower case as Plane writes it. */
export type StateId = string & Brand.Brand<"StateId">
export const StateId = Brand.nominal<StateId>()

/** A state id as Plane writes it. */
export const PlaneStateId = Schema.String.pipe(Schema.fromBrand(StateId))

/** A state id as people copy it, in letters of either case. */
export const StateIdText = Schema.transform(Schema.UUID.annotations(uuid), PlaneStateId, {
  strict: true,
  decode: (text) => text.toLowerCase(),
  encode: (id) => id
})

/** The groups that Plane sorts states into. */
export const stateGroups = ["backlog", "unstarted", "started", "completed", "cancelled"] as const
export type StateGroup = (typeof stateGroups)[number]

/** How people name a state: by its id, by its name, or as the first of a group. */
export type StateName =
  | { readonly id: StateId }
  | { readonly name: string }
  | { readonly group: StateGroup }

/**
 * Which state a stage puts its work item in, as it was set. A stage that is not in the table changes no state; its
 * comment is sent all the same.
 */
export type StageTable = ReadonlyMap<Stage, StateName>

/** The same with the ids of Plane's states. A stage whose state Plane does not have is missing. */
export type StageStates = ReadonlyMap<Stage, StateId>

/** A state of a project, as Plane lists it. */
export interface PlaneState {
  readonly id: StateId
  readonly name: string
  /** One of `stateGroups`. */
  readonly group: string
  /** The order in which Plane shows it. */
  readonly sequence: number
}

/** What a state is called in messages. */
export const wordsOf = (state: StateName): string =>
  "id" in state ? state.id : "name" in state ? JSON.stringify(state.name) : `of the group ${state.group}`

const found = (state: StateName, known: ReadonlyArray<PlaneState>): PlaneState | undefined => {
  if ("id" in state) return known.find(({ id }) => id === state.id)
  if ("group" in state) {
    return known.filter(({ group }) => group === state.group)
      .reduce<PlaneState | undefined>(
        (first, each) => first === undefined || each.sequence < first.sequence ? each : first,
        undefined
      )
  }
  // Two states of a project cannot have one name, but Plane tells capital letters apart.
  return known.find(({ name }) => name === state.name) ??
    known.find(({ name }) => name.toLowerCase() === state.name.toLowerCase())
}

/** The ids of the states that the project has. */
export const resolved = (table: StageTable, known: ReadonlyArray<PlaneState>): StageStates =>
  new Map(
    Array.from(table).flatMap(([stage, state]) => {
      const one = found(state, known)
      return one === undefined ? [] : [[stage, one.id] as const]
    })
  )

/** The ids that a table gives without Plane's help. */
export const givenIds = (table: StageTable): StageStates =>
  new Map(Array.from(table).flatMap(([stage, state]) => "id" in state ? [[stage, state.id] as const] : []))

const todo = StateId("2c7d3df3-9eb9-419b-92b7-d7d560bcdd10")
const inProgress = StateId("b873d9eb-993c-48cd-97ac-99a9b1623967")
const done = StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8")

/** The table of the specification's project, which applies when no other is set. */
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
