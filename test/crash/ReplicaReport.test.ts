import { assert, describe, it } from "@effect/vitest"
import { judge } from "../../demo/Judge.js"
import type { ReplicaResult } from "./ReplicaReport.js"
import { replicaClosing, replicaProblems, replicaRows, replicaTable } from "./ReplicaReport.js"
import type { Done } from "./ReplicaSteps.js"
import { replicaSteps } from "./ReplicaSteps.js"
import { noStrain } from "./Report.js"

const met = { unclaimed: 1, claimed: 0, sent: 2, answered: 0 }
const done: ReadonlyArray<Done> = replicaSteps.map((step) => ({ step, led: true, met }))
const right = judge({ workItem: "ET-1", lines: ["a"], state: "Done" }, { lines: ["a"], state: "Done" })

const result: ReplicaResult = {
  rows: replicaRows(done),
  strain: { ...noStrain, applied: 1, conflicts: 1, links: 1, edits: 1 },
  counts: { accepted: 9, resent: 3, duplicates: 1, unanswered: 2, refused: 1, doubtful: 2 },
  leaders: { changes: 3, again: 1, longestGap: 15_500 },
  findings: right,
  stale: [],
  atOnce: [],
  unplanned: [],
  exits: [],
  tooMany: 0,
  mostInMinute: 400,
  limit: 600,
  isTold: true
}

describe("replicaProblems", () => {
  it("finds nothing in a run that is right, whose last line says so", () => {
    assert.deepStrictEqual(replicaProblems(result), [])
    assert.strictEqual(
      replicaClosing(result).at(-1),
      `kills ${replicaSteps.length}, accepted 9, lost 0, doubled 0, out of order 0, wrong state 0, stale 0, 429s 0`
    )
    assert.lengthOf(replicaTable(result.rows), replicaSteps.length + 2)
  })

  it("names what is wrong", () => {
    assert.deepStrictEqual(
      replicaProblems({
        ...result,
        stale: ["a"],
        atOnce: ["d"],
        unplanned: ["b"],
        exits: ["c"],
        tooMany: 2,
        isTold: false,
        findings: judge(
          { workItem: "ET-1", lines: [], state: "Done", links: [{ kind: "log", url: "https://a.example.com/" }] },
          { lines: [], state: "Done", links: ["https://a.example.com/", "https://a.example.com/"] }
        )
      }),
      [
        "link: ET-1 has log twice: https://a.example.com/",
        "stale: a",
        "two at once for one work item: d",
        "sent, and not known to the database: b",
        "a replica ended: c",
        "Plane has answered 429 2 times",
        "not all was told in time"
      ]
    )
  })

  it("fails a run in which no leader was stopped past its lease, none changed, or a step was not made", () => {
    const only = (problem: string, but: Partial<ReplicaResult>) =>
      assert.deepStrictEqual(replicaProblems({ ...result, ...but }), [`this run proves nothing: no ${problem}`])
    only("leader that was stopped for longer than its lease", {
      rows: replicaRows(done.map((each) => ({ ...each, led: each.step !== "leader stopped" })))
    })
    only("change of leader", { leaders: { ...result.leaders, changes: 0 } })
    only("links made", { strain: { ...result.strain, links: 0 } })
    only("edits of the comment that shows where a task is", { strain: { ...result.strain, edits: 0 } })
    only("step “Postgres stopped”", { rows: replicaRows(done.filter(({ step }) => step !== "Postgres stopped")) })
  })
})
