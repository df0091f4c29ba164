import type { Redacted } from "effect"
import type { CommentMode } from "./CommentMode.js"
import type { CommentTexts } from "./CommentTexts.js"
import type { PipelineStage } from "./PipelineStage.js"
import { defaultStages } from "./PipelineStage.js"
import type { PullRequestRules } from "./PullRequestRules.js"
import type { Stage } from "./Stage.js"
import type { StageTable } from "./StageStates.js"
import type { StartMarks } from "./StartMarks.js"
import { CanonicalKey } from "./WorkItemKey.js"

/** What a person looks at to mend a setting of a project: the names of variables, or places in a file. */
export interface SettingNames {
  readonly identifier: string
  /** Undefined where Plane is asked for the id. */
  readonly id: string | undefined
  readonly workspace: string
  readonly apiToken: string
  readonly states: string
  /** Where the rules for its pull requests are. */
  readonly repositories: string
  readonly branches: string
  readonly forks: string
  /** The variables that hold the secrets of webhooks of its own. */
  readonly webhookSecret: string
  readonly giteaWebhookSecret: string
  /** Where its own Gitea is set. */
  readonly gitea: { readonly url: string; readonly token: string }
}

/** A Gitea that only some projects use. */
export interface OwnForge {
  /** Without the API's path and without a slash at the end. */
  readonly url: string
  /** Without one it is not asked. */
  readonly token: Redacted.Redacted | undefined
  readonly webhookSecret: Redacted.Redacted | undefined
}

/** A project in Plane, as it is set: what its keys begin with, and how its work items and tasks are treated. */
export interface Project {
  /** What the keys of its work items begin with, upper case as in Plane: "ET". No two projects have the same. */
  readonly identifier: string
  /** Plane's uuid, lower case, where it is set. */
  readonly id: string | undefined
  readonly stages: StageTable
  readonly pullRequests: PullRequestRules
  /** What starts a task besides a move. */
  readonly start: StartMarks
  /** Who may command its tasks by comments: e-mail addresses or ids of users, lower case. Nobody if it is empty. */
  readonly commands: ReadonlyArray<string>
  /** Who is asked when a task waits for somebody, one after the other: e-mail addresses or user ids, lower case. */
  readonly attention: ReadonlyArray<string>
  /** The stages of its tasks. Undefined: those that are given to all projects. */
  readonly pipeline: ReadonlyArray<PipelineStage> | undefined
  /** What the comments say. */
  readonly texts: CommentTexts
  /** How Plane is treated otherwise than for the other projects. */
  readonly own: {
    readonly workspaceSlug?: string
    readonly apiToken?: Redacted.Redacted
    readonly comments?: CommentMode
    readonly onConflict?: "respect" | "force"
  }
  /** The secret that Plane signs the webhooks of its workspace with. Undefined: that of all projects. */
  readonly webhookSecret: Redacted.Redacted | undefined
  /** Another Gitea than that of the other projects. */
  readonly gitea: OwnForge | undefined
  readonly names: SettingNames
}

/** The stages of a project's tasks, in their order. */
export const stagesOf = ({ pipeline }: Pick<Project, "pipeline">): ReadonlyArray<Stage> =>
  (pipeline ?? defaultStages).map(({ stage }) => stage)

/** The key of a project's work item, as Plane shows it. */
export const keyIn = ({ identifier }: Pick<Project, "identifier">, number: number): CanonicalKey =>
  CanonicalKey(`${identifier}-${number}`)
