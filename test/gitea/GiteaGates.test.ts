import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect, Layer, Logger, LogLevel } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { unset } from "../../src/domain/Projects.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import type { PullRequestAnswer } from "../../src/gitea/Facts.js"
import { commonForge } from "../../src/gitea/Forges.js"
import type { GiteaClient } from "../../src/gitea/GiteaClient.js"
import { Gitea, giteaOf } from "../../src/gitea/GiteaClient.js"
import { GiteaError } from "../../src/gitea/GiteaError.js"
import { giteaGates } from "../../src/gitea/GiteaGates.js"
import { rememberPullRequest } from "../../src/gitea/PullRequestRows.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { seen } from "./Forge.js"

const layer = (client?: GiteaClient) =>
  TaskPullRequests.layer.pipe(
    Layer.provideMerge(TaskStore.layer),
    Layer.provideMerge(
      Layer.mergeAll(Storage.layerFile(":memory:"), WakeUps.layerPolling("1 days"), Pipeline.layerDefault)
    ),
    Layer.provideMerge(
      Layer.merge(Layer.succeed(Gitea, giteaOf(new Map(client && [[commonForge, client]]))), projectsLayer)
    ),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
  )

/** The pull request, as Gitea tells it. */
const told = seen({ name: "a/b", createdAt: EpochMillis(0), updatedAt: EpochMillis(0) })

const claims = [{ key: CanonicalKey("ET-7"), kind: "about" }] as const

/** A task with an open pull request, and its gate `merged`. */
const waiting = Effect.gen(function*() {
  const { sql, write } = yield* Storage
  const tasks = yield* TaskStore
  const gate = (yield* giteaGates).find(({ name }) => name === "merged")
  if (gate === undefined) return yield* Effect.dieMessage("there is no gate merged")
  yield* tasks.start({ workItem: "ET-7" })
  yield* write(rememberPullRequest(sql, told, claims, EpochMillis(0)))
  return Effect.flatMap(tasks.get("ET-7"), gate.check)
})

/** After how many seconds the gate is to be asked again; undefined: only when there is a new fact. */
const secondsUntilAsked = (verdict: Verdict) =>
  verdict._tag === "Passed" || verdict.againAfter === undefined ? undefined : Duration.toSeconds(verdict.againAfter)

const asked = (pullRequest: GiteaClient["pullRequest"]): GiteaClient => ({
  pullRequest,
  checks: () => Effect.dieMessage("nobody asks for checks"),
  reviews: () => Effect.dieMessage("nobody asks for reviews"),
  branch: () => Effect.dieMessage("nobody asks for branches"),
  repository: () => Effect.dieMessage("nobody asks for repositories"),
  repositoryNamed: () => Effect.dieMessage("nobody asks for repositories"),
  openPullRequests: () => Effect.dieMessage("nobody asks for all pull requests"),
  version: Effect.dieMessage("nobody asks for the version"),
  troubles: Effect.succeed([])
})

const open: PullRequestAnswer = {
  open: true,
  merged: false,
  mergedAt: null,
  draft: false,
  author: "dev",
  base: "main",
  defaultBranch: "main",
  headSha: "one"
}

describe("a gate that goes by Gitea", () => {
  it.effect("waits for the project of a task, and is asked again, because that may only have been renamed", () =>
    Effect.gen(function*() {
      const { start } = yield* TaskStore
      const task = yield* start({ workItem: "SHOP-1" })
      for (const { check, name } of yield* giteaGates) {
        if (name === "reported") continue
        const verdict = yield* check(task)
        assert.strictEqual(verdict._tag === "Pending" ? verdict.why : verdict._tag, unset("SHOP"))
        assert.strictEqual(secondsUntilAsked(verdict), 60)
      }
    }).pipe(Effect.provide(layer())))

  it.effect("is asked again after ten minutes while it waits", () => {
    let now = open
    return Effect.gen(function*() {
      const ask = yield* waiting
      for (let round = 0; round < 3; round++) {
        const verdict = yield* ask
        assert.strictEqual(verdict._tag, "Pending")
        assert.strictEqual(secondsUntilAsked(verdict), 600)
      }
      now = { ...open, open: false, merged: true, mergedAt: EpochMillis(1) }
      assert.deepStrictEqual(yield* ask, Verdict.Passed())
      now = open
      // What was merged stays so.
      assert.deepStrictEqual(yield* ask, Verdict.Passed())
    }).pipe(Effect.provide(layer(asked(() => Effect.sync(() => now)))))
  })

  it.effect("is asked again after growing pauses, of five minutes at most, while Gitea does not answer", () => {
    const refused = new GiteaError({ reason: "Unanswered", token: "ORCH_GITEA_TOKEN", path: "/pulls/88", words: "500" })
    let answer: Effect.Effect<PullRequestAnswer, GiteaError> = refused
    return Effect.gen(function*() {
      const ask = yield* waiting
      const pauses = Effect.replicateEffect(Effect.map(ask, (verdict) => secondsUntilAsked(verdict) ?? 0), 12)
      const between = (pause: number | undefined, from: number, to: number) => {
        assert.isAtLeast(pause ?? 0, from)
        assert.isAtMost(pause ?? 0, to)
      }
      const [first, second, third, ...more] = yield* pauses
      between(first, 0.8, 1.2)
      between(second, 1.6, 2.4)
      between(third, 3.2, 4.8)
      assert.strictEqual(more.at(-1), 300)
      answer = Effect.succeed(open)
      assert.strictEqual(secondsUntilAsked(yield* ask), 600)
      answer = refused
      between(secondsUntilAsked(yield* ask), 0.8, 1.2)
    }).pipe(
      Effect.provide(layer(asked(() => Effect.suspend(() => answer)))),
      Logger.withMinimumLogLevel(LogLevel.None)
    )
  })

  it.effect("remembers that the pull request is closed, but not over a reopening that was delivered meanwhile", () => {
    const now: PullRequestAnswer = { ...open, open: false }
    let meanwhile: Effect.Effect<unknown> = Effect.void
    const client = asked(() => Effect.as(Effect.suspend(() => meanwhile), now))
    return Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const ask = Effect.map(yield* waiting, ({ _tag }) => _tag)
      const open = Effect.map(
        read(sql<{ open: number }>`SELECT open FROM plane_sync_pull_request`),
        (rows) => rows.map((row) => row.open)
      )
      const reopened = (updatedAt: number) =>
        Effect.orDie(
          write(
            rememberPullRequest(
              sql,
              { ...told, updatedAt: EpochMillis(updatedAt), rank: 3 },
              claims,
              EpochMillis(0)
            )
          )
        )
      assert.strictEqual(yield* ask, "Pending")
      assert.deepStrictEqual(yield* open, [0])
      yield* reopened(1_000)
      assert.deepStrictEqual(yield* open, [1])
      meanwhile = reopened(2_000)
      assert.strictEqual(yield* ask, "Pending")
      assert.deepStrictEqual(yield* open, [1])
    }).pipe(Effect.provide(layer(client)))
  })

  it.effect("is not asked again by itself where Gitea cannot be asked", () =>
    Effect.gen(function*() {
      const verdict = yield* yield* waiting
      assert.strictEqual(verdict._tag, "Pending")
      assert.strictEqual(secondsUntilAsked(verdict), undefined)
    }).pipe(Effect.provide(layer())))
})
