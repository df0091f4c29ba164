import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { parsePlaneMoment } from "../../src/domain/PlaneMoment.js"

describe("a moment of Plane's", () => {
  it("compares as a text, to the microsecond, whatever its offset", () => {
    const written = [
      "2026-11-23T21:10:39Z",
      "2026-11-23T21:10:39.000001Z",
      "2026-11-24T00:10:39.5+03:00",
      "2026-11-23 21:10:39.731779+0000",
      "2026-11-23T21:10:40-00:00"
    ]
    const texts = written.map((text) => Either.getOrThrow(parsePlaneMoment(text)))
    assert.deepStrictEqual(texts, [
      "2026-11-23T21:10:39.000000Z",
      "2026-11-23T21:10:39.000001Z",
      "2026-11-23T21:10:39.500000Z",
      "2026-11-23T21:10:39.731779Z",
      "2026-11-23T21:10:40.000000Z"
    ])
    assert.deepStrictEqual(texts.toSorted(), texts)
  })

  it("refuses a text that is no moment, and says why", () => {
    for (
      const text of [
        "",
        "yesterday",
        "2026-11-23T21:10:39",
        "2026-13-23T21:10:39Z",
        "2026-11-23",
        "9999-12-31T23:59:59-01:00"
      ]
    ) {
      assert.match(Either.getOrThrow(Either.flip(parsePlaneMoment(text))), /is not a moment: expected ISO 8601/)
    }
  })
})
