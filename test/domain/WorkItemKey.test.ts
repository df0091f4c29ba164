import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"

const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))

describe("WorkItemKey", () => {
  it("keeps its written form beside what Plane calls it", () => {
    const { canonical, identifier, number, written, zeros } = key("et-002")
    assert.deepStrictEqual({ canonical, identifier, number, written, zeros }, {
      canonical: "ET-2",
      identifier: "ET",
      number: 2,
      written: "et-002",
      zeros: true
    })
    assert.isFalse(key("ET-2").zeros)
    assert.isFalse(key("ET-20").zeros)
    assert.strictEqual(key("et-002").normalized, key("ET-002").normalized)
    assert.notStrictEqual(key("ET-2").normalized, key("ET-002").normalized)
  })

  it("refuses a text that is no key, and says what would be right", () => {
    for (
      const text of [
        "",
        "ET",
        "ET-",
        "-2",
        "ET-2a",
        "ET--2",
        "ET-1/../..",
        " ET-2",
        "ET-2\n",
        "ET 2",
        "TOOLONGIDENTI-1"
      ]
    ) {
      const parsed = WorkItemKey.parse(text)
      assert.isTrue(Either.isLeft(parsed), text)
      assert.match(Either.isLeft(parsed) ? parsed.left : "", /like "ET-2"/)
    }
    assert.isTrue(Either.isLeft(WorkItemKey.parse("ET-2147483648")))
    assert.isTrue(Either.isRight(WorkItemKey.parse("ET-2147483647")))
  })

  it("is found in a name only as a whole word, as written, in any letter case", () => {
    for (const name of ["ET-2", "[et-2] login", "Login (ET-2)", "fix ET-2: login", "ET-2, ET-3"]) {
      assert.isTrue(key("ET-2").isNamedIn(name), name)
    }
    for (const name of ["ET-20", "BET-2", "ET-2x", "ET-002", "ET 2", "_ET-2", "ÜET-2", "ET-2é", ""]) {
      assert.isFalse(key("ET-2").isNamedIn(name), name)
    }
    assert.isTrue(key("ET-002").isNamedIn("et-002 login"))
    assert.isFalse(key("ET-002").isNamedIn("ET-2 login"))
    assert.isFalse(key("ET-002").isNamedIn("ET-0020 login"))
  })

  it("never matches a longer number, whatever stands around it", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.integer({ min: 0, max: 99_999 }),
      FastCheck.stringMatching(/^[0-9A-Za-z_]{1,5}$/),
      (number, more) => {
        assert.isFalse(key(`ET-${number}`).isNamedIn(`see ET-${number}${more} there`))
        assert.isTrue(key(`ET-${number}`).isNamedIn(`see ET-${number} there`))
      }
    ))
  })
})
