import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { nextLookUp } from "../../src/sending/NextLookUp.js"

describe("nextLookUp", () => {
  const looks = (patience: Duration.DurationInput) => {
    const found: Array<number> = []
    let at = 0
    for (let misses = 1; misses < 20; misses++) {
      const next = nextLookUp(misses, patience)
      if (Option.isNone(next)) return found
      at += Duration.toSeconds(next.value)
      found.push(at)
    }
    return found
  }

  it("looks at 5 s, 30 s, 2, 5 and 10 minutes after the first answered miss", () => {
    assert.deepStrictEqual(looks("10 minutes"), [5, 30, 120, 300, 600])
  })
  it("ends with the patience, which has the last look", () => {
    assert.deepStrictEqual(looks("0 millis"), [])
    assert.deepStrictEqual(looks("20 seconds"), [5, 20])
    assert.deepStrictEqual(looks("30 minutes"), [5, 30, 120, 300, 600, 1_200, 1_800])
  })
})
