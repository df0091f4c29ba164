import { Console, Effect } from "effect"
import type { WrittenProject } from "../../config/WrittenProjects.js"
import { stateText } from "../../config/WrittenProjects.js"
import { stages } from "../../domain/Stage.js"
import type { PlaneState } from "../../domain/StageStates.js"
import { stateGroups } from "../../domain/StageStates.js"
import type { ListedProject } from "../../plane/ProjectList.js"
import { shown, table } from "../Table.js"
import { askOne, askYesOrNo } from "./Questions.js"
import type { Proposed } from "./StageProposal.js"
import { proposedStages } from "./StageProposal.js"

/** A state as a person reads it, with its group. */
const named = ({ group, name }: PlaneState) => `${shown(name)} (${shown(group)})`

const none = "no state: only its comment is sent"

const rows = (proposed: ReadonlyArray<Proposed>) =>
  table(proposed.map(({ stage, state }) => [`  ${stage}`, `→ ${state === undefined ? none : named(state)}`]))

const known: ReadonlyArray<string> = stateGroups

/** The states by group, in Plane's order. */
const inOrder = (states: ReadonlyArray<PlaneState>) =>
  [...states].sort((a, b) => known.indexOf(a.group) - known.indexOf(b.group) || a.sequence - b.sequence)

const changed = (states: ReadonlyArray<PlaneState>, proposed: ReadonlyArray<Proposed>) =>
  Effect.forEach(proposed, ({ stage, state }) => {
    // The first is what Enter chooses.
    const others = states.filter((each) => each !== state)
    const choices = [
      ...state === undefined ? [undefined] : [state],
      ...others,
      ...state === undefined ? [] : [undefined]
    ]
    return Effect.map(
      askOne(`${stage} →`, choices.map((value) => ({ title: value === undefined ? none : named(value), value }))),
      (chosen): Proposed => ({ stage, state: chosen })
    )
  })

/** What a person says to a proposal: nothing if nobody is asked. */
const settled = (states: ReadonlyArray<PlaneState>, isAsked: boolean) =>
  Effect.gen(function*() {
    let table = proposedStages(states)
    for (;;) {
      yield* Console.log(rows(table))
      // A table without any state would mean that plane-sync chooses by itself.
      const isEmpty = table.every(({ state }) => state === undefined)
      if (isEmpty) yield* Console.log("  At least one stage needs a state.")
      if (!isAsked || (!isEmpty && (yield* askYesOrNo("Are these the states to set?", true)))) return table
      table = yield* changed(states, table)
    }
  })

const written = (identifier: string, proposed: ReadonlyArray<Proposed>): WrittenProject => ({
  identifier,
  stages: proposed.flatMap(({ stage, state }) => state === undefined ? [] : [[stage, stateText(state)] as const])
})

/** By the groups alone, which each project has. */
const byGroup = (identifier: string): WrittenProject => ({
  identifier,
  stages: stages.map((stage, index) => [
    stage,
    { group: index === 0 ? "unstarted" : index === stages.length - 1 ? "completed" : "started" }
  ])
})

/** Shows the states of a project, and the table that is proposed for them. */
export const tableOf = (
  { identifier, name }: ListedProject,
  listed: ReadonlyArray<PlaneState>,
  isAsked: boolean
) =>
  Effect.gen(function*() {
    const states = inOrder(listed)
    yield* Console.log(`\n${identifier}  ${shown(name)}`)
    if (states.length === 0) {
      yield* Console.log("  It shows no states. Each stage gets the first state of its group.")
      return byGroup(identifier)
    }
    yield* Console.log(table(states.map((state) => [`  ${shown(state.group)}`, shown(state.name)])))
    yield* Console.log("The stages of a task, and the states that they set:")
    return written(identifier, yield* settled(states, isAsked))
  })

/** The same where its states are not known. */
export const tableUnread = ({ identifier, name }: ListedProject) =>
  Effect.as(
    Console.log(
      `\n${identifier}  ${shown(name)}\n  Its states were not asked for. Each stage gets the first of its group.`
    ),
    byGroup(identifier)
  )
