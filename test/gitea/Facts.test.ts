import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { rememberStatuses } from "../../src/gitea/CheckRows.js"
import type { PullRequestSeen } from "../../src/gitea/Facts.js"
import { pruneCommitStatuses, prunePullRequests } from "../../src/gitea/Prune.js"
import { rememberPullRequest } from "../../src/gitea/PullRequestRows.js"
import { rememberReview } from "../../src/gitea/ReviewRows.js"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import type { Engine } from "../support/Engines.js"
import { onEachDialect } from "../support/Engines.js"

const over = ({ storage }: Engine) =>
  TaskStore.layer.pipe(
    Layer.provideMerge(WakeUps.layerPolling("1 days")),
    Layer.provideMerge(Layer.mergeAll(storage, Pipeline.layerDefault, projectsLayer))
  )

/** As Gitea tells it, whose clock is far ahead of ours. */
const seen = (number: number, change: Partial<PullRequestSeen> = {}): PullRequestSeen => ({
  repository: 1,
  name: "rideworks/trail-maps",
  number,
  fork: false,
  open: false,
  merged: false,
  mergedAt: null,
  draft: false,
  author: "dev",
  base: "main",
  defaultBranch: "main",
  headSha: `head ${number}`,
  branch: "",
  title: "",
  body: "",
  createdAt: EpochMillis(1e15),
  updatedAt: EpochMillis(1e15),
  rank: 3,
  headRank: 1,
  isMerging: false,
  ...change
})

const remember = (pullRequest: PullRequestSeen, workItem: string | null, now: number) =>
  Effect.flatMap(Storage, ({ sql, write }) =>
    write(Effect.zipRight(
      rememberPullRequest(
        sql,
        pullRequest,
        workItem === null ? [] : [{ key: CanonicalKey(workItem), kind: "about" }],
        EpochMillis(now)
      ),
      rememberReview(sql, pullRequest, { reviewer: "jonas", approved: true, content: "" })
    )))

const prune = (before: number) =>
  Effect.flatMap(Storage, ({ sql, write }) => write(prunePullRequests(sql, EpochMillis(before))))

const kept = Effect.flatMap(Storage, ({ read, sql }) =>
  Effect.all([
    read(sql<{ number: number }>`SELECT number FROM plane_sync_pull_request ORDER BY number`),
    read(sql<{ number: number }>`SELECT number FROM plane_sync_review ORDER BY number`)
  ])).pipe(Effect.map((tables) => tables.map((rows) => rows.map(({ number }) => number))))

onEachDialect("prunePullRequests", (engine) => {
  it.live("deletes what was closed or merged before, with its reviews, but nothing that a task still goes by", () =>
    Effect.gen(function*() {
      const tasks = yield* TaskStore
      const { sql, write } = yield* Storage
      yield* remember(seen(1), null, 10)
      yield* remember(seen(2, { merged: true }), "ET-2", 10)
      yield* remember(seen(3, { open: true }), null, 10)
      yield* remember(seen(4), null, 10)
      yield* remember(seen(4, { updatedAt: EpochMillis(1e15 + 1_000) }), null, 100)
      yield* remember(seen(5), "ET-5", 10)
      yield* remember(seen(6), null, 10)
      yield* remember(seen(7), "ET-7", 10)
      yield* remember(seen(8, { open: true }), null, 10)
      yield* remember(seen(8, { merged: true }), null, 10)
      yield* tasks.start({ workItem: "ET-005" })
      const link = (workItem: string, number: number) =>
        Effect.flatMap(tasks.start({ workItem }), ({ id }) =>
          Effect.as(
            tasks.link(id, { repository: { id: 1, name: "a/b" }, pullRequest: number, headSha: "" }),
            id
          ))
      const stopped = yield* link("ET-6", 6)
      yield* tasks.stop(stopped, "a person's wish")
      const done = yield* link("ET-7", 7)
      yield* write(sql`UPDATE plane_sync_task SET status = 'done' WHERE id = ${done}`)

      assert.isFalse(yield* prune(10))
      assert.strictEqual((yield* kept)[0]?.length, 8)
      assert.isFalse(yield* prune(11))
      assert.deepStrictEqual(yield* kept, [[3, 4, 5, 6], [3, 4, 5, 6]])
    }).pipe(Effect.provide(over(engine))))

  it.live("goes on in small batches, the oldest first", () =>
    Effect.gen(function*() {
      for (let number = 1; number <= 150; number++) yield* remember(seen(number), null, 200 - number)
      assert.isTrue(yield* prune(1_000))
      const [rows, reviews] = yield* kept
      assert.deepStrictEqual(rows, Array.from({ length: 50 }, (_, index) => index + 1))
      assert.deepStrictEqual(reviews, rows)
      assert.isFalse(yield* prune(1_000))
      assert.deepStrictEqual(yield* kept, [[], []])
    }).pipe(Effect.provide(over(engine))))
})

onEachDialect("pruneCommitStatuses", (engine) => {
  it.live("deletes what came before, unless its commit is the head of an open pull request", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const status = (sha: string, now: number) =>
        write(rememberStatuses(
          sql,
          [{
            repository: 1,
            name: "rideworks/trail-maps",
            sha,
            context: "ci",
            id: 1,
            state: "success",
            description: "",
            creator: null
          }],
          EpochMillis(now)
        ))
      yield* remember(seen(1, { open: true }), null, 10)
      yield* remember(seen(2), null, 10)
      for (const sha of ["head 1", "head 2", "no head"]) yield* status(sha, 10)
      yield* status("young", 11)
      assert.isFalse(yield* write(pruneCommitStatuses(sql, EpochMillis(11))))
      assert.deepStrictEqual(
        yield* read(sql`SELECT sha FROM plane_sync_commit_status ORDER BY sha`),
        [{ sha: "head 1" }, { sha: "young" }]
      )
    }).pipe(Effect.provide(over(engine))))

  it.live("goes on in small batches", () =>
    Effect.gen(function*() {
      const { sql, write } = yield* Storage
      const statuses = Array.from({ length: 150 }, (_, index) => ({
        repository: 1,
        name: "rideworks/trail-maps",
        sha: `${index}`,
        context: "ci",
        id: 1,
        state: "success",
        description: "",
        creator: null
      }))
      yield* write(rememberStatuses(sql, statuses, EpochMillis(10)))
      assert.isTrue(yield* write(pruneCommitStatuses(sql, EpochMillis(11))))
      assert.isFalse(yield* write(pruneCommitStatuses(sql, EpochMillis(11))))
    }).pipe(Effect.provide(over(engine))))
})
