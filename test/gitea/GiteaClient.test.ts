import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, Inspectable, Layer, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { projectConfig } from "../../src/domain/ProjectSettings.js"
import type { PullRequest } from "../../src/gitea/Facts.js"
import { commonForge } from "../../src/gitea/Forges.js"
import type { GiteaClient } from "../../src/gitea/GiteaClient.js"
import { Gitea } from "../../src/gitea/GiteaClient.js"
import { GiteaConfig } from "../../src/gitea/GiteaConfig.js"
import { faster } from "../support/MovableClock.js"
import { fixture } from "../webhooks/Fixtures.js"
import type { FakeGitea } from "./FakeGitea.js"
import { fakeGitea } from "./FakeGitea.js"

const withClient = <A, E>(test: (client: GiteaClient, gitea: FakeGitea) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.gen(function*() {
    const gitea = yield* fakeGitea
    const settings = new Map([["ORCH_GITEA_URL", `${gitea.url}/api/v1/`], ["ORCH_GITEA_TOKEN", gitea.token]])
    return yield* Effect.flatMap(
      Gitea,
      ({ of }) => test(Option.getOrThrow(Option.fromNullable(of(commonForge))), gitea)
    ).pipe(
      Effect.provide(Gitea.layer.pipe(
        Layer.provide(Layer.merge(NodeHttpClient.layer, projectsLayer)),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(settings)))
      ))
    )
  }))

const held: PullRequest = {
  repository: 41,
  name: "rideworks/trail-maps",
  number: 88,
  fork: false,
  open: true,
  merged: false,
  mergedAt: null,
  draft: false,
  author: "dev",
  base: "main",
  defaultBranch: "main",
  headSha: "held",
  updatedAt: EpochMillis(0)
}

const check = (context: string, state: string) => ({ context, state, description: "", creator: null, page: null })

