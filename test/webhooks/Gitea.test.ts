import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { folder, request, withPlane } from "../http/Server.js"
import { fixture } from "./Fixtures.js"
import { developed, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"

const pull = { number: 88, workItem: 7, head: sha("one") }

describe("POST /webhooks/gitea", () => {
  it.live("takes a task from its pull request to done", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      assert.strictEqual(yield* at.stage(7), "development active")
      assert.strictEqual((yield* at.task(7))?.pullRequest, 88)

      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head, state: "pending" }))
      yield* at.gitea(
        "status",
        statusBody({ id: 2, sha: pull.head, state: "failure", context: "build/tiles", description: "out of memory" })
      )
      assert.strictEqual(yield* at.stage(7), "development active")
      assert.containSubset((yield* at.events).at(-1), {
        type: "quality_gate_failed",
        stage: "development",
        check: "ci",
        reason: "build/tiles: out of memory"
      })

      yield* at.gitea("status", statusBody({ id: 3, sha: pull.head, context: "build/tiles" }))
      assert.strictEqual(yield* at.stage(7), "review active")

      yield* at.gitea("pull_request_review_comment", pullBody("review_comment", { ...pull, at: 5 }))
      yield* at.gitea("pull_request_review_rejected", pullBody("review_rejected", { ...pull, at: 5 }))
      assert.strictEqual(yield* at.stage(7), "review active")
      assert.containSubset((yield* at.events).at(-1), {
        type: "quality_gate_failed",
        stage: "review",
        check: "approval",
        reason: "jonas: The third switchback is too steep:\n22 % is not rideable"
      })

      yield* at.gitea("pull_request_review_approved", pullBody("review_approved", { ...pull, at: 9 }))
      assert.strictEqual(yield* at.stage(7), "testing active")
      yield* at.tested(7)
      assert.strictEqual(yield* at.stage(7), "deploy active")
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, at: 20 }))
      assert.strictEqual(yield* at.stage(7), "done done")
      const said = (yield* at.events).map(({ to, type }) => to ?? type)
      assert.deepStrictEqual(said, [
        "analysis",
        "architecture",
        "development",
        "quality_gate_failed",
        "review",
        "quality_gate_failed",
        "testing",
        "deploy",
        "done",
        "task_completed"
      ])
    }).pipe(Effect.scoped, withPlane))

  it.live("a merge answers the checks and the review too", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", pull))
      assert.strictEqual(yield* at.stage(7), "done done")
    }).pipe(Effect.scoped, withPlane))

  it.live("a pull request that is older than its task is found when the task starts", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ORCH_PLANE_API_TOKEN: "" })
      yield* at.gitea("status", statusBody({ id: 2, sha: pull.head }))
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.settled
      assert.isUndefined(yield* at.task(7))
      yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
      yield* at.settled
      yield* at.reported(7)
      assert.strictEqual(yield* at.stage(7), "review active")
      assert.strictEqual((yield* at.task(7))?.pullRequest, 88)
    }).pipe(Effect.scoped, withPlane))

  it.live("a pull request that was closed unmerged is no answer; the next one of the same work item is", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
      yield* at.gitea("pull_request", pullBody("pull_request_closed_unmerged", pull))
      assert.strictEqual(yield* at.stage(7), "development active")
      const second = { ...pull, number: 90, head: sha("two") }
      yield* at.gitea("pull_request", pullBody("pull_request_opened", second))
      yield* at.settled
      assert.strictEqual((yield* at.task(7))?.pullRequest, 90)
      yield* at.gitea("status", statusBody({ id: 2, sha: second.head }))
      assert.strictEqual(yield* at.stage(7), "review active")
    }).pipe(Effect.scoped, withPlane))

  it.live("a title that is corrected moves the task that it names in the end, and no other, whichever is the newer one", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ORCH_PLANE_API_TOKEN: "" })
      for (const n of [2, 3, 5, 6]) {
        yield* at.plane(moveBody({ number: n, to: "inProgress", at: n }))
        yield* at.settled
        yield* at.reported(n)
      }
      for (const { meant, number, wrong } of [{ number: 88, wrong: 3, meant: 2 }, { number: 89, wrong: 5, meant: 6 }]) {
        const pull = { number, workItem: meant, head: sha(`${number}`) }
        const titled = (n: number) => ({ title: `ET-${n}: login`, head: { label: "login", ref: "login" } })
        yield* at.gitea("pull_request", pullBody("pull_request_opened", { ...pull, change: titled(wrong) }))
        yield* at.settled
        assert.strictEqual((yield* at.task(wrong))?.pullRequest, number)
        const correct = { ...pull, at: 5, change: titled(meant) }
        yield* at.gitea("pull_request", pullBody("pull_request_edited_title", correct))
        yield* at.settled
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...correct, at: 9 }))
        assert.strictEqual(yield* at.stage(meant), "done done")
        yield* request(`${at.url}/api/tasks/ET-${wrong}/advance`, { method: "POST" })
        assert.strictEqual(yield* at.stage(wrong), "development active")
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("those of a fork, into another branch and without a name move nothing, nor do their checks and merges (1, 37)", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      const outside = [
        { head: { repo_id: 99 } },
        { base: { ref: "feature/epic" } },
        { head: { label: "north-climb", ref: "north-climb" }, title: "see ET-70", body: "as in ET-7" }
      ]
      for (const [index, change] of outside.entries()) {
        const other = { number: 60 + index, workItem: 7, head: sha(`other ${index}`), change }
        yield* at.gitea("pull_request", pullBody("pull_request_opened", other))
        yield* at.gitea("status", statusBody({ id: index + 1, sha: other.head }))
        yield* at.gitea("status", statusBody({ id: index + 9, sha: other.head, context: "build/x", state: "failure" }))
        yield* at.gitea("pull_request_review_approved", pullBody("review_approved", other))
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...other, at: 9 }))
      }
      assert.strictEqual(yield* at.stage(7), "development active")
      assert.isNull((yield* at.task(7))?.pullRequest)
      const { body } = yield* request(`${at.url}/api/tasks/ET-7`)
      assert.include(JSON.stringify(body), "rideworks/trail-maps#60 does not count: it comes from a fork")
      assert.include(JSON.stringify(body), "#61 does not count: it goes into feature/epic, and not into main")
      assert.isFalse((yield* at.events).some(({ type }) => type === "quality_gate_failed"))
    }).pipe(Effect.scoped, withPlane))

  it.live("one that is merged leaves the task where the other one is, which is still open (2)", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      const second = { ...pull, number: 90, head: sha("two") }
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...second, at: 5 }))
      assert.strictEqual(yield* at.stage(7), "development active")
      yield* at.gitea("pull_request", pullBody("pull_request_closed_unmerged", { ...pull, at: 6 }))
      assert.strictEqual(yield* at.stage(7), "done done")
    }).pipe(Effect.scoped, withPlane))

  it.live("what was merged before its task started does not count (3)", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      const change = { merged_at: "2020-01-01T00:00:00Z" }
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, change }))
      assert.strictEqual(yield* at.stage(7), "development active")
    }).pipe(Effect.scoped, withPlane))

  it.live("what a pull request is about is fixed when it is merged, in whatever order its hooks come (4)", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ORCH_PLANE_API_TOKEN: "" })
      for (const n of [2, 3]) {
        yield* at.plane(moveBody({ number: n, to: "inProgress", at: n }))
        yield* at.settled
        yield* at.reported(n)
      }
      const typo = { title: "Fix typo", head: { label: "typo", ref: "typo" } }
      const hooks = (number: number, workItem: number) => {
        const one = { number, workItem, head: sha(`${number}`) }
        const later = { ...typo, title: `Fix typo (ET-${workItem})`, merged: true, state: "closed" }
        return [
          at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...one, at: 1, change: typo })),
          at.gitea("pull_request", pullBody("pull_request_edited_title", { ...one, at: 2, change: later }))
        ] as const
      }
      yield* Effect.all(hooks(9, 2), { discard: true })
      const [merged, edited] = hooks(10, 3)
      yield* edited
      yield* merged
      assert.strictEqual(yield* at.stage(2), "development active")
      assert.strictEqual((yield* at.task(2))?.pullRequest, null)
    }).pipe(Effect.scoped, withPlane))

  it.live("a pull request may be about several work items, and moves each (19)", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ORCH_PLANE_API_TOKEN: "" })
      for (const n of [24, 25]) {
        yield* at.plane(moveBody({ number: n, to: "inProgress", at: n }))
        yield* at.settled
        yield* at.reported(n)
      }
      const change = { body: "Closes ET-24 and ET-25", head: { label: "both", ref: "both" } }
      yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, change }))
      assert.strictEqual(yield* at.stage(24), "done done")
      assert.strictEqual(yield* at.stage(25), "done done")
    }).pipe(Effect.scoped, withPlane))

  it.live("of 300 statuses only the newest of each check of the present head count", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 10 }, (_, n) => `build/${n}`)
      const at = yield* developed(7, { ORCH_GITEA_REQUIRED_CHECKS: names.join(",") })
      const heads = Array.from({ length: 6 }, (_, n) => sha(`head ${n}`))
      const present = heads[4] ?? ""
      yield* at.gitea("pull_request", pullBody("pull_request_opened", { ...pull, head: heads[0] ?? "" }))
      yield* at.gitea("pull_request_sync", pullBody("pull_request_synchronized", { ...pull, head: present }))
      // Each of 10 checks is told five times of each head; all fail, but the last word on the present head.
      const all = heads.flatMap((head) =>
        Array.from({ length: 50 }, (_, n) => ({ head, context: `build/${n % 10}`, round: Math.floor(n / 10) }))
      ).map(({ context, head, round }, id) =>
        statusBody({
          id: id + 1,
          sha: head,
          context,
          state: head !== present ? "failure" : round < 4 ? "pending" : "success"
        })
      )
      // In an order that has nothing to do with theirs: 7 and 300 have no common factor.
      const shuffled = all.map((_, n) => all[n * 7 % all.length] ?? "")
      yield* Effect.forEach(shuffled, (body) => at.gitea("status", body), { concurrency: 16, discard: true })
      assert.strictEqual(yield* at.stage(7), "review active")
      assert.isFalse((yield* at.events).some(({ type }) => type === "quality_gate_failed"))
      assert.isTrue((yield* at.inbox).every(({ status }) => status === "done"))
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("the same again, with the same id or a new one, changes nothing; what went wrong may come again", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      const opened = pullBody("pull_request_opened", pull)
      const rejected = pullBody("review_rejected", pull)
      yield* at.gitea("pull_request", opened, { uuid: "d-1" })
      yield* at.gitea("pull_request_review_rejected", rejected)
      yield* at.gitea("pull_request_review_approved", pullBody("review_approved", pull))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
      assert.strictEqual(yield* at.stage(7), "testing active")
      // Were it taken for a new one, the reviewer's last word would be no.
      yield* at.gitea("pull_request_review_rejected", rejected)
      yield* at.gitea("pull_request", opened, { uuid: "d-1" })
      yield* at.gitea("pull_request", opened)
      yield* at.gitea("status", "{\"id\":\"x\"}")
      yield* at.gitea("status", "{\"id\":\"x\"}")
      assert.strictEqual(yield* at.stage(7), "testing active")
      assert.isFalse((yield* at.events).some(({ type }) => type === "quality_gate_failed"))
      const [, , , , , ...later] = yield* at.inbox
      const again = "the same was worked on before"
      assert.deepStrictEqual(later.slice(0, 3).map(({ reason }) => reason), [again, again, again])
      for (const { reason, status } of later.slice(3)) {
        assert.strictEqual(status, "skipped")
        assert.include(reason, "id: ")
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("row 69: a head that was left returns by a later moment, and not by an old push that is sent again", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      const [one, two, three] = [sha("one"), sha("two"), sha("three")]
      const push = (head: string, moment = 0, title = "ET-7: trails") =>
        at.gitea(
          "pull_request_sync",
          pullBody("pull_request_synchronized", { ...pull, head, at: moment, change: { title } })
        )
      const head = Effect.zipRight(
        at.settled,
        Effect.map(at.sql<{ head: string }>`SELECT head_sha AS head FROM plane_sync_pull_request`, ([row]) => row?.head)
      )
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      for (const next of [one, two, three]) {
        yield* push(next)
        assert.strictEqual(yield* head, next)
      }
      // As they were, and in other words.
      for (const left of [pull.head, one, two]) {
        yield* push(left)
        yield* push(left, 0, "ET-7: other words")
        assert.strictEqual(yield* head, three)
      }
      yield* at.gitea("pull_request", pullBody("pull_request_opened", { ...pull, change: { title: "ET-7: again" } }))
      assert.strictEqual(yield* head, three)
      yield* push(one, 5)
      assert.strictEqual(yield* head, one)
      yield* push(three, 0, "ET-7: late")
      yield* push(three, 6)
      assert.strictEqual(yield* head, three)
      yield* push(one, 6, "ET-7: once more")
      assert.strictEqual(yield* head, three)
    }).pipe(Effect.scoped, withPlane))

  it.live("row 69: a hook under another type than its body's own tells nothing", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
      assert.strictEqual(yield* at.stage(7), "review active")
      const forged = [
        ["pull_request_review_approved", pullBody("review_comment", { ...pull, at: 3 })],
        ["pull_request_review_approved", pullBody("review_rejected", { ...pull, at: 3 })],
        ["pull_request_review_approved", pullBody("pull_request_edited_title", { ...pull, at: 4 })],
        ["pull_request_review_approved", pullBody("pull_request_synchronized", { ...pull, at: 4 })],
        ["pull_request_review_rejected", pullBody("review_approved", { ...pull, at: 5 })],
        ["pull_request_review_comment", pullBody("review_approved", { ...pull, at: 5 })],
        ["pull_request", pullBody("review_approved", { ...pull, at: 5 })],
        ["pull_request_sync", pullBody("pull_request_opened", { ...pull, at: 6, head: sha("other") })],
        ["pull_request_label", pullBody("pull_request_synchronized", { ...pull, at: 6, head: sha("other") })]
      ] as const
      for (const [type, body] of forged) yield* at.gitea(type, body)
      assert.strictEqual(yield* at.stage(7), "review active")
      const told = (yield* at.inbox).slice(-forged.length)
      for (const { reason, status } of told) {
        assert.strictEqual(status, "skipped")
        assert.match(reason ?? "", /^action: its body says .*, and its header pull_request/)
      }
      const [row] = yield* at.sql<{ head: string }>`SELECT head_sha AS head FROM plane_sync_pull_request`
      assert.strictEqual(row?.head, pull.head)
      assert.deepStrictEqual(yield* at.sql`SELECT * FROM plane_sync_review`, [])
      yield* at.gitea("pull_request_review_approved", pullBody("review_approved", { ...pull, at: 7 }))
      assert.notStrictEqual(yield* at.stage(7), "review active")
    }).pipe(Effect.scoped, withPlane))

  it.live("what was taken is worked on after a restart", () =>
    Effect.gen(function*() {
      const settings = { ORCH_PLANE_API_TOKEN: "", ORCH_DATABASE_URL: `${yield* folder}/events.sqlite` }
      yield* Effect.scoped(Effect.gen(function*() {
        const at = yield* scene(settings)
        yield* at.plane(moveBody({ number: 7, to: "inProgress", at: 1 }))
        const statuses = Array.from({ length: 100 }, (_, n) => statusBody({ id: n + 1, sha: pull.head }))
        yield* Effect.forEach(statuses, (body) => at.gitea("status", body), { concurrency: 16, discard: true })
        yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
        // Stopped with the last of them just taken.
      }))
      const at = yield* scene(settings)
      yield* at.settled
      yield* at.reported(7)
      assert.strictEqual(yield* at.stage(7), "review active")
      const inbox = yield* at.inbox
      assert.lengthOf(inbox, 102)
      assert.isTrue(inbox.every(({ status }) => status === "done"))
    }).pipe(Effect.scoped, withPlane))

  it.live("what is known of a pull request that was closed long ago is deleted", () =>
    Effect.gen(function*() {
      const settings = { ORCH_PLANE_API_TOKEN: "", ORCH_DATABASE_URL: `${yield* folder}/events.sqlite` }
      yield* Effect.scoped(Effect.gen(function*() {
        const at = yield* scene(settings)
        yield* at.gitea("pull_request", pullBody("pull_request_closed_unmerged", pull))
        yield* at.gitea("pull_request", pullBody("pull_request_closed_merged", { ...pull, number: 89 }))
        yield* at.settled
        yield* at.sql`UPDATE plane_sync_pull_request SET received_at = received_at - ${
          31 * 86_400_000
        } WHERE number = 88`
      }))
      const { sql } = yield* scene(settings)
      yield* Effect.repeat(sql<{ number: number }>`SELECT number FROM plane_sync_pull_request`, {
        until: (rows) => rows.length === 1 && rows[0]?.number === 89,
        schedule: Schedule.spaced("20 millis")
      }).pipe(Effect.timeout("60 seconds"))
    }).pipe(Effect.scoped, withPlane))

  it.live("every other event is taken and moves nothing", () =>
    Effect.gen(function*() {
      const at = yield* developed(7)
      for (
        const [event, name] of [["push", "push"], ["create", "create_branch"], ["workflow_run", "push"], ["x", "push"]]
      ) {
        yield* at.gitea(event ?? "", fixture(`gitea/${name ?? ""}`))
      }
      yield* at.gitea("pull_request_comment", fixture("gitea/pr_issue_comment"))
      assert.strictEqual(yield* at.stage(7), "development active")
      const [, ...others] = yield* at.inbox
      assert.isTrue(others.every(({ status }) => status === "skipped"))
    }).pipe(Effect.scoped, withPlane))
})
