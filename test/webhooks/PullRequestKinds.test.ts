import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { request, withPlane } from "../http/Server.js"
import { alone, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"

const Shown = Schema.Struct({
  verdicts: Schema.Array(Schema.Struct({ gate: Schema.String, reason: Schema.NullOr(Schema.String) })),
  pullRequests: Schema.Array(Schema.Struct({
    number: Schema.Number,
    state: Schema.String,
    counts: Schema.Boolean,
    why: Schema.NullOr(Schema.String)
  }))
})

/** A program with tasks at `development`, one for each case. */
const program = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const at = yield* scene({ ...alone, ...settings })
    let last = 100
    const begin = Effect.gen(function*() {
      const n = last += 1
      yield* at.plane(moveBody({ number: n, to: "inProgress", at: 1 }))
      yield* at.settled
      yield* at.reported(n)
      assert.strictEqual(yield* at.stage(n), "development active")
      return n
    })
    const shown = (n: number) =>
      Effect.flatMap(
        request(`${at.url}/api/tasks/ET-${n}`),
        ({ body }) => Schema.decodeUnknown(Shown)(body, { onExcessProperty: "ignore" })
      )
    /** A pull request of the same number as the task, with nothing about it but what `change` has. */
    const pull = (n: number, name: string, change: Readonly<Record<string, unknown>>, at = 0) =>
      pullBody(name, {
        number: n,
        workItem: 0,
        head: sha(`${n}`),
        at,
        change: { title: "Climb", body: "", ...change }
      })
    return {
      ...at,
      begin,
      shown,
      opened: (n: number, change: Readonly<Record<string, unknown>>, at_ = 0) =>
        at.gitea("pull_request", pull(n, "pull_request_opened", change, at_)),
      edited: (n: number, change: Readonly<Record<string, unknown>>) =>
        at.gitea("pull_request", pull(n, "pull_request_edited_title", change, 20)),
      merged: (n: number, change: Readonly<Record<string, unknown>>) =>
        at.gitea("pull_request", pull(n, "pull_request_closed_merged", change, 10)),
      green: (n: number) => at.gitea("status", statusBody({ id: n, sha: sha(`${n}`) }))
    }
  })

const branch = (label: string) => ({ head: { label } })

