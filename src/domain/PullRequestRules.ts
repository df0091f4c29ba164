import type { Duration } from "effect"

/** Which pull requests move a project's tasks, and what their checks and reviews must be. */
export interface PullRequestRules {
  /** Globs of base branches that count besides the default branch of each repository. */
  readonly branches: ReadonlyArray<string>
  /** Globs of repositories, "owner/name"; empty: all count. */
  readonly repositories: ReadonlyArray<string>
  /** Whether pull requests of forks count. */
  readonly forks: boolean
  /** Logins whose reviews count; empty: those whose word counts in Gitea. */
  readonly reviewers: ReadonlyArray<string>
  /** Globs of the checks that must be green; empty: those that the repository demands, or all that were reported. */
  readonly requiredChecks: ReadonlyArray<string>
  /** Logins whose checks count; empty: everybody's. */
  readonly ciUsers: ReadonlyArray<string>
  /** What a check in the state `warning` counts as. */
  readonly warning: "success" | "failure" | "pending"
  /** How long nothing new must come of a head's checks where no complete list says which there are. */
  readonly settle: Duration.Duration
}
