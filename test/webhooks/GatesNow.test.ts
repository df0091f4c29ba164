import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request, withPlane } from "../http/Server.js"
import { circle, comesTo, told } from "./Circle.js"
import type { Pull } from "./Scene.js"
import { alone, developed, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const pullOf = (workItem: number): Pull => ({ number: workItem + 100, workItem, head: sha(`${workItem}`) })

/** The gate failures of a work item that were published: where, which gate, and why. */
const failuresOf = (at: Scene, workItem: number) =>
  Effect.map(
    at.events,
    (events) =>
      events.filter((event) => event["type"] === "quality_gate_failed" && event["workItem"] === `ET-${workItem}`)
        .map(({ check, reason, stage }) => `${stage}: ${check} — ${reason}`)
  )

const shownOf = (at: Scene, workItem: number) =>
  Effect.map(request(`${at.url}/api/tasks/ET-${workItem}`), ({ body }) =>
    body as {
      readonly verdicts: ReadonlyArray<Readonly<Record<string, string>>>
      readonly story: ReadonlyArray<Readonly<Record<string, string>>>
    })

const approve = (at: Scene, pull: Pull) => at.gitea("pull_request_review_approved", pullBody("review_approved", pull))

/** Takes a task to a stage, by what a person, agents and Gitea say. */
const bring = (at: Scene, workItem: number, stage: string) =>
  Effect.gen(function*() {
    const pull = pullOf(workItem)
    yield* at.plane(moveBody({ number: workItem, to: "inProgress", at: workItem }))
    yield* at.settled
    yield* at.reported(workItem)
    yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
    yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
    if (stage !== "review") yield* approve(at, { ...pull, at: 1 })
    yield* at.settled
    if (stage === "deploy") yield* at.tested(workItem)
    assert.strictEqual(yield* at.stage(workItem), `${stage} active`)
  })

const changes = {
  "the newest commit is red": {
    come: (at: Scene, pull: Pull) =>
      at.gitea("status", statusBody({ id: 9, sha: pull.head, state: "failure", description: "out of memory" })),
    again: (at: Scene, pull: Pull) =>
      at.gitea("status", statusBody({ id: 10, sha: pull.head, state: "failure", description: "no memory" })),
    gate: "ci",
    reason: () => "build/tiles: out of memory",
    well: (at: Scene, pull: Pull) => at.gitea("status", statusBody({ id: 11, sha: pull.head }))
  },
  "commits that nobody has reviewed": {
    come: (at: Scene, pull: Pull) =>
      at.gitea(
        "pull_request_sync",
        pullBody("pull_request_synchronized", { ...pull, head: sha(`${pull.number}b`), at: 2 })
      ),
    again: (at: Scene, pull: Pull) =>
      at.gitea(
        "pull_request_sync",
        pullBody("pull_request_synchronized", { ...pull, head: sha(`${pull.number}c`), at: 3 })
      ),
    gate: "approval",
    reason: () => "nobody has approved the present commits",
    well: (at: Scene, pull: Pull) => approve(at, { ...pull, head: sha(`${pull.number}c`), at: 5 })
  },
  "changes are requested": {
    come: (at: Scene, pull: Pull) =>
      at.gitea("pull_request_review_rejected", pullBody("review_rejected", { ...pull, at: 2 })),
    again: (at: Scene, pull: Pull) =>
      at.gitea("pull_request_review_comment", pullBody("review_comment", { ...pull, at: 3 })),
    gate: "approval",
    reason: () => "jonas: The third switchback is too steep:\n22 % is not rideable",
    well: (at: Scene, pull: Pull) => approve(at, { ...pull, at: 5 })
  },
  "the pull request is closed without a merge": {
    come: (at: Scene, pull: Pull) =>
      at.gitea("pull_request", pullBody("pull_request_closed_unmerged", { ...pull, at: 2 })),
    again: (at: Scene, pull: Pull) =>
      at.gitea(
        "pull_request",
        pullBody("pull_request_edited_title", {
          ...pull,
          at: 3,
          change: { title: "Another", state: "closed" }
        })
      ),
    gate: "ci",
    reason: (pull: Pull) => `rideworks/trail-maps#${pull.number} was closed without a merge`,
    well: (at: Scene, pull: Pull) => at.gitea("pull_request", pullBody("pull_request_reopened", { ...pull, at: 5 }))
  }
} as const

describe("the gates of a task, as they are now", () => {
  it.live(
    "row 14: what is no longer so is told once, at testing and at deploy, and shown; that it is so again is shown",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        let workItem = 10
        for (const stage of ["testing", "deploy"]) {
          for (const [name, { again, come, gate, reason, well }] of Object.entries(changes)) {
            workItem += 1
            const pull = pullOf(workItem)
            yield* bring(at, workItem, stage)
            yield* come(at, pull)
            yield* at.settled
            yield* again(at, pull)
            yield* at.settled
            assert.deepStrictEqual(
              yield* failuresOf(at, workItem),
              [`${stage}: ${gate} — ${reason(pull)}`],
              `${name} at ${stage}`
            )
            const shown = yield* shownOf(at, workItem)
            assert.notStrictEqual(shown.verdicts.find((verdict) => verdict["gate"] === gate)?.["verdict"], "passed")
            assert.isTrue(shown.verdicts.every(({ since, stage }) => since !== undefined && stage !== undefined))
            assert.strictEqual(yield* at.stage(workItem), `${stage} active`)
            yield* well(at, pull)
            yield* at.settled
            const { story } = yield* shownOf(at, workItem)
            assert.include(story.map(({ line }) => line), `${gate} holds again at ${stage}`, `${name} at ${stage}`)
            assert.strictEqual((yield* failuresOf(at, workItem)).length, 1)
          }
        }
      }).pipe(Effect.scoped, withPlane),
    120_000
  )

  it.live(
    "row 14: a red build at review is told there, though development was left; so is a closed pull request",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        const [red, closed] = [pullOf(31), pullOf(32)]
        yield* bring(at, 31, "review")
        yield* bring(at, 32, "review")
        yield* changes["the newest commit is red"].come(at, red)
        yield* changes["the pull request is closed without a merge"].come(at, closed)
        yield* at.settled
        assert.deepStrictEqual(yield* failuresOf(at, 31), ["review: ci — build/tiles: out of memory"])
        assert.deepStrictEqual(yield* failuresOf(at, 32), [
          "review: ci — rideworks/trail-maps#132 was closed without a merge"
        ])
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live(
    "row 14: one that goes into another branch now, or names the work item no more, is told too",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        const edit = (workItem: number, change: object) =>
          at.gitea(
            "pull_request",
            pullBody("pull_request_edited_title", { ...pullOf(workItem), at: 5, change: { ...change } })
          )
        yield* bring(at, 41, "testing")
        yield* bring(at, 42, "testing")
        yield* edit(41, { base: { ref: "feature/epic" } })
        yield* edit(42, { title: "Another", head: { ref: "other", label: "other" } })
        yield* at.settled
        const [retargeted] = yield* failuresOf(at, 41)
        assert.match(
          retargeted ?? "",
          /^testing: ci — rideworks\/trail-maps#141 does not count: it goes into feature\/epic/
        )
        assert.deepStrictEqual(yield* failuresOf(at, 42), ["testing: ci — no pull request names ET-42 yet"])
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live("row 6: a merge takes a task to its end at once, and nobody is launched for what it only passes", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pullOf(7)))
      assert.strictEqual(yield* at.stage(7), "done done")
      const changed = (yield* at.events).filter(({ type }) => type === "stage_changed")
      assert.deepStrictEqual(changed.map(({ agent, to }) => [to, agent]), [
        ["analysis", "analyst"],
        ["architecture", "architect"],
        ["development", "developer"],
        ["review", undefined],
        ["testing", undefined],
        ["deploy", undefined],
        ["done", undefined]
      ])
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "row 6: a tester works although ci is green, and his report leads on; a merge answers it, but no earlier report",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        yield* bring(at, 51, "testing")
        assert.deepInclude((yield* at.events).at(-1), { to: "testing", agent: "tester" })
        yield* at.tested(51)
        assert.strictEqual(yield* at.stage(51), "deploy active")
        yield* bring(at, 52, "testing")
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pullOf(52), at: 9 }))
        assert.strictEqual(yield* at.stage(52), "done done")
        yield* at.plane(moveBody({ number: 53, to: "inProgress", at: 53 }))
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pullOf(53)))
        assert.strictEqual(yield* at.stage(53), "analysis active")
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live(
    "row 5: a merged revert of a done task is told once at done; another one's, an open and an uncounted one are not",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        for (const workItem of [61, 62]) {
          yield* bring(at, workItem, "testing")
          yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pullOf(workItem), at: 10 }))
          assert.strictEqual(yield* at.stage(workItem), "done done")
        }
        const revert = (number: number, title: string, name: string, change: object = {}, seconds = 20) =>
          at.gitea(
            "pull_request",
            pullBody(name, {
              number,
              workItem: 0,
              head: sha(`revert ${number}`),
              at: seconds,
              change: { title, head: { ref: `revert-${number}-main`, label: `revert-${number}-main` }, ...change }
            })
          )
        const merged = "pull_request_closed_merged"
        yield* revert(900, "Revert \"ET-61: first half\"", "pull_request_opened")
        yield* revert(901, "Revert \"ET-61: first half\"", merged, { base: { ref: "feature/epic" } })
        yield* at.settled
        assert.deepStrictEqual(yield* failuresOf(at, 61), [])
        yield* revert(902, "Revert \"ET-61: first half\"", merged)
        yield* at.settled
        yield* at.gitea(
          "pull_request_comment",
          pullBody("pull_request_edited_title", {
            number: 902,
            workItem: 0,
            head: sha("revert 902"),
            at: 30,
            change: { state: "closed", merged: true }
          })
        )
        assert.strictEqual(yield* at.stage(61), "done done")
        assert.deepStrictEqual(yield* failuresOf(at, 61), ["done: merged — rideworks/trail-maps#902 reverted it"])
        assert.deepStrictEqual(yield* failuresOf(at, 62), [])
        // Taken back itself: the work is there again.
        yield* revert(903, "Revert \"Revert \"ET-61: first half\"\"", merged, {}, 40)
        yield* at.settled
        assert.deepStrictEqual((yield* shownOf(at, 61)).story.at(-1)?.line, "merged holds again at done")
        assert.strictEqual((yield* at.events).filter(({ type }) => type === "task_completed").length, 2)
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live(
    "row 20: eight failures of one check are one comment, with the newest words, although it was built again each time",
    () =>
      Effect.gen(function*() {
        const { at, plane } = yield* circle
        const item = yield* plane.addWorkItem({ name: "North climb" })
        yield* plane.moveWorkItem(item.id, "In Progress")
        yield* comesTo(at, item.number, "analysis active")
        yield* at.reported(item.number)
        yield* comesTo(at, item.number, "development active")
        yield* told(at)
        const pull = pullOf(item.number)
        yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
        const status = (id: number, state: string, description: string) =>
          Effect.zipRight(
            at.gitea("status", statusBody({ id, sha: pull.head, state, description })),
            at.settled
          )
        const failing = (n: number) => status(2 * n, "failure", `Failing after ${60 + n}s`)
        // Told again without a new build: the same failure in other words.
        yield* failing(1)
        yield* told(at)
        yield* failing(2)
        assert.strictEqual((yield* failuresOf(at, item.number)).length, 1)
        for (let n = 3; n <= 8; n++) {
          yield* status(2 * n - 1, "pending", "Waiting to run")
          yield* failing(n)
        }
        assert.strictEqual((yield* failuresOf(at, item.number)).length, 7)
        const { verdicts } = yield* shownOf(at, item.number)
        assert.deepInclude(verdicts.at(-1), { gate: "ci", reason: "build/tiles: Failing after 68s" })
        const failures = Effect.map(
          plane.comments(item.id),
          (all) => all.filter(({ html }) => html.includes("QG failed")).map(({ html }) => html)
        )
        const [comment, ...others] = yield* failures
        assert.deepStrictEqual(others, [])
        // Its count is brought up to date at most every 10 minutes: it has the words of the failure that it counts
        // last.
        assert.match(
          comment ?? "",
          /ci — build\/tiles: Failing after 6\ds( \(failed \d times, last at .* UTC\))?<\/p>$/
        )
      }).pipe(Effect.scoped),
    90_000
  )
})
