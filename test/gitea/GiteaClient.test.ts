import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Inspectable, Layer, Option } from "effect"
import type { GiteaClient } from "../../src/gitea/GiteaClient.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { GiteaConfig } from "../../src/gitea/GiteaConfig.js"
import { fixture } from "../webhooks/Fixtures.js"
import type { FakeGitea } from "./FakeGitea.js"
import { fakeGitea } from "./FakeGitea.js"

const withClient = <A, E>(test: (client: GiteaClient, gitea: FakeGitea) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.gen(function*() {
    const gitea = yield* fakeGitea
    const settings = new Map([["ORCH_GITEA_URL", `${gitea.url}/api/v1/`], ["ORCH_GITEA_TOKEN", gitea.token]])
    return yield* Effect.flatMap(Gitea, (client) => test(Option.getOrThrow(client), gitea)).pipe(
      Effect.provide(Gitea.layer.pipe(
        Layer.provide(NodeHttpClient.layer),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(settings)))
      ))
    )
  }))

const review = {
  id: 1,
  user: { login: "jonas" },
  state: "APPROVED",
  body: "Rides well",
  stale: false,
  dismissed: false
}

describe("GiteaClient", () => {
  it.live("reads reviews and combined statuses, whatever else they carry", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        gitea.answers.set("/api/v1/repos/ride%20works/maps/pulls/88/reviews", [{ ...review, official: true }])
        assert.deepStrictEqual(yield* client.reviews("ride works/maps", 88), [review])
        assert.lengthOf(gitea.asked, 2)
        gitea.answers.set("/api/v1/repos/a/b/commits/abc/status", { state: "", total_count: 0, statuses: null })
        assert.deepStrictEqual(yield* client.combinedStatus("a/b", "abc"), { states: [""], statuses: [] })
        const status = { id: 4, context: "ci/build", status: "success", description: "" }
        gitea.answers.set("/api/v1/repos/a/b/commits/abc/status", {
          state: "success",
          total_count: 1,
          statuses: [{ ...status, target_url: "" }]
        })
        assert.deepStrictEqual(yield* client.combinedStatus("a/b", "abc"), { states: ["success"], statuses: [status] })
      })
    ))

  it.live("reads what has become of a pull request", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const path = "/api/v1/repos/rideworks/trail-maps/pulls/88"
        const answer = (name: string) => {
          const { pull_request } = JSON.parse(fixture(`gitea/${name}`)) as { readonly pull_request: unknown }
          gitea.answers.set(path, pull_request)
        }
        const now = client.pullRequest("rideworks/trail-maps", 88)
        answer("pull_request_opened")
        assert.containSubset(yield* now, { open: true, merged: false })
        assert.match((yield* now).headSha, /^[0-9a-f]{40}$/)
        answer("pull_request_closed_merged")
        assert.containSubset(yield* now, { open: false, merged: true })
        answer("pull_request_closed_unmerged")
        assert.containSubset(yield* now, { open: false, merged: false })
        gitea.answers.set(path, { state: "open", head: null })
        assert.deepStrictEqual(yield* now, { open: true, merged: false, headSha: "" })
        assert.strictEqual(gitea.asked.at(-1), path)
        gitea.answers.set(path, { message: "not a pull request" })
        assert.strictEqual((yield* Effect.flip(now)).reason, "Unanswered")
      })
    ))

  it.live("reads all pages of a commit's checks, whose totals and states are those of a page", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const path = "/api/v1/repos/a/b/commits/abc/status"
        const page = (id: number, state: string) => ({
          state,
          total_count: 1,
          statuses: [{ id, context: `ci/${id}`, status: state, description: "" }]
        })
        const answer = (total: number | undefined, ...states: ReadonlyArray<string>) => {
          gitea.pages.clear()
          for (const [index, state] of states.entries()) {
            const said = total === undefined ? {} : { total }
            gitea.pages.set(`${path}?page=${index + 1}&limit=50`, { ...said, answer: page(index + 1, state) })
          }
        }
        gitea.answers.set(path, { state: "", statuses: null })
        for (const total of [undefined, 3]) {
          answer(total, "success", "pending", "success")
          const { states, statuses } = yield* client.combinedStatus("a/b", "abc")
          assert.deepStrictEqual(states, ["success", "pending", "success"])
          assert.deepStrictEqual(statuses.map(({ id }) => id), [1, 2, 3])
        }
        // Four with the empty page, three with a total.
        assert.lengthOf(gitea.asked, 7)
      })
    ))

  it.live("says what went wrong, and never the token", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const failing = Effect.flip(client.reviews("a/b", 1))
        const missing = yield* failing
        assert.strictEqual(missing.reason, "NotFound")
        const answering = (status: number, body: string) => {
          gitea.misbehave = (response) => response.writeHead(status).end(body)
        }
        for (
          const [status, reason] of [
            [401, "KeyRefused"],
            [403, "KeyRefused"],
            [307, "NotFound"],
            [500, "Unanswered"],
            [200, "Unanswered"]
          ] as const
        ) {
          answering(status, `<html>${gitea.token}</html>`)
          const error = yield* failing
          assert.strictEqual(error.reason, reason)
          assert.notInclude(Inspectable.toStringUnknown(error) + error.message, gitea.token)
        }
        gitea.misbehave = (response) => response.destroy()
        assert.strictEqual((yield* failing).reason, "Unreachable")
        gitea.misbehave = (response) => {
          for (let n = 0; n < 6; n++) response.write(" ".repeat(1024 * 1024))
          response.end("[]")
        }
        assert.include((yield* failing).message, "larger than 4 MiB")
      })
    ))

  it.live("waits for a whole answer no longer than its deadline, also for one that drips", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        gitea.misbehave = (response) => {
          response.writeHead(200)
          const dripping = setInterval(() => response.write(" "), 100)
          response.on("close", () => clearInterval(dripping))
        }
        const error = yield* Effect.flip(client.reviews("a/b", 1))
        assert.strictEqual(error.reason, "Unreachable")
        assert.include(error.message, "within 10s")
      })
    ))
})

const settings = (given: Readonly<Record<string, string>>) =>
  GiteaConfig.pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(given)))))

describe("GiteaConfig", () => {
  it.effect("has defaults, and a list of globs", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* settings({}), { api: undefined, requiredChecks: [], warning: "failure" })
      const { requiredChecks } = yield* settings({ ORCH_GITEA_REQUIRED_CHECKS: "ci/build, CI / test (*)" })
      assert.deepStrictEqual(requiredChecks, ["ci/build", "CI / test (*)"])
    }))

  it.effect("names what is wrong, and never the token", () =>
    Effect.gen(function*() {
      for (
        const [given, name] of [
          [{ ORCH_GITEA_URL: "gitea" }, "ORCH_GITEA_URL"],
          [{ ORCH_GITEA_URL: "http://localhost:3000" }, "ORCH_GITEA_TOKEN"],
          [{ ORCH_GITEA_TOKEN: "s3cret" }, "ORCH_GITEA_URL"],
          [{ ORCH_GITEA_TOKEN: "s3cr et", ORCH_GITEA_URL: "http://x" }, "ORCH_GITEA_TOKEN"],
          [{ ORCH_GITEA_REQUIRED_CHECKS: "a,,b" }, "ORCH_GITEA_REQUIRED_CHECKS"],
          [{ ORCH_GITEA_WARNING: "no" }, "ORCH_GITEA_WARNING"]
        ] as const
      ) {
        const text = Inspectable.toStringUnknown(yield* Effect.flip(settings(given)))
        assert.include(text, name)
        assert.notInclude(text, "s3cr")
      }
    }))
})
