import { assert, describe, it } from "@effect/vitest"
import { EpochMillis } from "../../src/base/Time.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import type { Review } from "../../src/gitea/Facts.js"
import {
  askedReviewsVerdict,
  checksVerdict,
  combinedVerdict,
  reviewsVerdict,
  undecided
} from "../../src/gitea/Verdicts.js"
import type { Verdict } from "../../src/tasks/QualityGate.js"

const status = (context: string, state: string, description = "") => ({ id: 1, context, state, description })
const passed: Verdict = { _tag: "Passed" }
const failed = (reason: string): Verdict => ({ _tag: "Failed", reason })

const checks = (globs: ReadonlyArray<string>, ...states: ReadonlyArray<readonly [string, string]>) =>
  checksVerdict(states.map(([context, state]) => status(context, state)), { requiredChecks: globs, warning: "failure" })
    ._tag

describe("checks", () => {
  it("are green when each that is required is there and a success", () => {
    assert.strictEqual(checks(["ci/build", "ci/test*"], ["ci/build", "success"]), "Pending")
    assert.strictEqual(
      checks(["ci/build", "ci/test*"], ["ci/build", "success"], ["ci/test (1/2)", "success"]),
      "Passed"
    )
    assert.strictEqual(
      checks(["ci/build", "ci/test*"], ["ci/build", "success"], ["ci/test 1", "success"], ["ci/test 2", "pending"]),
      "Pending"
    )
    assert.strictEqual(checks(["ci/build"], ["ci/build", "success"], ["lint", "failure"]), "Passed")
    assert.strictEqual(checks(["ci/build"], ["ci/build-docs", "success"]), "Pending")
    assert.strictEqual(checks(["ci.build"], ["ci/build", "success"]), "Pending")
    assert.strictEqual(checks(["*"], ["CI / build (pull_request)", "success"]), "Passed")
    assert.strictEqual(checks(["c?/b*"], ["ci/build", "skipped"]), "Passed")
  })

  it("fail with their context and description, which other checks do not hide", () => {
    assert.deepStrictEqual(
      checksVerdict([status("a", "pending"), status("ci/test", "failure", "3 tests failed"), status("z", "success")], {
        requiredChecks: ["a", "ci/*"],
        warning: "failure"
      }),
      failed("ci/test: 3 tests failed")
    )
    assert.deepStrictEqual(
      checksVerdict([status("ci/test", "error")], { requiredChecks: [], warning: "failure" }),
      failed("ci/test: error")
    )
  })

  it("of a state that nobody knows are pending; a warning is what the setting says", () => {
    for (const state of ["", "Success", "SUCCESS", "passed", "running"]) {
      assert.strictEqual(checks(["a"], ["a", state]), "Pending", state)
    }
    for (const [warning, verdict] of [["success", "Passed"], ["failure", "Failed"], ["pending", "Pending"]] as const) {
      const held = [status("a", "warning")]
      assert.strictEqual(checksVerdict(held, { requiredChecks: ["a"], warning })._tag, verdict)
    }
  })

  it("without a list decide nothing but a failure", () => {
    assert.strictEqual(checksVerdict([status("a", "success")], { requiredChecks: [], warning: "failure" }), undecided)
    assert.strictEqual(checksVerdict([], { requiredChecks: [], warning: "failure" }), undecided)
    assert.strictEqual(checks([], ["a", "failure"], ["b", "success"]), "Failed")
  })

  it("are together what Gitea says", () => {
    const held = [status("a", "success"), status("b", "failure", "2 of 5")]
    assert.deepStrictEqual(combinedVerdict(["success"], held, "failure"), passed)
    assert.deepStrictEqual(combinedVerdict(["failure"], held, "failure"), failed("b: 2 of 5"))
    assert.deepStrictEqual(combinedVerdict(["failure"], [], "failure"), failed("the checks together: failure"))
    assert.strictEqual(combinedVerdict([""], [], "failure")._tag, "Pending")
    assert.strictEqual(combinedVerdict([], [], "failure")._tag, "Pending")
    assert.strictEqual(combinedVerdict(["success", "pending"], held, "failure")._tag, "Pending")
    assert.deepStrictEqual(combinedVerdict(["pending", "failure"], held, "failure"), failed("b: 2 of 5"))
  })
})

const head = {
  repository: 1,
  name: "a/b",
  number: 3,
  workItem: CanonicalKey("ET-7"),
  open: true,
  merged: false,
  headSha: "new",
  updatedAt: EpochMillis(0)
}

const review = (reviewer: string, approved: boolean, headSha = "new"): Review => ({
  reviewer,
  approved,
  content: approved ? "" : " Too steep ",
  headSha
})

describe("reviews", () => {
  it("are an approval of the commits that were there, unless somebody asks for changes", () => {
    const waits = "Pending"
    assert.strictEqual(reviewsVerdict([], head)._tag, waits)
    assert.strictEqual(reviewsVerdict([review("jonas", true, "old")], head)._tag, waits)
    assert.deepStrictEqual(reviewsVerdict([review("jonas", true, "old"), review("lea", true)], head), passed)
    assert.deepStrictEqual(
      reviewsVerdict([review("jonas", true), review("lea", false, "old")], head),
      failed("lea: Too steep")
    )
  })

  it("are what Gitea says when it is asked: the last word of each, dismissals and stale ones aside", () => {
    const asked = (
      ...words: ReadonlyArray<readonly [login: string, state: string, flags?: { stale?: boolean; dismissed?: boolean }]>
    ) =>
      askedReviewsVerdict(
        words.map(([login, state, flags], id) => ({
          id,
          user: { login },
          state,
          body: "",
          stale: false,
          dismissed: false,
          ...flags
        }))
      )
    assert.strictEqual(asked()._tag, "Pending")
    assert.strictEqual(asked(["jonas", "COMMENT"], ["lea", "REQUEST_REVIEW"])._tag, "Pending")
    assert.deepStrictEqual(asked(["jonas", "REQUEST_CHANGES"], ["jonas", "APPROVED"], ["jonas", "COMMENT"]), passed)
    assert.deepStrictEqual(
      asked(["jonas", "APPROVED"], ["jonas", "REQUEST_CHANGES"]),
      failed("jonas asks for changes")
    )
    assert.deepStrictEqual(asked(["lea", "REQUEST_CHANGES", { dismissed: true }], ["jonas", "APPROVED"]), passed)
    assert.strictEqual(asked(["jonas", "APPROVED", { dismissed: true }])._tag, "Pending")
    assert.strictEqual(asked(["jonas", "APPROVED", { stale: true }])._tag, "Pending")
  })
})
