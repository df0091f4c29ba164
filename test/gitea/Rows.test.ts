import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import {
  readPullRequestsAt,
  readStatuses,
  receivedBy,
  rememberAskedStatuses,
  rememberStatuses
} from "../../src/gitea/CheckRows.js"
import type { StatusSeen } from "../../src/gitea/Facts.js"
import { repositoryIdIn } from "../../src/gitea/Forges.js"
import {
  forgetOpen,
  readKnown,
  readOpenIn,
  readPullRequest,
  readPullRequestsOf,
  readRevertsOf,
  rememberAnswer,
  rememberPullRequest
} from "../../src/gitea/PullRequestRows.js"
import {
  makeRepositoriesDue,
  readDueRepositories,
  readKnownNames,
  rememberRepositories,
  settleRepository,
  stirRepositories
} from "../../src/gitea/RepositoryRows.js"
import { Storage } from "../../src/storage/Storage.js"
import { onEachDialect } from "../support/Engines.js"
import { seen } from "./Forge.js"

const check = (id: number, state: string, change: Partial<StatusSeen> = {}): StatusSeen => ({
  repository: 1,
  name: "acme/widgets",
  sha: "one",
  context: "ci",
  id,
  state,
  description: "",
  creator: null,
  ...change
})

const head = { repository: 1, headSha: "one" }
const at = EpochMillis

