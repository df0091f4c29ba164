import { assert, describe, it } from "@effect/vitest"
import { judge } from "../../demo/Judge.js"
import { between, closing, markdown, remarks, table } from "./Report.js"
import type { Outcome } from "./Run.js"

const outcome = (name: string, more: Partial<Outcome> = {}): Outcome => ({
  row: {
    name,
    shows: "what it is",
    script: () => {
      throw new Error("not run")
    },
    met: () => 1
  },
  accepted: 24,
  delivered: 24,
  dead: 0,
  findings: judge({ workItem: "ET-1", lines: ["one"], state: "Done" }, { lines: ["one"], state: "Done" }),
  requests: 40,
  publishP99: 1.26,
  recovery: 3_140,
  took: 5_000,
  notes: [],
  problems: [],
  ...more
})

const doubled = outcome("late", {
  findings: judge({ workItem: "ET-1", lines: ["one"], state: "Done" }, { lines: ["one", "one"], state: "Done" }),
  recovery: undefined,
  problems: ["doubled: ET-1: one"]
})

describe("the report of a fault run", () => {
  it("has an aligned line for each row, and ends with how many passed", () => {
    const [headings = "", first = "", second = ""] = table([outcome("refused"), doubled])
    assert.match(headings, /^row +accepted +delivered +dead +lost +doubled .* verdict$/)
    assert.match(first, /^refused +24 +24 +0 +0 +0 +0 +0 +40 +1\.3 +3\.1 +passed$/)
    assert.match(second, /^late +24 +24 +0 +0 +1 +0 +0 +40 +1\.3 +– +FAILED$/)
    assert.strictEqual(headings.indexOf("verdict"), first.indexOf("passed"))
    assert.strictEqual(closing([outcome("refused"), doubled]), "1 passed, 1 failed")
    assert.strictEqual(closing([outcome("refused")], 5), "1 passed, 0 failed, 5 SKIPPED")
  })

  it("says why a row failed, and shows only the first of thousands of findings", () => {
    assert.deepStrictEqual(remarks([doubled]), ["late FAILED: doubled: ET-1: one"])
    const many = outcome("many", { problems: Array.from({ length: 5_000 }, (_, index) => `lost: ${index}`) })
    assert.strictEqual(remarks([many]).length, 21)
  })

  it("goes between the markers of a document, and leaves the rest as it is", () => {
    const document = "before\n<!-- faults:begin -->\nold\n<!-- faults:end -->\nafter"
    assert.strictEqual(
      between(document, "faults", "new"),
      "before\n<!-- faults:begin -->\nnew\n<!-- faults:end -->\nafter"
    )
    assert.isUndefined(between(document, "crash", "new"))
    assert.match(
      markdown([outcome("refused")]),
      /^\| row \| what it is \| .*\n\| --- .*\n\| `refused` \| what it is \| 24 /
    )
  })
})
