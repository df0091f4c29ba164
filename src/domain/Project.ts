import type { Redacted } from "effect"
import type { PullRequestRules } from "./PullRequestRules.js"
import type { StageTable } from "./StageStates.js"
import { CanonicalKey } from "./WorkItemKey.js"

/** What a person looks at to mend a setting of a project: the names of variables, or places in a file. */
export interface SettingNames {
  readonly identifier: string
  /** Undefined where Plane is asked for the id. */
  readonly id: string | undefined
  readonly workspace: string
  readonly apiToken: string
  readonly states: string
}

/** A project in Plane, as it is set: what its keys begin with, and how its work items and tasks are treated. */
export interface Project {
  /** What the keys of its work items begin with, upper case as in Plane: "ET". No two projects have the same. */
  readonly identifier: string
  /** Plane's uuid, lower case, where it is set. */
  readonly id: string | undefined
  readonly stages: StageTable
  readonly pullRequests: PullRequestRules
  /** What it has of its own. Everything else is as for all projects. */
  readonly own: {
    readonly workspaceSlug?: string
    readonly apiToken?: Redacted.Redacted
    readonly comments?: "joined" | "each"
    readonly onConflict?: "respect" | "force"
  }
  readonly names: SettingNames
}

/** The key of a project's work item, as Plane shows it. */
export const keyIn = ({ identifier }: Pick<Project, "identifier">, number: number): CanonicalKey =>
  CanonicalKey(`${identifier}-${number}`)