describe("a pull request that does not move a task, through real hooks", () => {
  it.live("says why it does not (1, 4, 5, 15, 16, 18, 37)", () =>
    Effect.gen(function*() {
      const at = yield* program()

      for (const base of ["feature/epic", "release/2"]) {
        const n = yield* at.begin
        yield* at.opened(n, { ...branch(`et-${n}-a`), base: { ref: base } })
        yield* at.merged(n, { ...branch(`et-${n}-a`), base: { ref: base } })
        assert.strictEqual(yield* at.stage(n), "development active", base)
        const { pullRequests, verdicts } = yield* at.shown(n)
        assert.containSubset(pullRequests, [{ number: n, state: "merged", counts: false }])
        assert.include(pullRequests[0]?.why, `it goes into ${base}`)
        assert.include(verdicts.find(({ gate }) => gate === "ci")?.reason, `#${n} does not count: it goes into ${base}`)
      }

      const retitled = yield* at.begin
      yield* at.opened(retitled, { ...branch("typo"), title: "Fix typo" })
      yield* at.merged(retitled, { ...branch("typo"), title: "Fix typo" })
      yield* at.edited(retitled, {
        ...branch("typo"),
        merged: true,
        state: "closed",
        title: `Fix typo (ET-${retitled})`
      })
      assert.strictEqual(yield* at.stage(retitled), "development active")
      assert.deepStrictEqual((yield* at.shown(retitled)).pullRequests, [])

      const reverted = yield* at.begin
      const revert = { ...branch("revert-41-main"), title: `Revert "ET-${reverted}: first half"` }
      yield* at.merged(reverted, revert)
      assert.strictEqual(yield* at.stage(reverted), "development active")

      for (const change of [{ draft: true }, { draft: null, title: "WIP: climb" }]) {
        const n = yield* at.begin
        yield* at.opened(n, { ...branch(`et-${n}`), ...change })
        yield* at.green(n)
        assert.strictEqual(yield* at.stage(n), "development active")
        assert.deepInclude((yield* at.shown(n)).verdicts, { gate: "ci", reason: "the pull request is a draft" })
      }

      const hidden = [
        (n: number) => `<!-- e.g. Closes ET-${n} -->`,
        (n: number) => `\`\`\`\nCloses ET-${n}\n\`\`\``,
        (n: number) => `> Closes ET-${n}`,
        (n: number) => `This does not fix ET-${n}.`,
        (n: number) => `See [ET-${n}](https://example.org)`
      ]
      for (const body of hidden) {
        const n = yield* at.begin
        yield* at.merged(n, { ...branch("x"), body: body(n) })
        assert.strictEqual(yield* at.stage(n), "development active", body(n))
      }

      const version = yield* at.begin
      yield* at.merged(version, branch(`release/et-${version}.1.0`))
      assert.strictEqual(yield* at.stage(version), "development active")

      const fork = yield* at.begin
      yield* at.merged(fork, { head: { label: `et-${fork}`, repo_id: 5 } })
      assert.strictEqual(yield* at.stage(fork), "development active")
      assert.include((yield* at.shown(fork)).pullRequests[0]?.why, "it comes from a fork")
    }).pipe(Effect.scoped, withPlane), 120_000)

  it.live(
    "of a repository that may not move tasks says so, whatever secret its webhook has (24)",
    () =>
      Effect.gen(function*() {
        const at = yield* program({ ORCH_GITEA_REPOSITORIES: "acme/*, RideWorks/other" })
        for (const change of [branch("x"), { ...branch("x"), base: { ref: "main" } }]) {
          const n = yield* at.begin
          yield* at.merged(n, { ...change, body: `Closes ET-${n}` })
          assert.strictEqual(yield* at.stage(n), "development active")
          assert.include((yield* at.shown(n)).pullRequests[0]?.why, "not one of ORCH_GITEA_REPOSITORIES")
        }
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live("moves the task where it does (5, 11, 16, 17, 19)", () =>
    Effect.gen(function*() {
      const at = yield* program({
        ORCH_GITEA_REQUIRED_CHECKS: JSON.stringify(["build/tiles", "CI / test (20, ubuntu-latest) (pull_request)"])
      })
      const claims: ReadonlyArray<(n: number) => Readonly<Record<string, unknown>>> = [
        (n) => ({ ...branch("x"), title: `Revert the cache (ET-${n})` }),
        (n) => ({ ...branch("x"), title: `Revert "Revert "ET-${n}: first half""` }),
        (n) => ({ ...branch("x"), body: `Some words.\n\nCloses ET-${n}` }),
        (n) => ({ ...branch("x"), body: `- [ET-${n}] the climb` }),
        (n) => branch(`feature/ET-${n}_login`),
        (n) => branch(`_ET-${n}_`)
      ]
      for (const claim of claims) {
        const n = yield* at.begin
        yield* at.opened(n, claim(n))
        yield* at.green(n)
        assert.strictEqual(yield* at.stage(n), "development active")
        const context = "CI / test (20, ubuntu-latest) (pull_request)"
        yield* at.gitea("status", statusBody({ id: n + 1_000, sha: sha(`${n}`), context }))
        assert.strictEqual(yield* at.stage(n), "review active", JSON.stringify(claim(n)))
      }
      const [one, two] = [yield* at.begin, yield* at.begin]
      yield* at.merged(one, { ...branch("x"), body: `Closes ET-${one} and ET-${two}` })
      assert.strictEqual(yield* at.stage(one), "done done")
      assert.strictEqual(yield* at.stage(two), "done done")
    }).pipe(Effect.scoped, withPlane), 120_000)
})

describe("what a repository demands, through a real socket", () => {
  const api = "/api/v1/repos/rideworks/trail-maps"

  const asking = Effect.gen(function*() {
    const gitea = yield* fakeGitea
    const at = yield* program({
      ORCH_GITEA_REQUIRED_CHECKS: "",
      ORCH_GITEA_SETTLE: "1 second",
      ORCH_GITEA_BRANCHES: "release/*",
      ORCH_GITEA_URL: gitea.url,
      ORCH_GITEA_TOKEN: gitea.token
    })
    const checks = (n: number, statuses: Readonly<Record<string, string>>) =>
      void gitea.answers.set(`${api}/commits/${sha(`${n}`)}/status`, {
        state: "success",
        statuses: Object.entries(statuses).map(([context, status], id) => ({ id, context, status, description: "" }))
      })
    /** The base branch `release/…` with a rule of its own, as part of a pull request. */
    const into = (name: string, rule: object) => {
      gitea.answers.set(`${api}/branches/release/${name}`, { name: `release/${name}`, ...rule })
      return { base: { ref: `release/${name}` } }
    }
    const ask = (n: number) =>
      Effect.zipRight(request(`${at.url}/api/tasks/ET-${n}/advance`, { method: "POST" }), at.stage(n))
    const review = (n: number, user: string, state: string, official: boolean) =>
      void gitea.answers.set(`${api}/pulls/${n}/reviews`, [{ id: 1, user: { login: user }, state, body: "", official }])
    return { at, ask, checks, into, review }
  })

  it.live(
    "counts: its checks, official approvals, and our own table of states (7, 8, 9, 10, 12, 13)",
    () =>
      Effect.gen(function*() {
        const { ask, at, checks, into, review } = yield* asking
        const rule = { protected: true, enable_status_check: true, status_check_contexts: ["ci/build", "ci/test"] }
        const strict = into("strict", { ...rule, required_approvals: 1 })
        const n = yield* at.begin
        checks(n, { lint: "success" })
        yield* at.opened(n, { ...branch(`et-${n}`), ...strict })
        assert.strictEqual(yield* at.stage(n), "development active")
        assert.deepInclude((yield* at.shown(n)).verdicts, { gate: "ci", reason: "ci/build: nothing was reported yet" })
        checks(n, { lint: "success", "ci/build": "success", "ci/test": "skipped" })
        assert.strictEqual(yield* ask(n), "review active")
        review(n, "mallory", "APPROVED", false)
        assert.strictEqual(yield* ask(n), "review active")
        review(n, "mallory", "REQUEST_CHANGES", false)
        assert.strictEqual(yield* ask(n), "review active")
        assert.deepStrictEqual((yield* at.events).filter(({ type }) => type === "quality_gate_failed"), [])
        review(n, "lea", "APPROVED", true)
        assert.strictEqual(yield* ask(n), "testing active")

        // The states of checks, and names that are alike in their first 200 characters.
        const loose = into("loose", { ...rule, status_check_contexts: [] })
        const long = "ci/".repeat(70)
        const failing = [{ "ci/build": "warning" }, { [`${long}a`]: "success", [`${long}b`]: "failure" }]
        for (const statuses of [...failing, { "ci/build": "bogus" }]) {
          const other = yield* at.begin
          checks(other, statuses)
          yield* at.opened(other, { ...branch(`et-${other}`), ...loose })
          assert.strictEqual(yield* at.stage(other), "development active")
          yield* Effect.sleep("1200 millis")
          assert.strictEqual(yield* ask(other), "development active", JSON.stringify(statuses))
        }
        const failures = (yield* at.events).filter(({ type }) => type === "quality_gate_failed")
        assert.deepStrictEqual(failures.map(({ reason = "" }) => reason.slice(-17)), [
          "ci/build: warning",
          "/ci/ci/b: failure"
        ])

        // A glob waits for what may start later.
        const globbed = into("globs", { ...rule, status_check_contexts: ["ci/test*"] })
        const late = yield* at.begin
        checks(late, { "ci/test-unit": "success" })
        yield* at.opened(late, { ...branch(`et-${late}`), ...globbed })
        assert.strictEqual(yield* at.stage(late), "development active")
        checks(late, { "ci/test-unit": "success", "ci/test-e2e": "pending" })
        yield* Effect.sleep("1200 millis")
        assert.strictEqual(yield* ask(late), "development active")
        checks(late, { "ci/test-unit": "success", "ci/test-e2e": "success" })
        assert.strictEqual(yield* ask(late), "development active")
        yield* Effect.sleep("1200 millis")
        assert.strictEqual(yield* ask(late), "review active")
      }).pipe(Effect.scoped, withPlane),
    120_000
  )
})
