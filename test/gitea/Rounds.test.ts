import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schedule } from "effect"
import { EpochMillis, epochMillis, later } from "../../src/base/Time.js"
import { commonForge } from "../../src/gitea/Forges.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { readPullRequest } from "../../src/gitea/PullRequestRows.js"
import { makeRepositoriesDue, readDueRepositories, stirRepositories } from "../../src/gitea/RepositoryRows.js"
import { makeAsking, startRounds } from "../../src/gitea/Rounds.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/StorageLayers.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { oneDestination } from "../support/OneDestination.js"
import { heard, listed, seen, withForge } from "./Forge.js"

/** Asks about all repositories now, and says which are due again within a minute. */
const asking = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const perform = yield* makeAsking(Option.getOrThrow(Option.fromNullable((yield* Gitea).of(commonForge))), commonForge)
  return Effect.gen(function*() {
    const due = yield* read(readDueRepositories(sql, 10, EpochMillis(Number.MAX_SAFE_INTEGER)))
    yield* Effect.forEach(due, perform, { discard: true })
    const now = yield* epochMillis
    const soon = yield* read(sql<{ name: string }>`SELECT name FROM plane_sync_repository
      WHERE due_at <= ${later(now, "1 minute")} ORDER BY id`)
    yield* write(makeRepositoriesDue(sql, now))
    return soon.map(({ name }) => name)
  })
})

const pullRequest = (number: number) =>
  Effect.flatMap(Storage, ({ read, sql }) => read(readPullRequest(sql, { repository: 1, number })))

/** This process is the leader. */
const leading = Layer.provide(Leadership.layer, Layer.merge(Outbox.layer, oneDestination))

const pulls = "/api/v1/repos/acme/widgets/pulls"

const isDue = Effect.flatMap(
  Storage,
  ({ read, sql }) =>
    Effect.map(
      read(sql<{ due: number | null }>`SELECT due_at AS due FROM plane_sync_task`),
      ([row]) => row?.due != null
    )
)

/** What was asked since the last call. */
const sinceLast = (asked: Array<string>) => asked.splice(0)

