import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { commonNames } from "../../src/domain/ProjectSettings.js"
import type { PullRequestRules } from "../../src/domain/PullRequestRules.js"
import type { CommitStatus, PullRequest } from "../../src/gitea/Facts.js"
import { standingOf, whyNot } from "../../src/gitea/Standing.js"
import type { StandingReview } from "../../src/gitea/Verdicts.js"
import {
  checksAnswer,
  eachOpen,
  heardReviews,
  mergedVerdict,
  noDemands,
  reviewsVerdict
} from "../../src/gitea/Verdicts.js"
import { Verdict } from "../../src/tasks/QualityGate.js"

const passed = Verdict.Passed()
const failed = (reason: string) => Verdict.Failed({ reason })
const pending = (why: string) => Verdict.Pending({ why })
/** Nothing will mend it by itself. */
const lost = (why: string) => Verdict.Pending({ why, isLost: true })
const red = (reason: string, sameAs: string) => Verdict.Failed({ reason, sameAs })
const unapproved = (why: string) => Verdict.Pending({ why, isLost: true, sameAs: "approvals" })

const rules: PullRequestRules = {
  branches: [],
  repositories: [],
  forks: false,
  reviewers: [],
  requiredChecks: [],
  ciUsers: [],
  warning: "failure",
  settle: Duration.minutes(2)
}

const minute = 60_000
const started = EpochMillis(1_000 * minute)

const pull = (number: number, change: Partial<PullRequest> = {}): PullRequest => ({
  repository: 1,
  name: "acme/widgets",
  number,
  fork: false,
  open: true,
  merged: false,
  mergedAt: null,
  draft: false,
  author: "dev",
  base: "main",
  defaultBranch: "main",
  headSha: "new",
  updatedAt: started,
  ...change
})

const mergedAt = (minutes: number) => ({ open: false, merged: true, mergedAt: EpochMillis(minutes * minute) })
const closed = { open: false }

const project = {
  pullRequests: rules,
  names: { ...commonNames, identifier: "", id: undefined, workspace: "", apiToken: "", states: "" },
  gitea: undefined
}

const standing = (pulls: ReadonlyArray<PullRequest>, change: Partial<PullRequestRules> = {}) =>
  standingOf(pulls.map((pullRequest) => ({
    pullRequest,
    whyNot: whyNot(pullRequest, started, { ...project, pullRequests: { ...rules, ...change } })
  })))

const merge = (pulls: ReadonlyArray<PullRequest>, change: Partial<PullRequestRules> = {}) =>
  mergedVerdict("ET-4", standing(pulls, change))

