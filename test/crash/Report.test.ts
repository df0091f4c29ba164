import { assert, describe, it } from "@effect/vitest"
import { judge } from "../../demo/Judge.js"
import type { Recorded } from "./Plane.js"
import type { Result } from "./Report.js"
import { closing, problemsOf, rowsOf, strainOf, table } from "./Report.js"
import { emptyScene } from "./Scene.js"
import { steps } from "./Steps.js"

const comment: Recorded = {
  sequence: 1,
  at: 1_000,
  answeredAt: 1_010,
  method: "POST",
  path: "/comments/",
  body: "",
  kind: "comments",
  status: 201,
  applied: true,
  clientGone: false,
  fault: null
}
const cutOff: Recorded = { ...comment, clientGone: true }
const conflict: Recorded = { ...comment, status: 409, applied: false }
const link: Recorded = { ...comment, path: "/links/", kind: "links" }
const recount: Recorded = { ...comment, method: "PATCH", kind: "comment", status: 200 }
const edit: Recorded = { ...recount, body: "{\"comment_html\":\"<p>Progress</p>\"}" }

const assigning: Recorded = { ...recount, kind: "item", body: "{\"assignees\":[]}" }

const scene = { ...emptyScene, starting: false, unmigrated: true, unclaimed: 2, claimed: 1, sent: 1, answered: 1 }
const kills = steps.map((step) => ({ step, scene }))
const expected = { workItem: "ET-2", lines: ["one", "two"], state: "Done" }
const findings = (...lines: Array<string>) => judge(expected, { lines, state: "Done" })

const result = (but: Partial<Result> = {}): Result => ({
  rows: rowsOf(kills),
  strain: strainOf([comment, cutOff, conflict, recount, edit, link, assigning]),
  counts: { accepted: 2, resent: 1, duplicates: 1 },
  findings: findings("one", "two"),
  assignees: [],
  ...but
})

describe("strainOf", () => {
  it("counts a write as ambiguous when its client had left, or what it was answered says nothing", () => {
    const { ambiguous, applied } = strainOf([
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
    const { conflicts } = strainOf([conflict, { ...conflict, fault: "Reset" }, { ...conflict, clientGone: true }])
    assert.strictEqual(conflicts, 1)
  })

  it("counts the links that were made, and a deletion without an answer as ambiguous", () => {
    const unlinked: Recorded = { ...link, method: "DELETE", kind: "link", status: 204, clientGone: true }
    const { ambiguous, links } = strainOf([link, { ...link, status: 400, applied: false }, unlinked])
    assert.strictEqual(links, 1)
    assert.strictEqual(ambiguous, 1)
  })
})

describe("rowsOf", () => {
  it("counts kills by step, and those that met something", () => {
    const rows = rowsOf([
      { step: "after send", scene },
      { step: "after send", scene: emptyScene },
      { step: "random", scene: { ...emptyScene, torn: true } }
    ])
    assert.deepStrictEqual(rows.map(({ kills }) => kills), [1, 0, 0, 2, 0, 0, 0])
    assert.deepInclude(rows[0], { starting: 1, torn: 1, sent: 0 })
    assert.deepInclude(rows[3], { starting: 1, torn: 0, sent: 1, unclaimed: 1 })
    assert.strictEqual(table(rows).length, steps.length + 2)
  })
})

describe("problemsOf", () => {
  it("finds nothing in a run that is right", () => {
    assert.deepStrictEqual(problemsOf(result()), [])
    assert.strictEqual(
      closing(result()).at(-1),
      "kills 7, accepted 2, lost 0, doubled 0, out of order 0, wrong state 0, assignees wrong 0"
    )
  })

  it("names a lost line, and one that was never published", () => {
    assert.deepStrictEqual(problemsOf(result({ findings: findings("one", "2") })), [
      "lost: ET-2: two",
      "never published: ET-2: 2"
    ])
  })

  it("names a doubled line, and one out of order", () => {
    assert.deepStrictEqual(problemsOf(result({ findings: findings("two", "one", "one") })), [
      "doubled: ET-2: one",
      "out of order: ET-2: one"
    ])
  })

  it("names a link that is missing", () => {
    const links = [{ kind: "log", url: "https://ci.example.com/logs/1" }]
    const found = judge({ ...expected, links }, { lines: expected.lines, state: "Done" })
    assert.deepStrictEqual(problemsOf(result({ findings: found })), [
      "link: ET-2 has no log, expected https://ci.example.com/logs/1"
    ])
  })

  it("names who is assigned and should not be", () => {
    assert.deepStrictEqual(problemsOf(result({ assignees: ["ET-2 has olga, expected nobody"] })), [
      "assignees: ET-2 has olga, expected nobody"
    ])
  })

  it("fails a run in which a strain never occurred", () => {
    const only = (problem: string, but: Partial<Result>) =>
      assert.deepStrictEqual(problemsOf(result(but)), [`this run proves nothing: no ${problem}`])
    only("409s adopted", { strain: strainOf([cutOff, recount, edit, link, assigning]) })
    only("ambiguous answers to what was applied", {
      strain: strainOf([{ ...cutOff, applied: false }, conflict, recount, edit, link, assigning])
    })
    only("counts of a gate's failures brought up to date", {
      strain: strainOf([cutOff, conflict, edit, link, assigning])
    })
    only("edits of the comment that shows where a task is", {
      strain: strainOf([cutOff, conflict, recount, link, assigning])
    })
    only("links made", { strain: strainOf([cutOff, conflict, recount, edit, assigning]) })
    only("people assigned", { strain: strainOf([cutOff, conflict, recount, edit, link]) })
    only("kills after claim", { rows: rowsOf(kills.filter(({ step }) => step !== "after claim")) })
    only("kills that met an answer unsettled", {
      rows: rowsOf(kills.map(({ step }) => ({ step, scene: { ...scene, answered: 0 } })))
    })
    only("events accepted", { counts: { accepted: 0, resent: 1, duplicates: 1 } })
  })
})