describe("GiteaClient", () => {
  it.live("reads the last word of each reviewer, dismissals aside, and whether it counts", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const of = (login: string, state: string, more: object = {}) => ({
          id: 1,
          user: { login },
          state,
          body: "",
          ...more
        })
        gitea.answers.set("/api/v1/repos/ride%20works/maps/pulls/88/reviews", [
          of("jonas", "REQUEST_CHANGES", { body: "Too steep" }),
          of("lea", "APPROVED", { official: true, stale: true }),
          of("jonas", "APPROVED", { official: true, body: "Rides well" }),
          of("jonas", "COMMENT"),
          of("mallory", "REQUEST_CHANGES", { dismissed: true }),
          { ...of("", "APPROVED"), user: null }
        ])
        assert.deepStrictEqual(yield* client.reviews("ride works/maps", 88), [
          { reviewer: "lea", approved: true, content: "", fresh: false, official: true },
          { reviewer: "jonas", approved: true, content: "Rides well", fresh: true, official: true }
        ])
      })
    ))

  it.live("reads checks, whatever else they carry, and names them whole", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const path = "/api/v1/repos/a/b/commits/abc/status"
        gitea.answers.set(path, { state: "", total_count: 0, statuses: null })
        assert.deepStrictEqual(yield* client.checks("a/b", "abc"), [])
        const context = "ci/".repeat(200)
        gitea.answers.set(path, {
          state: "success",
          statuses: [{
            id: 4,
            context,
            status: "success",
            target_url: "/a/b/actions/runs/7",
            creator: { login: "drone" }
          }]
        })
        assert.deepStrictEqual(yield* client.checks("a/b", "abc"), [{
          ...check(context, "success"),
          creator: "drone",
          page: "/a/b/actions/runs/7"
        }])
      })
    ))

  it.live("reads what protects a branch, and which version answers", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const path = "/api/v1/repos/a/b/branches/release/2.x"
        const asked = client.branch("a/b", "release/2.x")
        gitea.answers.set(path, { name: "release/2.x", protected: false, enable_status_check: true })
        assert.deepStrictEqual(yield* asked, { protected: false, approvals: 0, checks: [] })
        const rule = { protected: true, required_approvals: 2, status_check_contexts: ["ci/*"] }
        gitea.answers.set(path, { ...rule, enable_status_check: true })
        assert.deepStrictEqual(yield* asked, { protected: true, approvals: 2, checks: ["ci/*"] })
        gitea.answers.set(path, { ...rule, enable_status_check: false })
        assert.deepStrictEqual(yield* asked, { protected: true, approvals: 2, checks: [] })
        for (
          const [version, number] of [
            ["1.22.3", 22],
            ["1.25.0+dev-12-gabc", 25],
            ["28.0.1", 28],
            ["12.0.1+gitea-1.22.0", 22],
            ["unknown", 0]
          ] as const
        ) {
          gitea.answers.set("/api/v1/version", { version })
          assert.strictEqual(yield* client.version, number, version)
        }
      })
    ))

  it.live("reads what has become of a pull request", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const path = "/api/v1/repos/rideworks/trail-maps/pulls/88"
        const answer = (name: string, change: object = {}) => {
          const { pull_request } = JSON.parse(fixture(`gitea/${name}`)) as { readonly pull_request: object }
          gitea.answers.set(path, { ...pull_request, ...change })
        }
        const now = client.pullRequest(held)
        answer("pull_request_opened")
        assert.containSubset(yield* now, { open: true, merged: false, mergedAt: null, draft: false })
        assert.match((yield* now).headSha, /^[0-9a-f]{40}$/)
        // By its title only where the answer does not say.
        answer("pull_request_opened", { title: "WIP: ET-7", draft: false })
        assert.isFalse((yield* now).draft)
        answer("pull_request_opened", { title: "WIP: ET-7", draft: undefined })
        assert.isTrue((yield* now).draft)
        answer("pull_request_closed_merged")
        const merged = yield* now
        assert.containSubset(merged, { open: false, merged: true })
        assert.isAbove(merged.mergedAt ?? 0, 0)
        answer("pull_request_closed_unmerged")
        assert.containSubset(yield* now, { open: false, merged: false })
        gitea.answers.set(path, { state: "open", head: null })
        assert.containSubset(yield* now, { open: true, headSha: "held", base: "main", author: "dev" })
        assert.strictEqual(gitea.asked.at(-1), path)
        answer("pull_request_opened", { base: { ref: "main", repo: { id: 5, default_branch: "main" } } })
        assert.strictEqual((yield* Effect.flip(now)).reason, "NotFound")
        gitea.answers.set(path, { message: "not a pull request" })
        assert.strictEqual((yield* Effect.flip(now)).reason, "Unanswered")
      })
    ))

  it.live("reads all pages of a commit's checks, whose totals are those of a page", () =>
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
          assert.deepStrictEqual(
            yield* client.checks("a/b", "abc"),
            [check("ci/1", "success"), check("ci/2", "pending"), check("ci/3", "success")]
          )
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
        gitea.misbehave = (response) => {
          for (let n = 0; n < 6; n++) response.write(" ".repeat(1024 * 1024))
          response.end("[]")
        }
        assert.include((yield* failing).message, "larger than 4 MiB")
        gitea.misbehave = (response) => response.destroy()
        assert.strictEqual((yield* failing).reason, "Unreachable")
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
        const error = yield* faster(20)(Effect.flip(client.reviews("a/b", 1)))
        assert.strictEqual(error.reason, "Unreachable")
        assert.include(error.message, "within 10s")
      })
    ))
})

const configs = Config.all({ gitea: GiteaConfig, project: projectConfig })

const settings = (given: Readonly<Record<string, string>>) =>
  configs.pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(given)))))

