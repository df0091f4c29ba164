import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { beyond } from "../../src/base/JsonShape.js"
import { decodeEvent } from "../../src/events/DecodeEvent.js"

const levelsOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Math.max(0, ...Object.values(value).map((inner) => 1 + levelsOf(inner)))
    : 0

/** Members beyond the first of each object and array: each costs a comma. */
const commasOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? Math.max(0, Object.keys(value).length - 1) + Object.values(value).reduce<number>((sum, v) => sum + commasOf(v), 0)
    : 0

describe("row 68: what a JSON text is made of", () => {
  it("is counted as in what it means, whatever stands in its texts", () => {
    const text = FastCheck.string({ unit: FastCheck.constantFrom("[", "{", "\"", "\\", ",", "]", "}", "a", "é") })
    const json = FastCheck.letrec((tie) => ({
      value: FastCheck.oneof(
        { depthSize: "medium", withCrossShrink: true },
        text,
        FastCheck.integer(),
        FastCheck.array(tie("value"), { maxLength: 4 }),
        FastCheck.dictionary(text, tie("value"), { maxKeys: 4 })
      )
    })).value
    FastCheck.assert(FastCheck.property(json, FastCheck.boolean(), (value, spaced) => {
      const written = JSON.stringify(value, undefined, spaced ? 2 : 0)
      const [levels, commas] = [levelsOf(value), commasOf(value)]
      assert.isUndefined(beyond(written, { levels, members: commas + 1 }))
      if (levels > 0) assert.strictEqual(beyond(written, { levels: levels - 1 }), "levels")
      if (commas > 0) assert.strictEqual(beyond(written, { levels, members: commas }), "members")
    }))
  })

  it("is found in what is no JSON, too", () => {
    assert.strictEqual(beyond("[".repeat(1_000_000), { levels: 32 }), "levels")
    assert.strictEqual(beyond(",".repeat(1_000_000), { levels: 32, members: 200 }), "members")
    for (const text of ["", "\"", "\"\\", "]]]]", "{\"a\":\"[[[["]) assert.isUndefined(beyond(text, { levels: 1 }))
  })
})

describe("row 68: what is wrong with a value", () => {
  const issuesOf = (value: unknown) => Either.getOrThrow(Either.flip(decodeEvent(value)))

  it("is said of 20 fields at most", () => {
    const fields = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`field${n}`, n]))
    assert.lengthOf(issuesOf({ type: "task_completed", workItem: "ET-1", ...fields }), 20)
  })

  it("echoes 200 characters of what was given at most, however long it is", () => {
    const long = "x".repeat(100_000)
    const event = { type: "task_completed", workItem: "ET-1" }
    for (
      const value of [
        { ...event, workItem: long },
        { ...event, workItem: [long, long] },
        { ...event, type: long },
        { ...event, id: long },
        { ...event, id: { a: long } },
        { ...event, occurredAt: long },
        { ...event, occurredAt: Array.from({ length: 50_000 }, () => 1) },
        { ...event, [long]: long },
        { type: "stage_changed", workItem: "ET-1", from: [long], to: { [long]: 1 } },
        long,
        [long]
      ]
    ) {
      const issues = JSON.stringify(issuesOf(value))
      assert.isBelow(issues.length, 2_500, issues.slice(0, 300))
      assert.notMatch(issues, /x{205}/)
    }
  })
})
