import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { folder, request, withPlane } from "../http/Server.js"
import { developed, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"

/** A task at `development`, with a Gitea that can be asked about `pull`. */
const asking = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const gitea = yield* fakeGitea
    const at = yield* developed(7, { ORCH_GITEA_URL: gitea.url, ORCH_GITEA_TOKEN: gitea.token, ...settings })
    const checks = (
      state: string,
      ...statuses: ReadonlyArray<{ readonly context: string; readonly status: string; readonly description?: string }>
    ) =>
      void gitea.answers.set(`/api/v1/repos/rideworks/trail-maps/commits/${pull.head}/status`, {
        state,
        total_count: statuses.length,
        statuses: statuses.map((status, index) => ({ id: index + 1, description: "", ...status }))
      })
    return { at, gitea, checks }
  })

const pullPath = "/api/v1/repos/rideworks/trail-maps/pulls/88"

const pull = { number: 88, workItem: 7, head: sha("one") }

/** Waits for a stage that is reached by asking, and not by a hook. */
const until = <E, R>(stage: Effect.Effect<string, E, R>, expected: string) =>
  Effect.repeat(Effect.zipLeft(stage, Effect.sleep("50 millis")), { until: (now) => now === expected }).pipe(
    Effect.timeout("60 seconds")
  )