onEachDialect("what Gitea tells", (engine) => {
  it.live("of a check the newest counts, also where one batch has it twice, and an answer until a newer hook comes", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const states = Effect.map(
        read(readStatuses(sql, head)),
        (all) => all.map(({ context, creator, id, receivedAt, state }) => [context, id, state, creator, receivedAt])
      )
      const batch = [check(2, "pending"), check(4, "success"), check(3, "failure"), check(4, "success")]
      yield* write(rememberStatuses(sql, [...batch, check(1, "error", { context: "Lint", creator: "ci-bot" })], at(10)))
      assert.deepStrictEqual(yield* states, [["Lint", 1, "error", "ci-bot", 10], ["ci", 4, "success", null, 10]])
      yield* write(rememberStatuses(sql, [check(3, "failure"), check(4, "success")], at(20)))
      assert.deepStrictEqual((yield* states)[1], ["ci", 4, "success", null, 10])
      const answer = { description: "", creator: null }
      yield* write(rememberAskedStatuses(sql, head, [
        { ...answer, context: "ci", state: "pending" },
        { ...answer, context: "Lint", state: "success" },
        { ...answer, context: "ci", state: "failure" }
      ], at(30)))
      assert.deepStrictEqual(yield* states, [["Lint", 1, "success", "ci-bot", 30], ["ci", 4, "failure", null, 30]])
      yield* write(receivedBy(sql, head, at(25)))
      assert.deepStrictEqual((yield* states).map(([, , , , received]) => received), [25, 25])
      yield* write(rememberPullRequest(sql, seen(), [], at(40)))
      assert.deepStrictEqual(
        yield* read(readPullRequestsAt(sql, [check(9, ""), check(8, ""), check(7, "", { sha: "two" })])),
        [{ repository: 1, number: 88, sha: "one" }]
      )
      assert.deepStrictEqual(yield* read(readPullRequestsAt(sql, [])), [])
    }).pipe(Effect.provide(engine.storage)))

  it.live("a repository is asked about soon after something was delivered of it, and by its name of now", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const due = (limit: number, furthest = 1e12) =>
        Effect.map(
          read(readDueRepositories(sql, limit, at(furthest))),
          (all) => all.map(({ dueAt, id, stirs }) => [id, stirs, dueAt])
        )
      yield* write(rememberRepositories(sql, [
        { id: 2, name: "Acme/App" },
        { id: 1, name: "acme/old" },
        { id: 1, name: "acme/widgets" },
        { id: repositoryIdIn(7, 1), name: "other/widgets" }
      ]))
      assert.deepStrictEqual(
        Array.from(yield* read(readKnownNames(sql, 0, ["acme/app", "acme/old", "acme/widgets", "other/widgets"])))
          .sort(),
        ["acme/app", "acme/widgets"]
      )
      const [first] = yield* read(readDueRepositories(sql, 1, at(0)))
      for (const id of [1, 2]) {
        yield* write(settleRepository(sql, { id, name: "", stirs: 0, dueAt: at(0) }, at(100_000), at(700_000)))
      }
      assert.strictEqual(first?.dueAt, 0)
      const stir = (now: number) => write(stirRepositories(sql, [{ id: 1, name: "acme/widgets" }], at(now)))
      // Five seconds after the last asking.
      yield* stir(101_000)
      assert.deepStrictEqual((yield* due(5)).slice(1), [[1, 1, 105_000], [2, 0, 700_000]])
      yield* stir(200_000)
      assert.deepStrictEqual((yield* due(5))[1], [1, 2, 105_000])
      // What came while it was asked is a reason to ask again.
      yield* write(settleRepository(sql, { id: 1, name: "", stirs: 1, dueAt: at(0) }, at(200_000), at(900_000)))
      assert.deepStrictEqual((yield* due(5))[1], [1, 1, 205_000])
      yield* write(settleRepository(sql, { id: 1, name: "", stirs: 1, dueAt: at(0) }, at(200_000), at(900_000)))
      yield* stir(300_000)
      assert.deepStrictEqual((yield* due(5))[1], [1, 1, 300_000])
      // The clock was set back since it was asked.
      yield* write(settleRepository(sql, { id: 1, name: "", stirs: 1, dueAt: at(0) }, at(200_000), at(900_000)))
      yield* stir(50_000)
      assert.deepStrictEqual((yield* due(5))[1], [1, 1, 55_000])
      // What is due too far ahead was put off before the clock was set back, and comes first.
      assert.deepStrictEqual((yield* due(2, 600_000)).map(([id]) => id), [2, repositoryIdIn(7, 1)])
      yield* write(makeRepositoriesDue(sql, at(60_000)))
      assert.deepStrictEqual((yield* due(5)).map(([, , dueAt]) => dueAt), [0, 55_000, 60_000])
    }).pipe(Effect.provide(engine.storage)))

  it.live("a pull request, what it is about, and what Gitea answered of it, come back as they were stored", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const about = [{ key: CanonicalKey("ET-7"), kind: "about" }] as const
      const reverts = [{ key: CanonicalKey("ET-7"), kind: "reverts" }] as const
      const one = seen({ author: null, defaultBranch: null, createdAt: at(2_000) })
      assert.deepStrictEqual(yield* write(rememberPullRequest(sql, one, about, at(5))), [])
      assert.deepStrictEqual(
        yield* write(rememberPullRequest(sql, { ...one, rank: 1 }, reverts, at(5))),
        [CanonicalKey("ET-7")]
      )
      yield* write(rememberPullRequest(sql, { ...one, rank: 2 }, about, at(5)))
      yield* write(rememberPullRequest(sql, { ...one, number: 3, fork: true, createdAt: at(9_000) }, about, at(5)))
      yield* write(rememberPullRequest(sql, { ...one, number: 4, createdAt: at(3_000) }, about, at(5)))
      const numbers = Effect.map(
        read(readPullRequestsOf(sql, CanonicalKey("ET-7"))),
        (all) => all.map(({ number }) => number)
      )
      assert.deepStrictEqual(yield* numbers, [4, 88, 3])
      yield* write(rememberPullRequest(sql, { ...one, number: 5 }, [], at(6)))
      const known = yield* read(readKnown(sql, 1, [5, 999]))
      assert.deepStrictEqual(
        known.map(({ isNamed, isUnread, pullRequest, receivedAt }) => [
          pullRequest.number,
          isNamed,
          isUnread,
          receivedAt
        ]).sort(),
        [[3, true, false, 5], [4, true, false, 5], [5, false, false, 6], [88, true, false, 5]]
      )
      yield* write(forgetOpen(sql, 1, [4, 5], at(7)))
      assert.deepStrictEqual((yield* read(readOpenIn(sql, 1))).map(({ number }) => number).sort(), [3, 88])
      const held = yield* read(readPullRequest(sql, { repository: 1, number: 88 }))
      if (held === undefined) return yield* Effect.dieMessage("it is there")
      yield* write(rememberAnswer(sql, held, { ...held, headSha: "two", author: "dev", draft: true }, at(8)))
      assert.deepInclude(yield* read(readPullRequest(sql, held)), { headSha: "two", author: "dev", draft: true })
      // The head that was left does not come back by a hook of the same moment.
      yield* write(rememberPullRequest(sql, { ...one, rank: 2 }, about, at(9)))
      assert.deepInclude(yield* read(readPullRequest(sql, held)), { headSha: "two", author: "dev", draft: false })
      // One whose hook was lost has no moment of its merge: it comes last, and none of them is hidden.
      for (const [number, mergedAt] of [[11, 50], [12, null], [13, 60]] as const) {
        const merged = { ...one, number, open: false, merged: true, mergedAt: mergedAt === null ? null : at(mergedAt) }
        yield* write(rememberPullRequest(sql, { ...merged, isMerging: true }, reverts, at(10)))
      }
      assert.deepStrictEqual(
        (yield* read(readRevertsOf(sql, CanonicalKey("ET-7")))).map(({ number }) => number),
        [13, 11, 12]
      )
    }).pipe(Effect.provide(engine.storage)))

  it.live("the first two hooks of a pull request that are remembered at the same time tell its head", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const pushed = seen({ headSha: "two", rank: 2, headRank: 2 })
      const first = write(Effect.zipLeft(rememberPullRequest(sql, seen(), [], at(5)), Effect.sleep("150 millis")))
      const second = write(rememberPullRequest(sql, pushed, [], at(6)))
      yield* Effect.all([first, Effect.delay(second, "50 millis")], { concurrency: 2 })
      assert.strictEqual((yield* read(readPullRequest(sql, pushed)))?.headSha, "two")
    }).pipe(Effect.provide(engine.storage)))
})
