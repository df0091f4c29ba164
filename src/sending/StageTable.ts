import { Effect } from "effect"
import type { Project } from "../domain/Project.js"
import type { Stage } from "../domain/Stage.js"
import type { StageStates, StateId } from "../domain/StageStates.js"
import { rememberStates } from "../outbox/StateNames.js"
import type { PlaneClient } from "../plane/PlaneClient.js"
import type { Storage } from "../storage/Storage.js"

/** A stage whose state the project in Plane does not have. */
export interface Misfit {
  readonly stage: Stage
  readonly state: StateId
}

/** The stages whose states are not among those that are known. */
export const misfitsOf = (table: StageStates, known: ReadonlyMap<StateId, string>): ReadonlyArray<Misfit> =>
  Array.from(table, ([stage, state]) => ({ stage, state })).filter(({ state }) => !known.has(state))

/** What is wrong with the stage table, in words that tell a person how to mend it. */
const misfitReason = (misfits: ReadonlyArray<Misfit>, project: string): string =>
  `ORCH_PLANE_STAGE_STATES does not fit: the project ${project} has no state ${
    misfits.map(({ stage, state }) => `${state} (stage ${JSON.stringify(stage)})`).join(", ")
  }. The states of these stages wait, and are set once the table fits; comments are sent`

interface Parts {
  readonly client: Pick<PlaneClient["Type"], "states">
  readonly project: Project
  readonly storage: Pick<Storage["Type"], "sql" | "write">
}

/** The stage table as it was last compared with the project's states, and these states' names. */
export const makeStageTable = ({ client, project, storage }: Parts) => {
  let misfits: ReadonlyArray<Misfit> = []
  // Why the last comparison had no answer; undefined if it had one.
  let uncompared: string | undefined = "it is not looked at yet"
  let names: ReadonlyMap<StateId, string> = new Map()

  /** Keeps the names, also for whoever looks at the file alone. Storage's trouble is told by others. */
  const remember = (told: ReadonlyMap<StateId, string>) => {
    const isSame = told.size === names.size && Array.from(told).every(([id, name]) => names.get(id) === name)
    names = told
    return isSame
      ? Effect.void
      : Effect.ignore(rememberStates(storage, project.id, Array.from(told, ([id, name]) => ({ id, name }))))
  }

  /** Plane's states, or why they are not known: an empty list is an archived project's. */
  const readTable = client.states.pipe(
    Effect.flatMap((states): Effect.Effect<string | ReadonlyMap<StateId, string>> => {
      if (states.length === 0) return Effect.succeed("the project shows no states")
      const told = new Map(states.map(({ id, name }) => [id, name]))
      return Effect.as(remember(told), told)
    }),
    Effect.catchAll(({ message }) =>
      Effect.as(
        Effect.logWarning(`The stage table could not be compared with the project's states: ${message}`),
        message
      )
    )
  )

  const compare = Effect.flatMap(readTable, (known) => {
    if (typeof known === "string") {
      uncompared = known
      return Effect.sync(() => undefined)
    }
    uncompared = undefined
    const before = misfits
    misfits = misfitsOf(project.states, known)
    const isSame = JSON.stringify(before) === JSON.stringify(misfits)
    const said = isSame
      ? Effect.void
      : misfits.length === 0
      ? Effect.logInfo("ORCH_PLANE_STAGE_STATES fits the project's states again")
      : Effect.logError(misfitReason(misfits, project.identifier))
    return Effect.as(said, known)
  })

  return {
    /** Reads the project's states, and tells what is new. Undefined if Plane does not tell them. */
    compare,
    misfits: () => misfits,
    /** Whether it could be compared the last time. */
    isCompared: () => uncompared === undefined,
    stateName: (state: StateId) => names.get(state),
    /** What is wrong with it, in words. While Plane is closed, there is one reason for both. */
    misfit: (open: boolean): string | undefined => {
      if (misfits.length > 0) return misfitReason(misfits, project.identifier)
      return uncompared === undefined || !open
        ? undefined
        : `ORCH_PLANE_STAGE_STATES could not be compared with the project's states: ${uncompared}`
    }
  }
}