describe("Gitea, asked", () => {
  it.live("without a list all that was reported counts, once nothing new has come for a while (9)", () =>
    Effect.gen(function*() {
      const at = yield* developed(7, { ORCH_GITEA_REQUIRED_CHECKS: "", ORCH_GITEA_SETTLE: "2 seconds" })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head, state: "error", description: "no runner" }))
      yield* at.settled
      assert.containSubset((yield* at.events).at(-1), { check: "ci", reason: "build/tiles: no runner" })
      yield* at.gitea("status", statusBody({ id: 2, sha: pull.head }))
      assert.strictEqual(yield* at.stage(7), "development active")
      yield* Effect.repeat(Effect.zipLeft(at.stage(7), Effect.sleep("50 millis")), {
        until: (now) => now === "review active"
      }).pipe(Effect.timeout("60 seconds"))
    }).pipe(Effect.scoped, withPlane))

  it.live("Gitea's own word stands over what was delivered, whatever their ids", () =>
    Effect.gen(function*() {
      const { at, checks } = yield* asking()
      checks("success", { context: "build/tiles", status: "success" })
      yield* at.gitea("status", statusBody({ id: 5_000, sha: pull.head, state: "pending", context: "build/tiles" }))
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      assert.strictEqual(yield* at.stage(7), "review active")
    }).pipe(Effect.scoped, withPlane))

  it.live("a red check that has turned green is noticed without its hook", () =>
    Effect.gen(function*() {
      const { at, checks } = yield* asking()
      checks("failure", { context: "build/tiles", status: "failure" })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head, state: "failure", context: "build/tiles" }))
      assert.strictEqual(yield* at.stage(7), "development active")
      checks("success", { context: "build/tiles", status: "success" })
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      assert.strictEqual(yield* at.stage(7), "review active")
    }).pipe(Effect.scoped, withPlane))

  it.live("a merge that was never delivered is noticed, whatever the checks and the review say", () =>
    Effect.gen(function*() {
      const { at, checks, gitea } = yield* asking()
      checks("failure", { context: "build/tiles", status: "failure" })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      assert.strictEqual(yield* at.stage(7), "development active")
      gitea.answers.set(pullPath, { state: "closed", merged: true, head: { sha: pull.head } })
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      assert.strictEqual(yield* at.stage(7), "done done")
      // Once it was heard of, nobody asked about the rest.
      assert.strictEqual(gitea.asked.at(-1), pullPath)
      const [row] = yield* at.sql<{ open: number; merged: number }>`SELECT open, merged FROM plane_sync_pull_request`
      assert.deepStrictEqual(row, { open: 0, merged: 1 })
    }).pipe(Effect.scoped, withPlane))

  it.live("a merge while the program is down is noticed when it starts again", () =>
    Effect.gen(function*() {
      const settings = { ORCH_DATABASE_URL: `${yield* folder}/events.sqlite` }
      const gitea = yield* fakeGitea
      const api = { ORCH_GITEA_URL: gitea.url, ORCH_GITEA_TOKEN: gitea.token, ORCH_PLANE_API_TOKEN: "" }
      yield* Effect.scoped(Effect.gen(function*() {
        const at = yield* developed(7, { ...settings, ...api })
        gitea.answers.set(`/api/v1/repos/rideworks/trail-maps/commits/${pull.head}/status`, {
          state: "success",
          statuses: [{ id: 1, context: "build/tiles", status: "success" }]
        })
        gitea.answers.set(`${pullPath}/reviews`, [{ id: 1, user: { login: "jonas" }, state: "APPROVED", body: "" }])
        yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
        assert.strictEqual(yield* at.stage(7), "testing active")
      }))
      gitea.answers.set(pullPath, { state: "closed", merged: true, head: { sha: pull.head } })
      const at = yield* scene({ ...settings, ...api })
      yield* until(at.stage(7), "done done")
    }).pipe(Effect.scoped, withPlane))

  it.live("while Gitea cannot be asked, the gate merged waits and asks again by itself", () =>
    Effect.gen(function*() {
      const { at, checks, gitea } = yield* asking()
      checks("success", { context: "build/tiles", status: "success" })
      gitea.answers.set(`${pullPath}/reviews`, [{ id: 1, user: { login: "jonas" }, state: "APPROVED", body: "" }])
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.settled
      yield* at.tested(7)
      assert.strictEqual(yield* at.stage(7), "deploy active")
      gitea.misbehave = (response) => response.writeHead(500).end()
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      assert.strictEqual(yield* at.stage(7), "deploy active")
      const { body } = yield* request(`${at.url}/api/tasks/ET-7`)
      assert.include(JSON.stringify(body), "it does not answer this")
      gitea.answers.set(pullPath, { state: "closed", merged: true, head: { sha: pull.head } })
      gitea.misbehave = undefined
      yield* until(at.stage(7), "done done")
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("a push and a reopening that were never delivered count too", () =>
    Effect.gen(function*() {
      const { at, checks, gitea } = yield* asking()
      checks("success", { context: "build/tiles", status: "success" })
      gitea.answers.set(pullPath, { state: "closed", merged: false, head: { sha: pull.head } })
      yield* at.gitea("pull_request", pullBody("pull_request_closed_unmerged", pull))
      assert.strictEqual(yield* at.stage(7), "development active")
      const two = sha("two")
      gitea.answers.set(pullPath, { state: "open", merged: false, head: { sha: two } })
      const status = (state: string) => ({
        state,
        statuses: [{ id: 9, context: "build/tiles", status: state, description: "the second commit" }]
      })
      gitea.answers.set(`/api/v1/repos/rideworks/trail-maps/commits/${two}/status`, status("failure"))
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      assert.strictEqual(yield* at.stage(7), "development active")
      assert.containSubset((yield* at.events).at(-1), { check: "ci", reason: "build/tiles: the second commit" })
      gitea.answers.set(`/api/v1/repos/rideworks/trail-maps/commits/${two}/status`, status("success"))
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      assert.strictEqual(yield* at.stage(7), "review active")
    }).pipe(Effect.scoped, withPlane))

  it.live("an outage takes back no failure, tells none again, and hides none that is delivered", () =>
    Effect.gen(function*() {
      const { at, checks, gitea } = yield* asking({ ORCH_GITEA_REQUIRED_CHECKS: "build/maps,build/tiles" })
      const told = Effect.map(
        at.events,
        (events) => events.flatMap(({ reason, type }) => type === "quality_gate_failed" ? [reason] : [])
      )
      const advance = Effect.zipRight(request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" }), at.settled)
      checks("failure", { context: "build/tiles", status: "failure" })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      yield* at.settled
      assert.deepStrictEqual(yield* told, ["build/tiles: failure"])
      for (const misbehave of [(response: ServerResponse) => response.destroy(), undefined]) {
        gitea.misbehave = misbehave
        yield* advance
      }
      assert.deepStrictEqual(yield* told, ["build/tiles: failure"])
      gitea.misbehave = (response) => response.writeHead(500).end()
      yield* at.gitea("status", statusBody({ id: 1, sha: pull.head, state: "error", context: "build/maps" }))
      yield* at.settled
      assert.lengthOf(yield* told, 2)
      assert.include((yield* told)[1], "build/maps")
    }).pipe(Effect.scoped, withPlane))

  it.live("an outage tells no failure again whose words are long, or not fit to be shown", () =>
    Effect.gen(function*() {
      const { at, checks, gitea } = yield* asking()
      const told = Effect.map(at.events, (events) => events.filter(({ type }) => type === "quality_gate_failed").length)
      const description = `\u001b[31m${"x".repeat(150)}\n${"y".repeat(150)}`
      checks("failure", { context: "build/tiles", status: "failure", description })
      yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
      const failure = { id: 1, sha: pull.head, state: "failure", context: "build/tiles", description }
      yield* at.gitea("status", statusBody(failure))
      yield* at.settled
      assert.strictEqual(yield* told, 1)
      gitea.misbehave = (response) => response.writeHead(500).end()
      yield* request(`${at.url}/api/tasks/ET-7/advance`, { method: "POST" })
      yield* at.settled
      assert.strictEqual(yield* told, 1)
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "Gitea is asked before a stage is left; while it cannot be, only its own tasks wait",
    () =>
      Effect.gen(function*() {
        const gitea = yield* fakeGitea
        const commit = `/api/v1/repos/rideworks/trail-maps/commits/${pull.head}/status`
        const reviews = "/api/v1/repos/rideworks/trail-maps/pulls/88/reviews"
        const at = yield* developed(7, {
          ORCH_GITEA_REQUIRED_CHECKS: "",
          ORCH_GITEA_SETTLE: "1 second",
          ORCH_GITEA_URL: gitea.url,
          ORCH_GITEA_TOKEN: gitea.token
        })
        gitea.misbehave = (response) => response.destroy()
        yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
        yield* at.gitea("status", statusBody({ id: 1, sha: pull.head }))
        assert.strictEqual(yield* at.stage(7), "development active")

        yield* at.plane(moveBody({ number: 8, to: "inProgress", at: 1 }))
        yield* at.settled
        yield* at.reported(8)
        assert.strictEqual(yield* at.stage(8), "development active")

        gitea.answers.set(commit, {
          state: "success",
          statuses: [{ id: 1, context: "build/tiles", status: "success" }]
        })
        gitea.answers.set(reviews, [{ id: 1, user: { login: "jonas" }, state: "APPROVED", body: "", dismissed: true }])
        gitea.misbehave = undefined
        const until = (stage: string) =>
          Effect.repeat(Effect.zipLeft(at.stage(7), Effect.sleep("50 millis")), { until: (now) => now === stage }).pipe(
            Effect.timeout("60 seconds")
          )
        yield* until("review active")
        // The hook says approved, Gitea that it was dismissed.
        yield* at.gitea("pull_request_review_approved", pullBody("review_approved", { ...pull, at: 5 }))
        assert.strictEqual(yield* at.stage(7), "review active")
        gitea.answers.set(reviews, [{ id: 2, user: { login: "jonas" }, state: "APPROVED", body: "" }])
        yield* at.gitea("pull_request_review_approved", pullBody("review_approved", { ...pull, at: 6 }))
        yield* until("testing active")
      }).pipe(Effect.scoped, withPlane),
    90_000
  )
})
