import { assert, describe, it } from "@effect/vitest"
import { Array } from "effect"
import { median, percentile } from "../../bench/Statistics.js"

describe("percentile", () => {
  it("is the nearest rank, in whatever order the values come", () => {
    const values = Array.reverse(Array.range(1, 200))
    assert.strictEqual(percentile(values, 0.99), 198)
    assert.strictEqual(percentile(values, 0.5), 100)
    assert.strictEqual(percentile(values, 1), 200)
    assert.strictEqual(percentile(values, 0), 1)
  })

  it("sorts by number, not by text, and leaves the values as they were", () => {
    const values: Array.NonEmptyArray<number> = [9, 10, 2]
    assert.strictEqual(percentile(values, 1), 10)
    assert.deepStrictEqual(values, [9, 10, 2])
  })

  it("of one value is that value", () => {
    assert.strictEqual(percentile([7], 0.99), 7)
    assert.strictEqual(median([7]), 7)
  })
})

describe("median", () => {
  it("is a value that was measured, and not moved by one outlier", () => {
    assert.strictEqual(median([3, 1_000, 2]), 3)
    assert.strictEqual(median([4, 1, 3, 2]), 2)
  })
})
