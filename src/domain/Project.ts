import type { PullRequestRules } from "./PullRequestRules.js"
import type { StageStates } from "./StageStates.js"
import { CanonicalKey } from "./WorkItemKey.js"

/** A project in Plane: which of its states each stage puts a work item in, and which pull requests move its tasks. */
export interface Project {
  /** Plane's uuid, lower case. */
  readonly id: string
  /** What the keys of its work items begin with, upper case as in Plane: "ET". */
  readonly identifier: string
  readonly states: StageStates
  readonly pullRequests: PullRequestRules
}

/** The key of a project's work item, as Plane shows it. */
export const keyIn = ({ identifier }: Project, number: number): CanonicalKey => CanonicalKey(`${identifier}-${number}`)
