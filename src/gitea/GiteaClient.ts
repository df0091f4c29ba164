import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError } from "effect"
import { Context, DateTime, Effect, Layer } from "effect"
import { EpochMillis } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import { Projects } from "../domain/Projects.js"
import { idInForge } from "../domain/ShownRepository.js"
import type { PullRequest, PullRequestAnswer, Repository } from "./Facts.js"
import { commonForge, forgeAt, repositoryIdIn } from "./Forges.js"
import type { GiteaApi } from "./GiteaConfig.js"
import { GiteaConfig } from "./GiteaConfig.js"
import type { GiteaError } from "./GiteaError.js"
import { makeRequests } from "./GiteaRequests.js"
import { listedPullRequest } from "./Listed.js"
import type { OpenPullRequests } from "./Missed.js"
import { isDraft } from "./PullRequestBody.js"
import type { StandingReview } from "./Verdicts.js"
import type { CheckAnswer } from "./Wire.js"
import {
  BranchJson,
  checkOf,
  CombinedJson,
  PullRequestJson,
  PullRequestsText,
  repositoryOf,
  RepositoryText,
  ReviewsJson,
  standing,
  VersionJson,
  versionOf
} from "./Wire.js"

/** What protects a branch. */
export interface BranchAnswer {
  readonly protected: boolean
  readonly approvals: number
  /** Globs of the checks that must be green. */
  readonly checks: ReadonlyArray<string>
}

/** What Gitea can be asked. A repository is named "owner/name". */
export interface GiteaClient {
  /** Fails with `NotFound` when another repository has the name now. */
  readonly pullRequest: (held: PullRequest) => Effect.Effect<PullRequestAnswer, GiteaError>
  readonly checks: (repository: string, sha: string) => Effect.Effect<ReadonlyArray<CheckAnswer>, GiteaError>
  /** The last word of each reviewer that stands. */
  readonly reviews: (repository: string, number: number) => Effect.Effect<ReadonlyArray<StandingReview>, GiteaError>
  readonly branch: (repository: string, name: string) => Effect.Effect<BranchAnswer, GiteaError>
  /** The repository with this id, which it keeps when it is renamed. */
  readonly repository: (id: number) => Effect.Effect<Repository, GiteaError>
  /** The repository that has this name now. */
  readonly repositoryNamed: (name: string) => Effect.Effect<Repository, GiteaError>
  /** The open pull requests, the one that was changed last first: all of them, or the first page. */
  readonly openPullRequests: (
    repository: Repository,
    which: "all" | "first page"
  ) => Effect.Effect<OpenPullRequests, GiteaError>
  /** 22 for Gitea 1.22. */
  readonly version: Effect.Effect<number, GiteaError>
  /** Why it cannot be asked, as far as the last requests tell: one for all, or one for each repository. */
  readonly troubles: Effect.Effect<ReadonlyArray<GiteaError>>
}

/**
 * The clients of Gitea's REST API: that of `ORCH_GITEA_URL` and `ORCH_GITEA_TOKEN`, and those of the projects that have
 * a Gitea of their own; none where no token is set.
 */
export class Gitea extends Context.Tag("plane-sync/Gitea")<Gitea, {
  readonly clients: ReadonlyMap<number, GiteaClient>
  /** The client of a Gitea, by its number: see `Forges.ts`. */
  readonly of: (forge: number) => GiteaClient | undefined
  /** The troubles of all. */
  readonly troubles: Effect.Effect<ReadonlyArray<GiteaError>>
}>() {
  static readonly layer: Layer.Layer<Gitea, ConfigError.ConfigError, HttpClient.HttpClient | Projects> = Layer.effect(
    Gitea,
    Effect.suspend(() => makeAll)
  )
}

/** `Gitea` of some clients, by the numbers of their Giteas. */
export const giteaOf = (clients: ReadonlyMap<number, GiteaClient>): Gitea["Type"] => ({
  clients,
  of: (forge) => clients.get(forge),
  troubles: Effect.map(
    Effect.forEach(Array.from(clients.values()), ({ troubles }) => troubles),
    (troubles) => troubles.flat()
  )
})

/** How the Gitea of a project's own is reached; undefined if it is not asked. */
const ownApi = ({ gitea, names }: Project): readonly [forge: number, api: GiteaApi] | undefined =>
  gitea?.token && [forgeAt(gitea.url), { url: gitea.url, token: gitea.token, names: names.gitea }]

