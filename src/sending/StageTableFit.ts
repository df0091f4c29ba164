import { Effect } from "effect"
import type { KnownPlace } from "../domain/Place.js"
import type { Project } from "../domain/Project.js"
import type { Stage } from "../domain/Stage.js"
import type { PlaneState, StageTable, StateId } from "../domain/StageStates.js"
import { resolved, wordsOf } from "../domain/StageStates.js"
import type { PlaneClient } from "../plane/PlaneClient.js"

/** A stage whose state the project in Plane does not have. */
interface Misfit {
  readonly stage: Stage
  readonly state: string
}

const misfitsOf = (table: StageTable, listed: ReadonlyArray<PlaneState>): ReadonlyArray<Misfit> => {
  const found = resolved(table, listed)
  return Array.from(table, ([stage, state]) => ({ stage, state: wordsOf(state) })).filter(({ stage }) =>
    !found.has(stage)
  )
}

/** What is wrong with the stage table, in words that tell a person how to mend it. */
const misfitReason = (misfits: ReadonlyArray<Misfit>, { identifier, names }: Project): string =>
  `${names.states} does not fit: the project ${identifier} has no state ${
    misfits.map(({ stage, state }) => `${state} (stage ${JSON.stringify(stage)})`).join(", ")
  }. The states of these stages wait, and are set once the table fits; comments are sent`

/** Compares a project's stage table with the states that it has in Plane, and keeps these. */
export interface StageTableFit {
  /** The ids of all states that the project has; undefined if Plane does not tell. */
  readonly compare: Effect.Effect<ReadonlySet<StateId> | undefined>
  /** Whether the last comparison had an answer. */
  readonly isCompared: () => boolean
  /** Whether it had one, and each stage has its state. */
  readonly isFit: () => boolean
  /** What is wrong with the table, or why it could not be compared although Plane is open. Undefined while it fits. */
  readonly problem: (isOpen: boolean) => string | undefined
}

export const makeStageTableFit = (
  client: PlaneClient["Type"],
  place: KnownPlace,
  project: Project
): StageTableFit => {
  const { identifier, names, stages } = project
  let misfits: ReadonlyArray<Misfit> = []
  // Why the last comparison had no answer; undefined if it had one.
  let uncompared: string | undefined = "it is not looked at yet"

  /** Plane's states, or why they are not known: an empty list is an archived project's. */
  const list = client.states.pipe(
    Effect.map((states) => states.length === 0 ? "the project shows no states" : states),
    Effect.catchAll(({ message }) =>
      Effect.as(
        Effect.logWarning(`The stage table could not be compared with the project's states: ${message}`),
        message
      )
    )
  )

  /** Keeps what Plane has listed, if that is news. */
  const keep = (listed: ReadonlyArray<PlaneState>) => {
    const before = place.current()
    return before === undefined || JSON.stringify(before.listed) === JSON.stringify(listed)
      ? Effect.void
      : place.set({ ...before, listed })
  }

  /** Says what has changed since the last comparison. */
  const say = (before: ReadonlyArray<Misfit>) =>
    JSON.stringify(before) === JSON.stringify(misfits)
      ? Effect.void
      : misfits.length === 0
      ? Effect.logInfo(`${names.states} fits the states of the project ${identifier} again`)
      : Effect.logError(misfitReason(misfits, project))

  const compare = Effect.flatMap(list, (listed) => {
    if (typeof listed === "string") {
      uncompared = listed
      return Effect.sync(() => undefined)
    }
    uncompared = undefined
    const before = misfits
    misfits = misfitsOf(stages, listed)
    return say(before).pipe(
      Effect.zipRight(keep(listed)),
      Effect.as(new Set(listed.map(({ id }) => id)))
    )
  })

  return {
    compare,
    isCompared: () => uncompared === undefined,
    isFit: () => uncompared === undefined && misfits.length === 0,
    problem: (isOpen) => {
      if (misfits.length > 0) return misfitReason(misfits, project)
      // While Plane is closed, there is one reason for both.
      return uncompared === undefined || !isOpen
        ? undefined
        : `${names.states} could not be compared with the states of the project ${identifier}: ${uncompared}`
    }
  }
}
