import type { Effect } from "effect"
import type { PlaneState, StageStates } from "./StageStates.js"

/** Where a project is in Plane. */
export interface Place {
  /** Plane's uuid of the project, lower case. */
  readonly id: string
  /** The states that it had when Plane last listed them. Undefined while Plane has not. */
  readonly listed: ReadonlyArray<PlaneState> | undefined
}

/**
 * What is known of it. A project that is set by its identifier alone is unknown until Plane was asked for the first
 * time. What Plane said is kept, also over a restart, until Plane contradicts.
 */
export interface KnownPlace {
  readonly current: () => Place | undefined
  readonly set: (place: Place) => Effect.Effect<void>
  /** The same, of what another replica has kept already. */
  readonly learn: (place: Place) => void
  /** The states of the project's stages. A stage whose state Plane does not have, or has not told yet, is missing. */
  readonly states: () => StageStates
}
