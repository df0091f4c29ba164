import type { StageStates } from "./StageStates.js"
import { CanonicalKey } from "./WorkItemKey.js"

/** A project in Plane, and which of its states each stage puts a work item in. */
export interface Project {
  /** Plane's uuid, lower case. */
  readonly id: string
  /** What the keys of its work items begin with, upper case as in Plane: "ET". */
  readonly identifier: string
  readonly states: StageStates
}

/** The key of a project's work item, as Plane shows it. */
export const keyIn = ({ identifier }: Project, number: number): CanonicalKey => CanonicalKey(`${identifier}-${number}`)
