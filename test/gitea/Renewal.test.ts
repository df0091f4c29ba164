import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { giteaGates } from "../../src/gitea/GiteaGates.js"
import { readPullRequest } from "../../src/gitea/PullRequestRows.js"
import { Storage } from "../../src/StorageLayers.js"
import type { Verdict } from "../../src/tasks/QualityGate.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { heard, listed, seen, withForge } from "./Forge.js"

const merged = Effect.gen(function*() {
  const gate = (yield* giteaGates).find(({ name }) => name === "merged")
  if (gate === undefined) return yield* Effect.dieMessage("there is no gate merged")
  const tasks = yield* TaskStore
  yield* tasks.start({ workItem: "ET-7" })
  return Effect.flatMap(tasks.get("ET-7"), gate.check)
})

const words = (verdict: Verdict) => verdict._tag === "Pending" ? verdict.why : verdict._tag

const now = Effect.flatMap(Storage, ({ read, sql }) => read(readPullRequest(sql, { repository: 1, number: 88 })))

describe("what Gitea answers of a pull request", () => {
  it.live("row 22: one that was deleted counts as closed, and holds up no other", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const ask = yield* merged
        yield* heard(seen())
        yield* heard(seen({ number: 89 }))
        gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/widgets", default_branch: "main" })
        gitea.refused.add("/api/v1/repos/acme/widgets/pulls/88")
        assert.include(words(yield* ask), "acme/widgets#89 is not merged yet")
        assert.isFalse((yield* now)?.open)
        gitea.answers.set("/api/v1/repos/acme/widgets/pulls/89", listed({ number: 89, state: "closed", merged: true }))
        assert.strictEqual(words(yield* ask), "Passed")
      })
    ))

  it.live("row 22: where the repository is not there either, the task waits, and says for which pull request", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const ask = yield* merged
        yield* heard(seen())
        gitea.refused.add("/api/v1/repos/acme/widgets/pulls/88")
        assert.include(words(yield* ask), "repositories/1")
        assert.isTrue((yield* now)?.open)
      })
    ))

  it.live("row 22: one that is closed and cannot be read holds up no other", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const ask = yield* merged
        yield* heard(seen({ open: false }))
        yield* heard(seen({ repository: 2, name: "acme/app", number: 5 }))
        gitea.refused.add("/api/v1/repos/acme/widgets/pulls/88")
        const answer = listed({ number: 5, base: { ref: "main", repo: { id: 2, default_branch: "main" } } })
        gitea.answers.set("/api/v1/repos/acme/app/pulls/5", { ...answer, state: "closed", merged: true })
        assert.strictEqual(words(yield* ask), "Passed")
      })
    ))

  for (const status of [404, 301, 307]) {
    it.live(`row 21: a renamed repository is found by its id, whose old name answers ${status}`, () =>
      withForge((gitea) =>
        Effect.gen(function*() {
          const ask = yield* merged
          yield* heard(seen())
          gitea.statuses.set("/api/v1/repos/acme/widgets/pulls/88", status)
          gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/gears", default_branch: "main" })
          gitea.answers.set("/api/v1/repos/acme/gears/pulls/88", listed({ state: "closed", merged: true }))
          assert.strictEqual(words(yield* ask), "Passed")
          assert.strictEqual((yield* now)?.name, "acme/gears")
        })
      ))
  }

  it.live("row 21: another repository that has the old name now is not believed", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const ask = yield* merged
        yield* heard(seen())
        const base = { ref: "main", repo: { id: 99, default_branch: "main" } }
        gitea.answers.set("/api/v1/repos/acme/widgets/pulls/88", listed({ base, state: "closed", merged: true }))
        gitea.answers.set("/api/v1/repositories/1", { id: 1, full_name: "acme/gears", default_branch: "main" })
        gitea.answers.set("/api/v1/repos/acme/gears/pulls/88", listed())
        assert.include(words(yield* ask), "acme/gears#88 is not merged yet")
      })
    ))

  it.live("a merge of before the update, whose moment was not stored, is asked for", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const ask = yield* merged
        const { sql, write } = yield* Storage
        yield* heard(seen({ merged: true, open: false, isMerging: true, mergedAt: EpochMillis(1_000) }))
        yield* write(sql`UPDATE plane_sync_pull_request SET merged_at = NULL, base = NULL, default_branch = NULL`)
        gitea.answers.set(
          "/api/v1/repos/acme/widgets/pulls/88",
          listed({ state: "closed", merged: true, merged_at: "2026-11-01T08:00:00Z" })
        )
        assert.include(words(yield* ask), "acme/widgets#88 does not count: it was merged before the task started")
        assert.strictEqual((yield* now)?.base, "main")
        const asked = gitea.asked.length
        yield* ask
        assert.strictEqual(gitea.asked.length, asked)
      })
    ))

  it.live("row 26: the reason of a task names its own pull request only", () =>
    withForge((gitea) =>
      Effect.gen(function*() {
        const tasks = yield* TaskStore
        const ask = yield* merged
        const gate = (yield* giteaGates).find(({ name }) => name === "merged")
        yield* heard(seen())
        gitea.misbehave = (response) => response.destroy()
        assert.match(words(yield* ask), /^Gitea does not answer \(/)
        const { sql, write } = yield* Storage
        yield* tasks.start({ workItem: "ET-8" })
        yield* heard(seen({ number: 90, branch: "et-8" }))
        yield* write(sql`UPDATE plane_sync_claim SET key = 'ET-8' WHERE number = 90`)
        const other = yield* Effect.flatMap(tasks.get("ET-8"), (task) => gate?.check(task) ?? Effect.die("no gate"))
        assert.notInclude(words(other), "88")
        assert.lengthOf(yield* (yield* Gitea).troubles, 1)
        gitea.misbehave = undefined
      })
    ))
})
