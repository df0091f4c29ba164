import type { Effect, Scope } from "effect"
import type { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { FakeGitea } from "../gitea/FakeGitea.js"

/** Where a trouble is made: a simulated Plane with a work item, a way to it that can be cut, and a folder. */
export interface Scene {
  readonly plane: PlaneSimulator["Type"]
  /** Plane's address, as `serve` is told it. */
  readonly planeUrl: string
  /** Nobody reaches Plane by that address any more. */
  readonly cut: Effect.Effect<void>
  readonly gitea: FakeGitea
  /** The database file. It is not there yet. */
  readonly database: string
}

type Settings = Readonly<Record<string, string>>

/** Something that is broken, and how. */
export interface Trouble {
  /** What a person would say is broken. */
  readonly name: string
  /**
   * Breaks it, before `serve` is started; the settings that are needed for it. Undefined where it cannot be broken,
   * because this user may not do what it takes.
   */
  readonly broken: (scene: Scene) => Effect.Effect<Settings | undefined, never, Scope.Scope>
  /** Breaks it while `serve` is running at an address. */
  readonly later?: (url: string, scene: Scene) => Effect.Effect<unknown>
  /** The work item that an event is published for, if not the one that there is. */
  readonly workItem?: string
  /** `serve` is not started. */
  readonly alone?: true
}
