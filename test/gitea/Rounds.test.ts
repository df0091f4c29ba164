import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { readPullRequest } from "../../src/gitea/PullRequestRows.js"
import { makeAsking } from "../../src/gitea/Rounds.js"
import { Storage } from "../../src/StorageLayers.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { heard, listed, seen, withForge } from "./Forge.js"

const asking = Effect.flatMap(Gitea, (client) => makeAsking(Option.getOrThrow(client)))

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
        const { round } = yield* asking
        yield* heard(seen())
        yield* tasks.start({ workItem: "ET-7" })
        const page = (numbers: ReadonlyArray<number>) => numbers.map((number) => listed({ number }))
        const paged = (n: number) => `${pulls}?state=open&sort=recentupdate&page=${n}&limit=50`
        gitea.pages.set(paged(1), { total: 3, answer: page([88, 5]) })
        gitea.pages.set(paged(2), { total: 3, answer: page([6]) })
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        assert.isTrue(yield* round)
        assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1), paged(2)])
        assert.containSubset(yield* pullRequest(5), { name: "acme/widgets", open: true, base: "main" })
        assert.containSubset(yield* pullRequest(6), { open: true })
        assert.isTrue(yield* isDue)
        yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
        for (let n = 0; n < 3; n++) {
          assert.isTrue(yield* round)
          assert.deepStrictEqual(sinceLast(gitea.asked), [paged(1)])
        }
        assert.isFalse(yield* isDue)
        // One that was opened since, with its hook lost.
        gitea.pages.set(paged(1), {
          total: 4,
          answer: [listed({ number: 7, updated_at: "2026-11-02T08:00:00Z" }), ...page([88, 5])]
        })
        assert.isTrue(yield* round)
        assert.isTrue(yield* isDue)
      })
    ))

  it.live("row 23: ask about the repositories of the settings, before anything was heard of them", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { round } = yield* asking
        gitea.answers.set("/api/v1/repos/acme/widgets", { id: 1, full_name: "acme/widgets", default_branch: "main" })
        gitea.answers.set(pulls, [listed()])
        // The last one cannot be read.
        assert.isFalse(yield* round)
        assert.containSubset(yield* pullRequest(88), { open: true })
        assert.lengthOf(gitea.asked.filter((path) => path.startsWith("/api/v1/repos/other")), 0)
      }), { ORCH_GITEA_REPOSITORIES: "acme/widgets, acme/app-*, acme/gone" }))

  it.live("row 21: go by the id of a repository that was renamed", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { round } = yield* asking
        yield* heard(seen())
        gitea.statuses.set(pulls, 307)
        gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/gears", default_branch: "main" })
        gitea.answers.set("/api/v1/repos/acme/gears/pulls", [])
        assert.isTrue(yield* round)
        assert.strictEqual((yield* pullRequest(88))?.name, "acme/gears")
      })
    ))

  it.live("row 25: a delivery that tells nothing has the tasks of its repository look again", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const { sql, write } = yield* Storage
        const tasks = yield* TaskStore
        const { about } = yield* asking
        yield* heard(seen())
        yield* tasks.start({ workItem: "ET-7" })
        gitea.answers.set(pulls, [])
        for (const [name, due] of [["acme/widgets", true], ["acme/other", false]] as const) {
          yield* write(sql`UPDATE plane_sync_task SET due_at = NULL`)
          yield* about({ id: 1, name })
          assert.strictEqual(yield* isDue, due)
        }
      }), { ORCH_GITEA_REPOSITORIES: "acme/widgets" }))

  it.live("row 26: say what Gitea refuses, until it does not", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const client = Option.getOrThrow(yield* Gitea)
        const { round } = yield* asking
        yield* heard(seen())
        const words = Effect.map(client.troubles, (errors) => errors.map(({ message }) => message).join())
        for (const [status, said] of [[401, "ORCH_GITEA_TOKEN"], [403, "ORCH_GITEA_TOKEN"]] as const) {
          gitea.statuses.set(pulls, status)
          assert.isFalse(yield* round)
          assert.include(yield* words, said)
        }
        gitea.statuses.clear()
        gitea.answers.set(pulls, [])
        assert.isTrue(yield* round)
        assert.strictEqual(yield* words, "")
        gitea.misbehave = (response) => response.destroy()
        assert.isFalse(yield* round)
        assert.include(yield* words, "Gitea does not answer")
      })
    ))
})
