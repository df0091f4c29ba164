import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Logger, Option, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { rememberPullRequest } from "../../src/gitea/Facts.js"
import type { GiteaClient, PullRequestNow } from "../../src/gitea/GiteaClient.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { giteaGates } from "../../src/gitea/GiteaGates.js"
import { TaskPullRequests } from "../../src/gitea/TaskPullRequests.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"

const layer = (client: Option.Option<GiteaClient>, storage = Storage.layerFile(":memory:")) =>
  TaskPullRequests.layer.pipe(
    Layer.provideMerge(TaskStore.layer),
    Layer.provideMerge(
      Layer.mergeAll(storage, WakeUps.layerPolling("1 days"), Pipeline.layerDefault)
    ),
    Layer.provideMerge(Layer.succeed(Gitea, client)),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
  )

/** The pull request, as Gitea tells it. */
const told = {
  repository: 1,
  name: "a/b",
  number: 88,
  fork: false,
  open: true,
  merged: false,
  headSha: "one",
  branch: "et-7",
  title: "",
  body: "",
  createdAt: EpochMillis(0),
  updatedAt: EpochMillis(0),
  rank: 0,
  headRank: 0
}

/** A task with an open pull request, and its gate `merged`. */
const waiting = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const tasks = yield* TaskStore
  const gate = (yield* giteaGates).find(({ name }) => name === "merged")
  if (gate === undefined) return yield* Effect.dieMessage("there is no gate merged")
  yield* tasks.start({ workItem: "ET-7" })
  yield* write(rememberPullRequest(sql, told, CanonicalKey("ET-7"), EpochMillis(0)))
  return {
    /** As the orchestrator asks, which then owes the task nothing. */
    ask: Effect.gen(function*() {
      const verdict = yield* Effect.flatMap(tasks.get("ET-7"), gate.check)
      yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
      return verdict._tag
    }),
    isDue: Effect.map(read(sql`SELECT 1 FROM plane_sync_task WHERE due_at IS NOT NULL`), ({ length }) => length > 0)
  }
})

describe("a gate that goes by Gitea", () => {
  it.scoped("is asked again every ten minutes while it waits", () => {
    const open: PullRequestNow = { open: true, merged: false, headSha: "one" }
    let now = open
    const client: GiteaClient = {
      pullRequest: () => Effect.sync(() => now),
      combinedStatus: () => Effect.dieMessage("nobody asks for checks"),
      reviews: () => Effect.dieMessage("nobody asks for reviews")
    }
    return Effect.gen(function*() {
      const { ask, isDue } = yield* waiting
      for (let round = 0; round < 3; round++) {
        assert.strictEqual(yield* ask, "Pending")
        yield* TestClock.adjust("599 seconds")
        assert.isFalse(yield* isDue)
        yield* TestClock.adjust("1 seconds")
        assert.isTrue(yield* isDue)
      }
      now = { open: false, merged: true, headSha: "one" }
      assert.strictEqual(yield* ask, "Passed")
      now = open
      // What was merged stays so.
      assert.strictEqual(yield* ask, "Passed")
      yield* TestClock.adjust("1 hours")
      assert.isFalse(yield* isDue)
    }).pipe(Effect.provide(layer(Option.some(client))))
  })

  it.scoped("is asked again also if that could not be stored at once, which is logged once", () => {
    const client: GiteaClient = {
      pullRequest: () => Effect.succeed({ open: true, merged: false, headSha: "one" }),
      combinedStatus: () => Effect.dieMessage("nobody asks for checks"),
      reviews: () => Effect.dieMessage("nobody asks for reviews")
    }
    let full = false
    const filling = Layer.map(Storage.layerFile(":memory:"), (context) => {
      const storage = Context.get(context, Storage)
      const noSpace = new StorageError({ reason: "Full", where: ":memory:", words: "no space" })
      return Context.make(Storage, {
        ...storage,
        write: (effect) => Effect.suspend(() => full ? noSpace : storage.write(effect))
      })
    })
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function*() {
      const { ask, isDue } = yield* waiting
      assert.strictEqual(yield* ask, "Pending")
      full = true
      yield* TestClock.adjust("601 seconds")
      full = false
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(yield* isDue)
      assert.lengthOf(lines.filter((line) => line.includes("no space")), 1)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(layer(Option.some(client), filling), Logger.replace(Logger.defaultLogger, logger))
      )
    )
  })

  it.scoped("remembers that the pull request is closed, but not over a reopening that was delivered meanwhile", () => {
    const now: PullRequestNow = { open: false, merged: false, headSha: "one" }
    let meanwhile: Effect.Effect<unknown> = Effect.void
    const client: GiteaClient = {
      pullRequest: () => Effect.as(Effect.suspend(() => meanwhile), now),
      combinedStatus: () => Effect.dieMessage("nobody asks for checks"),
      reviews: () => Effect.dieMessage("nobody asks for reviews")
    }
    return Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const { ask } = yield* waiting
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
              CanonicalKey("ET-7"),
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
    }).pipe(Effect.provide(layer(Option.some(client))))
  })

  it.scoped("is not asked again while Gitea cannot be asked", () =>
    Effect.gen(function*() {
      const { ask, isDue } = yield* waiting
      assert.strictEqual(yield* ask, "Pending")
      yield* TestClock.adjust("1 hours")
      assert.isFalse(yield* isDue)
    }).pipe(Effect.provide(layer(Option.none()))))
})