const makeAll = Effect.gen(function*() {
  const { api } = yield* GiteaConfig
  const { all } = yield* Projects
  const apis = new Map([
    ...(api === undefined ? [] : [[commonForge, api] as const]),
    ...all.map(ownApi).filter((own) => own !== undefined)
  ])
  const made = yield* Effect.forEach(
    apis,
    ([forge, api]) => Effect.map(make(api, forge), (client) => [forge, client] as const)
  )
  return giteaOf(new Map(made))
})

const encodeName = (repository: string) => repository.split("/").map(encodeURIComponent).join("/")

/** An answer about another thing than was asked about is no answer. */
const aboutAnother = "the answer is about another one"

/** What is known already, where the answer does not say it. */
const orHeld = <A>(answered: string | undefined, held: A): A | string =>
  answered === undefined || answered === "" ? held : answered

const make = Effect.fnUntraced(function*(api: GiteaApi, forge: number) {
  const ours = ({ id, name }: Repository): Repository => ({ id: repositoryIdIn(forge, id), name })
  const { failure, one, pages, troubles } = yield* makeRequests(api)

  const pullRequest = Effect.fnUntraced(function*(held: PullRequest) {
    const path = `repos/${encodeName(held.name)}/pulls/${held.number}`
    const { base, draft, head, merged, merged_at, number, state, title, user } = yield* one(path, PullRequestJson)
    if (number !== undefined && number !== held.number) return yield* failure(path, "Unanswered", aboutAnother)
    if (base.repo?.id !== undefined && base.repo.id !== idInForge(held.repository)) {
      return yield* failure(path, "NotFound", "another repository has this name now")
    }
    const answer: PullRequestAnswer = {
      open: state === "open" && !merged,
      merged,
      mergedAt: merged && merged_at !== undefined ? EpochMillis(DateTime.toEpochMillis(merged_at)) : null,
      draft: isDraft({ draft, title }),
      author: user?.login ?? held.author,
      base: orHeld(base.ref, held.base),
      defaultBranch: orHeld(base.repo?.default_branch, held.defaultBranch),
      headSha: orHeld(head.sha, held.headSha)
    }
    return answer
  })

  const checks = (repository: string, sha: string) => {
    const path = `repos/${encodeName(repository)}/commits/${encodeURIComponent(sha)}/status`
    return Effect.flatMap(
      pages(path, CombinedJson, ({ statuses }) => statuses),
      ({ read }) =>
        read.some((page) => page.sha !== "" && page.sha !== sha)
          ? failure(path, "Unanswered", aboutAnother)
          : Effect.succeed(read.flatMap(({ statuses }) => statuses.map(checkOf)))
    )
  }

  const branch = (repository: string, name: string) => {
    const path = `repos/${encodeName(repository)}/branches/${encodeName(name)}`
    return Effect.flatMap(one(path, BranchJson), (branch) =>
      branch.name !== "" && branch.name !== name
        ? failure(path, "Unanswered", aboutAnother)
        : Effect.succeed({
          protected: branch.protected,
          approvals: branch.protected ? branch.required_approvals : 0,
          checks: branch.protected && branch.enable_status_check ? branch.status_check_contexts : []
        }))
  }

  const self: GiteaClient = {
    pullRequest,
    checks,
    reviews: (repository, number) =>
      Effect.map(
        pages(
          `repos/${encodeName(repository)}/pulls/${number}/reviews`,
          ReviewsJson,
          (reviews) => reviews
        ),
        ({ read }) => standing(read.flat())
      ),
    branch,
    repository: (id) =>
      Effect.flatMap(one(`repositories/${idInForge(id)}`, RepositoryText), (answered) =>
        answered.id === idInForge(id)
          ? Effect.succeed(ours(repositoryOf(answered)))
          : failure(`repositories/${idInForge(id)}`, "Unanswered", aboutAnother)),
    repositoryNamed: (name) =>
      Effect.map(one(`repos/${encodeName(name)}`, RepositoryText), (answered) => ours(repositoryOf(answered))),
    openPullRequests: (repository, which) =>
      Effect.flatMap(
        pages(`repos/${encodeName(repository.name)}/pulls`, PullRequestsText, (read) => read, {
          params: { state: "open", sort: "recentupdate" },
          first: which === "first page",
          isLong: true
        }),
        ({ isAll, read, total }) => {
          const seen = read.flat().map((listed) => listedPullRequest(forge, listed))
          return seen.some((one) => one.repository !== repository.id)
            ? failure(`repos/${repository.name}`, "NotFound", "another repository has this name now")
            : Effect.succeed({ seen, isAll, total })
        }
      ),
    version: Effect.map(one("version", VersionJson), ({ version }) => versionOf(version)),
    troubles
  }
  return self
})