describe("which pull requests count", () => {
  it("those into the default branch, or into one of the given ones (1)", () => {
    const into = (base: string) => [pull(1, { base, ...mergedAt(1_001) })]
    assert.deepStrictEqual(merge(into("main")), passed)
    assert.deepStrictEqual(
      merge(into("feature/epic")),
      lost(
        "acme/widgets#1 does not count: it goes into feature/epic, and not into main or one of ORCH_GITEA_BRANCHES"
      )
    )
    assert.deepStrictEqual(merge(into("release/2.1"), { branches: ["release/*"] }), passed)
    assert.strictEqual(merge(into("prerelease/2.1"), { branches: ["release/*"] })._tag, "Pending")
    assert.strictEqual(merge([pull(1, { base: null, ...mergedAt(1_001) })])._tag, "Pending")
  })

  it("those that were not merged before the task started (3)", () => {
    assert.strictEqual(merge([pull(1, mergedAt(999))])._tag, "Pending")
    assert.deepStrictEqual(merge([pull(1, mergedAt(999)), pull(2, mergedAt(1_001))]), passed)
  })

  it("of one second, and where Gitea's clock is ahead, what was heard before the start was before it (3)", () => {
    const at = EpochMillis(started + 500)
    const count = (mergedAt: number, mergeHeardAt: number | null) =>
      whyNot(
        pull(1, {
          open: false,
          merged: true,
          mergedAt: EpochMillis(mergedAt),
          mergeHeardAt: mergeHeardAt === null ? null : EpochMillis(mergeHeardAt)
        }),
        at,
        project
      ) === undefined
    assert.isTrue(count(started, started + 900))
    assert.isTrue(count(started, null))
    assert.isFalse(count(started, started + 400))
    assert.isFalse(count(started + minute, started + 400))
    assert.isFalse(count(started - 1_000, started + 900))
  })

  it("those of the given repositories, and of forks only if they may (24, 37)", () => {
    const one = [pull(1, mergedAt(1_001))]
    assert.deepStrictEqual(merge(one, { repositories: ["acme/*"] }), passed)
    assert.strictEqual(merge(one, { repositories: ["other/*", "acme/app"] })._tag, "Pending")
    const fork = [pull(1, { fork: true, ...mergedAt(1_001) })]
    assert.strictEqual(merge(fork)._tag, "Pending")
    assert.deepStrictEqual(merge(fork, { forks: true }), passed)
    assert.strictEqual(
      merge([pull(1, { fork: true, base: "epic", ...mergedAt(1_001) })], { forks: true })._tag,
      "Pending"
    )
  })

  it("the verdict names those that do not, and why; of many the first (37)", () => {
    assert.deepStrictEqual(merge([]), lost("no pull request names ET-4 yet"))
    assert.deepStrictEqual(
      merge([pull(7, { fork: true, base: "epic" })]),
      lost("acme/widgets#7 does not count: it goes into epic, and not into main or one of ORCH_GITEA_BRANCHES")
    )
    const many = merge(Array.from({ length: 9 }, (_, index) => pull(index, { fork: true })))
    assert.match(many._tag === "Pending" ? many.why : "", /#4 does not count: .*; and 4 more$/)
  })
})

describe("all pull requests of a task", () => {
  it("it is merged when one is, and none is open (2)", () => {
    assert.deepStrictEqual(merge([pull(1)]), pending("acme/widgets#1 is not merged yet"))
    assert.deepStrictEqual(
      merge([pull(1), pull(2, mergedAt(1_001))]),
      pending("acme/widgets#2 is merged, but acme/widgets#1 is still open")
    )
    assert.deepStrictEqual(merge([pull(1, closed), pull(2, mergedAt(1_001))]), passed)
    assert.deepStrictEqual(merge([pull(1, closed)]), lost("acme/widgets#1 was closed without a merge"))
    const both = merge([pull(1, closed), pull(2, { base: "epic", ...mergedAt(1_001) })])
    assert.match(
      both._tag === "Pending" ? both.why : "",
      /^acme\/widgets#1 was closed without a merge; acme\/widgets#2 does not count: it goes into epic/
    )
  })

  it("a revert of what was merged before the start says nothing of what is open now (5)", () => {
    const all = standing([pull(1)])
    const reverted = { ...all, reverts: [pull(9, mergedAt(1_002))] }
    assert.deepStrictEqual(mergedVerdict("ET-4", reverted), pending("acme/widgets#1 is not merged yet"))
    assert.strictEqual(
      mergedVerdict("ET-4", { ...standing([pull(1, mergedAt(1_001))]), reverts: reverted.reverts })._tag,
      "Failed"
    )
    assert.deepStrictEqual(
      mergedVerdict("ET-4", { ...standing([pull(1, mergedAt(1_003))]), reverts: reverted.reverts }),
      passed
    )
  })

  it("checks and reviews ask every open one; with none open a merge answers them (2)", () => {
    const two = standing([pull(1), pull(2), pull(3, mergedAt(1_001))])
    const [one, other] = two.open
    if (one === undefined || other === undefined) return assert.fail("two are open")
    const both = (first: Verdict, second: Verdict) =>
      eachOpen("ET-4", two, [
        { pullRequest: one, answer: { verdict: first } },
        { pullRequest: other, answer: { verdict: second } }
      ]).verdict
    assert.deepStrictEqual(both(passed, passed), passed)
    assert.deepStrictEqual(both(passed, pending("x")), pending("acme/widgets#2: x"))
    assert.deepStrictEqual(both(pending("x"), failed("y")), failed("acme/widgets#2: y"))
    assert.deepStrictEqual(eachOpen("ET-4", standing([pull(3, mergedAt(1_001))]), []).verdict, passed)
    assert.strictEqual(eachOpen("ET-4", standing([pull(3, closed)]), []).verdict._tag, "Pending")
  })
})

const now = EpochMillis(2_000 * minute)

const status = (context: string, state: string, description = "", creator: string | null = null): CommitStatus => ({
  context,
  id: 1,
  state,
  description,
  creator,
  receivedAt: EpochMillis(now - 3 * minute)
})

const checks = (
  statuses: ReadonlyArray<CommitStatus>,
  change: Partial<PullRequestRules> = {},
  demanded: ReadonlyArray<string> = []
) => checksAnswer({ draft: false }, statuses, { ...noDemands, checks: demanded }, { ...rules, ...change }, now)

describe("checks", () => {
  it("all that the list says must be green; the setting is the list, else what the branch demands (9)", () => {
    const lint = status("lint", "success")
    const list = { requiredChecks: ["ci/build", "ci/test"] }
    assert.deepStrictEqual(checks([lint], list).verdict, pending("ci/build: nothing was reported yet"))
    assert.deepStrictEqual(checks([lint], {}, ["ci/build"]).verdict, pending("ci/build: nothing was reported yet"))
    const green = [status("ci/build", "success"), status("ci/test", "success"), status("lint", "failure")]
    assert.deepStrictEqual(checks(green, list), { verdict: passed })
    assert.deepStrictEqual(checks(green, {}, ["ci/*"]).verdict, passed)
    assert.deepStrictEqual(checks(green, list, ["lint"]), { verdict: passed })
    assert.deepStrictEqual(checks(green).verdict, red("lint: failure", "failure lint"))
  })

  it("without a list, and with globs, nothing new may have come for a while (9, 10)", () => {
    const fresh = { ...status("ci/test-unit", "success"), receivedAt: EpochMillis(now - minute) }
    const settledAt = EpochMillis(now + minute)
    for (const change of [{}, { requiredChecks: ["ci/test*"] }]) {
      const answer = checks([fresh], change)
      assert.strictEqual(answer.verdict._tag, "Pending")
      assert.strictEqual(answer.againAt, settledAt)
      assert.deepStrictEqual(checks([status("ci/test-unit", "success")], change).verdict, passed)
    }
    assert.deepStrictEqual(checks([fresh], { requiredChecks: ["ci/test-unit"] }), { verdict: passed })
    // The clock was set back.
    assert.strictEqual(checks([{ ...fresh, receivedAt: EpochMillis(now + 1_000) }]).verdict._tag, "Pending")
    assert.deepStrictEqual(checks([fresh], { settle: Duration.seconds(30) }).verdict, passed)
    assert.match(JSON.stringify(checks([]).verdict), /leaves out the gate ci/)
    assert.strictEqual(checks([fresh, status("x", "pending")]).verdict._tag, "Pending")
  })

  it("names are compared whole, however long and alike they are (12)", () => {
    const long = "x".repeat(300)
    const two = [status(`${long}1`, "success"), status(`${long}2`, "failure")]
    assert.strictEqual(checks(two).verdict._tag, "Failed")
    assert.strictEqual(checks(two, { requiredChecks: [`${long}1`] }).verdict._tag, "Passed")
  })

  it("each state is judged by our own table (13)", () => {
    const of = (state: string, warning: PullRequestRules["warning"] = "failure") =>
      checks([status("a", "success"), status("b", state)], { warning }).verdict._tag
    assert.strictEqual(of("warning"), "Failed")
    assert.strictEqual(of("warning", "success"), "Passed")
    assert.strictEqual(of("warning", "pending"), "Pending")
    assert.strictEqual(of("skipped"), "Passed")
    assert.strictEqual(of("bogus"), "Pending")
    assert.strictEqual(of("error"), "Failed")
  })

  it("a draft waits, though it is green, and its failures are told (15)", () => {
    const draft = (state: string) => checksAnswer({ draft: true }, [status("a", state)], noDemands, rules, now).verdict
    assert.deepStrictEqual(draft("success"), pending("the pull request is a draft"))
    assert.deepStrictEqual(draft("failure"), red("a: failure", "failure a"))
  })

  it("those of others do not count where users are given (37)", () => {
    const change = { ciUsers: ["Drone"] }
    assert.strictEqual(checks([status("a", "success", "", "mallory")], change).verdict._tag, "Pending")
    assert.strictEqual(checks([status("a", "success")], change).verdict._tag, "Pending")
    assert.deepStrictEqual(checks([status("a", "success", "", "drone")], change).verdict, passed)
    // Gitea's answer does not name its own runners.
    assert.deepStrictEqual(checks([status("a", "success")], { ciUsers: ["drone", "Gitea-Actions"] }).verdict, passed)
    assert.deepStrictEqual(
      checks([status("a", "success", "", "drone"), status("b", "failure", "", "mallory")], change).verdict,
      passed
    )
  })
})

const review = (reviewer: string, approved: boolean, change: Partial<StandingReview> = {}): StandingReview => ({
  reviewer,
  approved,
  content: "",
  fresh: true,
  official: false,
  ...change
})

const reviews = (
  given: ReadonlyArray<StandingReview>,
  change: Partial<PullRequestRules> = {},
  demands: Partial<typeof noDemands> = {}
) => reviewsVerdict(given, pull(1), { ...noDemands, ...demands }, { ...rules, ...change })

describe("reviews", () => {
  const nobody = unapproved("nobody has approved the present commits")

  it("an approval of the present commits, unless somebody asks for changes", () => {
    assert.deepStrictEqual(reviews([]), nobody)
    assert.deepStrictEqual(reviews([review("jonas", true)]), passed)
    assert.deepStrictEqual(reviews([review("jonas", true, { fresh: false })]), nobody)
    assert.deepStrictEqual(
      reviews([review("jonas", true), review("lea", false, { content: " Too steep ", fresh: false })]),
      failed("lea: Too steep")
    )
    assert.deepStrictEqual(reviews([review("lea", false)]), failed("lea asks for changes"))
  })

  it("the author's own word never counts (7)", () =>
    assert.deepStrictEqual(reviews([review("Dev", true), review("dev", false)]), nobody))

  it("those of reviewers alone, where they are given (7, 8)", () => {
    const change = { reviewers: ["Lea"] }
    assert.deepStrictEqual(reviews([review("mallory", true), review("mallet", false)], change), nobody)
    assert.deepStrictEqual(reviews([review("lea", true)], change), passed)
    assert.deepStrictEqual(reviews([review("lea", true)], change, { official: true }), nobody)
  })

  it("official ones alone, and as many as the protection asks (7, 8)", () => {
    const official = { official: true }
    const strange = [review("mallory", true), review("mallet", false)]
    assert.deepStrictEqual(reviews(strange, {}, official), nobody)
    const lea = review("lea", true, official)
    assert.deepStrictEqual(reviews([...strange, lea], {}, official), passed)
    assert.deepStrictEqual(
      reviews([lea], {}, { official: true, approvals: 2 }),
      unapproved("1 of 2 approvals of the present commits are there")
    )
    assert.deepStrictEqual(reviews([lea, review("jo", true, official)], {}, { official: true, approvals: 2 }), passed)
  })

  it("what hooks told counts for the head at the time", () =>
    assert.deepStrictEqual(
      heardReviews([{ reviewer: "lea", approved: true, content: "", headSha: "old" }], { headSha: "new" })
        .map(({ fresh }) => fresh),
      [false]
    ))
})
