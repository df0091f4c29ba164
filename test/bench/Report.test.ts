import { assert, describe, it } from "@effect/vitest"
import type { Figure } from "../../bench/Figure.js"
import { Aim, holds } from "../../bench/Figure.js"
import { exitCode, jsonLine, table, verdict } from "../../bench/Report.js"

const few: Figure = {
  row: "requests: a life",
  value: 11,
  unit: "requests",
  aim: Aim.AtMost({ limit: 11 }),
  beside: { what: "another way", value: 32 },
  means: "little"
}
const slow: Figure = {
  row: "publish: burst",
  value: 7_999.123456,
  unit: "publishes/s",
  aim: Aim.AtLeast({ limit: 8_000 }),
  means: "pace"
}

describe("an aim", () => {
  it("holds at its limit and not beyond", () => {
    assert.isTrue(holds(few))
    assert.isFalse(holds({ ...few, value: 12 }))
    assert.isFalse(holds(slow))
    assert.isTrue(holds({ ...slow, value: 8_000 }))
  })

  it("does not hold for what could not be measured", () => {
    assert.isFalse(holds({ ...few, value: NaN }))
    assert.isFalse(holds({ ...slow, value: NaN }))
  })
})

describe("the report", () => {
  it("has one object a row", () => {
    assert.deepStrictEqual(JSON.parse(jsonLine(slow)), {
      row: "publish: burst",
      value: 7_999.12,
      unit: "publishes/s",
      aim: "≥ 8,000",
      holds: false
    })
    assert.deepStrictEqual(JSON.parse(jsonLine(few)), {
      row: "requests: a life",
      value: 11,
      unit: "requests",
      aim: "≤ 11",
      holds: true,
      beside: { what: "another way", value: 32 }
    })
    assert.notInclude(jsonLine(few), "\n")
  })

  it("has a table whose columns are aligned", () => {
    const [head = "", first = "", second = "", ...rest] = table([few, slow]).split("\n")
    assert.deepStrictEqual(rest, [])
    const column = head.indexOf("value")
    assert.strictEqual(first.indexOf("11 "), column)
    assert.strictEqual(second.indexOf("7,999"), column)
    assert.include(first, "32 another way")
    assert.include(second, " NO ")
  })

  it("names what is missed, and fails for it only with --strict", () => {
    assert.strictEqual(verdict([few, slow]), "Missed: publish: burst (7,999, ≥ 8,000)")
    assert.strictEqual(verdict([few]), "All aims hold.")
    assert.strictEqual(exitCode([few, slow], true), 1)
    assert.strictEqual(exitCode([few, slow], false), 0)
    assert.strictEqual(exitCode([few], true), 0)
  })
})
