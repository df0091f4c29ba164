import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { Scope } from "effect"
import { ConfigProvider, Effect, Layer } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import type { PullRequestSeen } from "../../src/gitea/Facts.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { rememberPullRequest } from "../../src/gitea/PullRequestRows.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { fakeGitea } from "./FakeGitea.js"

/** A pull request of the branch et-7, as Gitea tells it when it is opened. */
export const seen = (change: Partial<PullRequestSeen> = {}): PullRequestSeen => ({
  repository: 1,
  name: "acme/widgets",
  number: 88,
  fork: false,
  open: true,
  merged: false,
  mergedAt: null,
  draft: false,
  author: "dev",
  base: "main",
  defaultBranch: "main",
  headSha: "one",
  branch: "et-7",
  title: "",
  body: "",
  createdAt: EpochMillis(1_000),
  updatedAt: EpochMillis(1_000),
  rank: 0,
  headRank: 0,
  isMerging: false,
  ...change
})

/** Stores it, as a hook would. It is about ET-7. */
export const heard = (pullRequest: PullRequestSeen) =>
  Effect.flatMap(
    Storage,
    ({ sql, write }) =>
      write(rememberPullRequest(sql, pullRequest, [{ key: CanonicalKey("ET-7"), kind: "about" }], EpochMillis(0)))
  )

/** A Gitea on a socket, a database and the rooms over it. */
export const withForge = <A, E>(
  test: (
    gitea: Effect.Effect.Success<typeof fakeGitea>
  ) => Effect.Effect<
    A,
    E,
    Gitea | Pipeline | Scope.Scope | Stored | TaskPullRequests | TaskStore | WakeUps | ProjectsOf
  >,
  settings: Readonly<Record<string, string>> = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const gitea = yield* fakeGitea
    const config = new Map(Object.entries({
      ORCH_GITEA_URL: gitea.url,
      ORCH_GITEA_TOKEN: gitea.token,
      ...settings
    }))
    return yield* Effect.provide(
      test(gitea),
      TaskPullRequests.layer.pipe(
        Layer.provideMerge(TaskStore.layer),
        Layer.provideMerge(
          Layer.mergeAll(Storage.layerFile(":memory:"), WakeUps.layerPolling("1 days"), Pipeline.layerDefault)
        ),
        Layer.provideMerge(Gitea.layer),
        Layer.provideMerge(projectsLayer),
        Layer.provide(NodeHttpClient.layer),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(config)))
      )
    )
  }))

type Stored = Layer.Layer.Success<typeof Storage.layer>
type ProjectsOf = Layer.Layer.Success<typeof projectsLayer>

/** The API's pull request, as Gitea answers it. */
export const listed = (change: Readonly<Record<string, unknown>> = {}) => ({
  number: 88,
  title: "",
  body: "",
  draft: false,
  state: "open",
  merged: false,
  user: { login: "dev" },
  base: { ref: "main", repo: { id: 1, full_name: "acme/widgets", default_branch: "main" } },
  head: { label: "et-7", sha: "one", repo_id: 1 },
  created_at: "2026-11-01T08:00:00Z",
  updated_at: "2026-11-01T08:00:00Z",
  ...change
})