describe("rounds of asking Gitea", () => {
  it.live("row 23: find pull requests whose hooks were lost: all pages once, then one request a round", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { sql, write } = yield* Storage
        const tasks = yield* TaskStore
        const round = yield* asking
        yield* heard(seen())
        yield* tasks.start({ workItem: "ET-7" })
        const page = (numbers: ReadonlyArray<number>) => numbers.map((number) => listed({ number }))
        const paged = (n: number) => `${pulls}?state=open&sort=recentupdate&page=${n}&limit=50`
        gitea.pages.set(paged(1), { total: 3, answer: page([88, 5]) })
        gitea.pages.set(paged(2), { total: 3, answer: page([6]) })
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        assert.deepStrictEqual(yield* round, [])
        assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1), paged(2)])
        assert.containSubset(yield* pullRequest(5), { name: "acme/widgets", open: true, base: "main" })
        assert.containSubset(yield* pullRequest(6), { open: true })
        assert.isTrue(yield* isDue)
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        for (let n = 0; n < 3; n++) {
          assert.deepStrictEqual(yield* round, [])
          assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1)])
        }
        assert.isFalse(yield* isDue)
        // One that was opened since, with its hook lost.
        gitea.pages.set(paged(1), {
          total: 4,
          answer: [listed({ number: 7, updated_at: "2026-11-02T08:00:00Z" }), ...page([88, 5])]
        })
        assert.deepStrictEqual(yield* round, [])
        assert.isTrue(yield* isDue)
      })
    ))

  it.live("row 23: ask about the repositories of the settings, before anything was heard of them", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        gitea.answers.set("/api/v1/repos/acme/widgets", { id: 1, full_name: "acme/widgets", default_branch: "main" })
        gitea.answers.set(pulls, [listed()])
        yield* Effect.provide(startRounds, leading)
        yield* Effect.repeat(pullRequest(88), {
          until: (one) => one !== undefined,
          schedule: Schedule.spaced("20 millis")
        }).pipe(Effect.timeout("10 seconds"))
        assert.deepStrictEqual(
          Array.from(new Set(gitea.asked.filter((path) => !path.includes("pulls")))).sort(),
          ["/api/v1/repos/acme/gone", "/api/v1/repos/acme/widgets"]
        )
      }), { ORCH_GITEA_REPOSITORIES: "acme/Widgets, acme/app-*, acme/gone" }))

  it.live("row 21: go by the id of a repository that was renamed", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const round = yield* asking
        yield* heard(seen())
        gitea.statuses.set(pulls, 307)
        gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/gears", default_branch: "main" })
        gitea.answers.set("/api/v1/repos/acme/gears/pulls", [])
        assert.deepStrictEqual(yield* round, [])
        assert.strictEqual((yield* pullRequest(88))?.name, "acme/gears")
      })
    ))

  it.live("row 25: a delivery that tells nothing has the tasks of its repository look again, in a few seconds at most", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { read, sql, write } = yield* Storage
        const tasks = yield* TaskStore
        const round = yield* asking
        yield* heard(seen())
        yield* tasks.start({ workItem: "ET-7" })
        gitea.answers.set(pulls, [])
        const due = Effect.map(
          read(
            sql<{ due: EpochMillis; name: string }>`SELECT due_at AS due, name FROM plane_sync_repository WHERE id = 1`
          ),
          ([row]) => row
        )
        yield* round
        yield* write(sql`UPDATE plane_sync_repository SET due_at = due_at + 600000`)
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        const now = yield* epochMillis
        for (let n = 0; n < 20; n++) yield* write(stirRepositories(sql, [{ id: 1, name: "acme/gears" }], now))
        const { due: dueAt, name } = (yield* due) ?? { due: 0, name: "" }
        assert.isAtMost(dueAt - now, 5_000)
        assert.strictEqual(name, "acme/gears")
        gitea.asked.splice(0)
        gitea.answers.set("/api/v1/repos/acme/gears/pulls", [])
        yield* round
        assert.lengthOf(gitea.asked, 1)
        assert.isTrue(yield* isDue)
        // Nothing new: one request, and no task looks again.
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        yield* round
        assert.isFalse(yield* isDue)
      })
    ))

  it.live("rows 1, 23: one that was taken to another base and merged unheard is asked about, once", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { write, sql } = yield* Storage
        const tasks = yield* TaskStore
        const round = yield* asking
        yield* heard(seen({ base: "feature/epic" }))
        yield* heard(seen({ number: 89 }))
        yield* write(sql`DELETE FROM plane_sync_claim WHERE number = 89`)
        yield* tasks.start({ workItem: "ET-7" })
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        gitea.pages.set(`${pulls}?state=open&sort=recentupdate&page=1&limit=50`, { total: 0, answer: [] })
        gitea.answers.set(
          `${pulls}/88`,
          listed({ state: "closed", merged: true, merged_at: "2026-11-02T08:00:00Z" })
        )
        assert.deepStrictEqual(yield* round, [])
        assert.containSubset(yield* pullRequest(88), { open: false, merged: true, base: "main" })
        assert.containSubset(yield* pullRequest(89), { open: false, merged: false })
        assert.isTrue(yield* isDue)
        assert.lengthOf(sinceLast(gitea.asked), 2)
        yield* round
        assert.lengthOf(sinceLast(gitea.asked), 1)
      })
    ))

  it.live("row 23: what ended unheard below the first page has all pages read once more, and no more than that", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const round = yield* asking
        const paged = (n: number) => `${pulls}?state=open&sort=recentupdate&page=${n}&limit=50`
        yield* heard(seen())
        const page = (total: number, numbers: ReadonlyArray<number>) => ({
          total,
          answer: numbers.map((number) => listed({ number, title: "ET-7" }))
        })
        gitea.pages.set(paged(1), page(4, [88, 5]))
        gitea.pages.set(paged(2), page(4, [6, 7]))
        yield* round
        gitea.pages.set(paged(1), page(3, [88, 5]))
        gitea.pages.set(paged(2), page(3, [6]))
        gitea.answers.set(`${pulls}/7`, listed({ number: 7, state: "closed" }))
        gitea.asked.splice(0)
        yield* round
        assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1), paged(1), paged(2), `${pulls}/7`])
        assert.isFalse((yield* pullRequest(7))?.open)
        // A total that is never right costs nothing more than once.
        gitea.pages.set(paged(1), page(9, [88, 5]))
        gitea.pages.set(paged(2), page(9, [6]))
        gitea.pages.set(paged(3), page(9, []))
        yield* round
        gitea.asked.splice(0)
        yield* round
        assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1)])
      })
    ))

  it.live("row 1: a base, a default branch or a head that changed without another moment is news", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { sql, write } = yield* Storage
        const round = yield* asking
        yield* heard(seen({ rank: 2 }))
        const at = "1970-01-01T00:00:01Z"
        const base = { ref: "trunk", repo: { id: 1, full_name: "acme/widgets", default_branch: "trunk" } }
        gitea.answers.set(pulls, [listed({ base, updated_at: at, head: { label: "et-7", sha: "two", repo_id: 1 } })])
        yield* round
        assert.containSubset(yield* pullRequest(88), { base: "trunk", defaultBranch: "trunk", headSha: "two" })
        // What an older version has read of its text is read again.
        yield* write(sql`UPDATE plane_sync_pull_request SET text_rank = 0, text_at = 0`)
        yield* write(sql`UPDATE plane_sync_claim SET key = 'ET-26'`)
        yield* round
        const { read } = yield* Storage
        assert.deepStrictEqual(yield* read(sql`SELECT key FROM plane_sync_claim`), [{ key: "ET-7" }])
      })
    ))

  it.live("row 22: a repository that is nowhere costs one request a round, and is found again", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const round = yield* asking
        yield* heard(seen())
        gitea.refused.add(pulls)
        yield* round
        gitea.asked.splice(0)
        yield* round
        assert.deepStrictEqual(sinceLast(gitea.asked), ["/api/v1/repositories/1"])
        gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/gears", default_branch: "main" })
        gitea.answers.set("/api/v1/repos/acme/gears/pulls", [])
        assert.deepStrictEqual(yield* round, [])
        assert.strictEqual((yield* pullRequest(88))?.name, "acme/gears")
      })
    ))

  it.live("row 26: say what Gitea refuses, until it does not", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { troubles } = yield* Gitea
        const round = yield* asking
        yield* heard(seen())
        const words = Effect.map(troubles, (errors) => errors.map(({ message }) => message).join())
        for (const [status, said] of [[401, "ORCH_GITEA_TOKEN"], [403, "ORCH_GITEA_TOKEN"]] as const) {
          gitea.statuses.set(pulls, status)
          assert.deepStrictEqual(yield* round, ["acme/widgets"])
          assert.include(yield* words, said)
        }
        gitea.statuses.clear()
        gitea.answers.set(pulls, [])
        assert.deepStrictEqual(yield* round, [])
        assert.strictEqual(yield* words, "")
        gitea.misbehave = (response) => response.destroy()
        assert.deepStrictEqual(yield* round, ["acme/widgets"])
        assert.include(yield* words, "Gitea does not answer")
      })
    ))
})
