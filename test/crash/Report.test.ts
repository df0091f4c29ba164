import { assert, describe, it } from "@effect/vitest"
import { judge } from "../../demo/Judge.js"
import type { Recorded } from "./Plane.js"
import { closing, problemsOf, strainOf } from "./Report.js"

const comment: Recorded = {
  at: 1_000,
  method: "POST",
  kind: "comments",
  status: 201,
  applied: true,
  clientGone: false,
  fault: null
}
const cutOff: Recorded = { ...comment, clientGone: true }
const conflict: Recorded = { ...comment, status: 409, applied: false }

const strained = (requests: ReadonlyArray<Recorded>, kills: ReadonlyArray<number> = [1_200]) =>
  strainOf({ requests, kills, timeoutMillis: 500 })

const counts = { accepted: 2, resent: 1, duplicates: 1 }
const expected = { workItem: "ET-2", lines: ["one", "two"], state: "Done" }
const verdict = (...lines: Array<string>) => judge(expected, { lines, state: "Done" })

describe("strainOf", () => {
  it("counts a write as ambiguous when its client had left, or what it was answered says nothing", () => {
    const { ambiguous, applied } = strained([
      comment,
      cutOff,
      { ...comment, fault: "Truncated" },
      { ...comment, fault: "Status", status: 500, applied: false },
      { ...comment, fault: "ApplyLate" },
      { ...comment, method: "GET", kind: "identifier", applied: false, fault: "Reset" }
    ])
    assert.strictEqual(ambiguous, 3)
    assert.strictEqual(applied, 2)
  })

  it("counts the 409s that reached their client whole", () => {
    const { conflicts } = strained([conflict, { ...conflict, fault: "Reset" }, { ...conflict, clientGone: true }])
    assert.strictEqual(conflicts, 1)
  })

  it("counts a kill as in flight when it cut a request off", () => {
    assert.strictEqual(strained([cutOff], [1_200]).inFlight, 1)
    assert.strictEqual(strained([cutOff], [999]).inFlight, 0)
    assert.strictEqual(strained([cutOff], [1_500]).inFlight, 0)
    assert.strictEqual(strained([comment], [1_200]).inFlight, 0)
  })
})

describe("problemsOf", () => {
  const strain = strained([comment, cutOff, conflict])

  it("has nothing to say of a run that is right", () => {
    assert.deepStrictEqual(problemsOf(strain, counts, verdict("one", "two")), [])
    assert.strictEqual(
      closing(strain, counts, verdict("one", "two")).at(-1),
      "kills 1, accepted 2, lost 0, doubled 0, out of order 0, wrong state 0"
    )
  })

  it("names a lost line, and one that was never published", () => {
    assert.deepStrictEqual(problemsOf(strain, counts, verdict("one", "2")), [
      "lost: ET-2: two",
      "never published: ET-2: 2"
    ])
  })

  it("names a doubled line, and one out of order", () => {
    assert.deepStrictEqual(problemsOf(strain, counts, verdict("two", "one", "one")), [
      "doubled: ET-2: one",
      "out of order: ET-2: one"
    ])
  })

  it("fails a run without the strain that it is about", () => {
    const without = (requests: ReadonlyArray<Recorded>, kills?: ReadonlyArray<number>) =>
      problemsOf(strained(requests, kills), counts, verdict("one", "two"))
    assert.deepStrictEqual(without([cutOff]), ["this run proves nothing: no 409s adopted"])
    assert.deepStrictEqual(without([{ ...cutOff, applied: false }, conflict]), [
      "this run proves nothing: no ambiguous answers to what was applied"
    ])
    assert.deepStrictEqual(without([cutOff, conflict], [5_000]), [
      "this run proves nothing: no kills with requests in flight"
    ])
    assert.deepStrictEqual(
      problemsOf(strain, { ...counts, accepted: 0 }, verdict("one", "two")),
      ["this run proves nothing: no events accepted"]
    )
  })
})
