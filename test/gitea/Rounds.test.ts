import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schedule } from "effect"
import { EpochMillis, epochMillis, later } from "../../src/base/Time.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { readPullRequest } from "../../src/gitea/PullRequestRows.js"
import { makeRepositoriesDue, readDueRepositories, stirRepositories } from "../../src/gitea/RepositoryRows.js"
import { makeAsking, startRounds } from "../../src/gitea/Rounds.js"
import { Storage } from "../../src/StorageLayers.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { heard, listed, seen, withForge } from "./Forge.js"

/** Asks about all repositories now, and says which are due again within a minute. */
const asking = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const perform = yield* makeAsking(Option.getOrThrow(yield* Gitea))
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
        yield* startRounds
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

  it.live("row 26: say what Gitea refuses, until it does not", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const client = Option.getOrThrow(yield* Gitea)
        const round = yield* asking
        yield* heard(seen())
        const words = Effect.map(client.troubles, (errors) => errors.map(({ message }) => message).join())
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
