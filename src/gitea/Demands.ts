import { Cache, Cause, Data, Duration, Effect, Exit } from "effect"
import type { PullRequestRules } from "../domain/PullRequestRules.js"
import type { PullRequest } from "./Facts.js"
import type { BranchAnswer, GiteaClient } from "./GiteaClient.js"
import type { GiteaError } from "./GiteaError.js"
import type { Answer, Demands } from "./Verdicts.js"

/** From this version on Gitea says which reviews are official also where no rule protects the branch. */
const marksOfficialSince = 23

/** How long it is known which version answers. */
const versionKnownFor = Duration.minutes(1)

/**
 * How long it is known what a branch demands. Many tasks are asked about at the same time, at a start, and each verdict
 * depends on what is demanded now.
 */
const knownFor = Duration.seconds(5)

/** Judges by what the base branch of a pull request demands, and by whether a project names its reviewers. */
export type JudgeByDemands = <E, R>(
  pullRequest: PullRequest,
  rules: Pick<PullRequestRules, "reviewers">,
  judge: (demands: Demands) => Effect.Effect<Answer, E, R>
) => Effect.Effect<Answer, E | GiteaError, R>

/** Knows what the base branches demand: each is asked once for all pull requests that go into it. */
export const makeDemands = (client: GiteaClient): Effect.Effect<JudgeByDemands> =>
  Effect.gen(function*() {
    const version = yield* Effect.cachedWithTTL(
      Effect.catchIf(
        client.version,
        // A token for repositories alone may not be told.
        ({ reason }) => reason === "KeyRefused" || reason === "NotFound",
        () => Effect.succeed(0)
      ),
      versionKnownFor
    )

    // Where reviewers are set and nothing protects the branch, they decide.
    const official = (isProtected: boolean, { reviewers }: Pick<PullRequestRules, "reviewers">) =>
      isProtected || reviewers.length > 0
        ? Effect.succeed(isProtected)
        : Effect.map(version, (number) => number >= marksOfficialSince)

    const known = yield* Cache.makeWith({
      capacity: 1_000,
      // A failure is not kept.
      timeToLive: Exit.match({ onFailure: () => Duration.zero, onSuccess: () => knownFor }),
      lookup: (branch: readonly [repository: string, name: string]) => client.branch(...branch)
    })

    const get = (branch: readonly [string, string]): Effect.Effect<BranchAnswer, GiteaError> =>
      Effect.catchAllCause(known.get(branch), (cause) =>
        // The task that asks may be interrupted, and others wait for the same answer. They ask themselves.
        Cause.isInterruptedOnly(cause)
          ? Effect.zipRight(known.invalidate(branch), get(branch))
          : Effect.failCause(cause))

    return ({ base, name }, rules, judge) =>
      Effect.gen(function*() {
        const { approvals, checks, protected: isProtected } = yield* get(Data.tuple(name, base ?? ""))
        return yield* judge({ checks, approvals, official: yield* official(isProtected, rules) })
      })
  })