describe("the settings of Gitea", () => {
  it.effect("have defaults", () =>
    Effect.gen(function*() {
      const { gitea, project } = yield* settings({})
      assert.deepStrictEqual(gitea, { api: undefined, publicUrl: "" })
      assert.deepStrictEqual(project.pullRequests, {
        branches: [],
        repositories: [],
        forks: false,
        reviewers: [],
        requiredChecks: [],
        ciUsers: [],
        warning: "failure",
        settle: Duration.minutes(2)
      })
    }))

  it.effect("take lists with commas, and JSON for names that have commas themselves (11)", () =>
    Effect.gen(function*() {
      const checks = (text: string) =>
        Effect.map(settings({ ORCH_GITEA_REQUIRED_CHECKS: text }), ({ project }) => project.pullRequests.requiredChecks)
      assert.deepStrictEqual(yield* checks("ci/build, CI / test (*)"), ["ci/build", "CI / test (*)"])
      const context = "CI / test (20, ubuntu-latest) (pull_request)"
      assert.deepStrictEqual(yield* checks(JSON.stringify(["ci/build", context])), ["ci/build", context])
      for (const text of [context, "ci/{build,test}", "ci/[a,b]"]) {
        assert.include(Inspectable.toStringUnknown(yield* Effect.flip(checks(text))), "a JSON array, like")
      }
    }))

  it.effect("name what is wrong, and never the token", () =>
    Effect.gen(function*() {
      for (
        const [given, name] of [
          [{ ORCH_GITEA_URL: "gitea" }, "ORCH_GITEA_URL"],
          [{ ORCH_GITEA_URL: "http://localhost:3000" }, "ORCH_GITEA_TOKEN"],
          [{ ORCH_GITEA_TOKEN: "s3cret" }, "ORCH_GITEA_URL"],
          [{ ORCH_GITEA_TOKEN: "s3cr et", ORCH_GITEA_URL: "http://x" }, "ORCH_GITEA_TOKEN"],
          [{ ORCH_GITEA_REQUIRED_CHECKS: "a,,b" }, "ORCH_GITEA_REQUIRED_CHECKS"],
          [{ ORCH_GITEA_WARNING: "no" }, "ORCH_GITEA_WARNING"],
          [{ ORCH_GITEA_FORKS: "perhaps" }, "ORCH_GITEA_FORKS"],
          [{ ORCH_GITEA_SETTLE: "2 years" }, "ORCH_GITEA_SETTLE"]
        ] as const
      ) {
        const text = Inspectable.toStringUnknown(yield* Effect.flip(settings(given)))
        assert.include(text, name)
        assert.notInclude(text, "s3cr")
      }
    }))

  it.live("row 70: believes no answer about another thing", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        const repository = "/api/v1/repos/rideworks/trail-maps"
        gitea.answers.set(`${repository}/pulls/88`, { number: 89, state: "closed", merged: true })
        gitea.answers.set(`${repository}/commits/abc/status`, {
          sha: "def",
          statuses: [{ context: "a", status: "success" }]
        })
        gitea.answers.set(`${repository}/branches/dev`, { name: "main", protected: false })
        gitea.answers.set("/api/v1/repositories/41", { id: 42, full_name: "mallory/maps" })
        for (
          const ask of [
            Effect.asVoid(client.pullRequest(held)),
            Effect.asVoid(client.checks(held.name, "abc")),
            Effect.asVoid(client.branch(held.name, "dev")),
            Effect.asVoid(client.repository(41))
          ]
        ) {
          const error = yield* Effect.flip(ask)
          assert.strictEqual(error.reason, "Unanswered")
          assert.include(error.message, "about another one")
        }
      })
    ))

  it.live("row 70: asks nothing by a name that leads elsewhere, and parses nothing that is nested too deeply", () =>
    withClient((client, gitea) =>
      Effect.gen(function*() {
        for (const name of ["..", "rideworks/..", "../../user", "rideworks//maps", "."]) {
          assert.strictEqual((yield* Effect.flip(client.repositoryNamed(name))).reason, "NotFound")
        }
        assert.strictEqual((yield* Effect.flip(client.checks(held.name, ".."))).reason, "NotFound")
        assert.strictEqual((yield* Effect.flip(client.branch(held.name, "a/../../.."))).reason, "NotFound")
        assert.deepStrictEqual(gitea.asked, [])
        gitea.misbehave = (response) => response.writeHead(200).end("[".repeat(1024 * 1024))
        const error = yield* Effect.flip(client.repository(41))
        assert.strictEqual(error.reason, "Unanswered")
        assert.include(error.message, "nested too deeply")
      })
    ))
})
