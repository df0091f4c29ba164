import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import type { Fields, Wanted } from "../../src/base/JsonFields.js"
import { readFields, sliceBytes } from "../../src/base/JsonFields.js"
import { beyond } from "../../src/base/JsonShape.js"

const limits = { levels: 64, longestWhole: 1_000, longestBeginning: 100 }

/** What is read, and the largest step between two pauses, in bytes. */
const reading = (text: string, fields: Fields, longestBeginning = limits.longestBeginning) => {
  const steps: Array<number> = []
  const work = readFields(Buffer.from(text), fields, { ...limits, longestBeginning })
  let last = 0
  for (;;) {
    const step = work.next()
    if (step.done === true) {
      return {
        read: Either.mapLeft(step.value, ({ reason }) => reason),
        pauses: steps.length,
        longest: Math.max(0, ...steps)
      }
    }
    steps.push(step.value - last)
    last = step.value
  }
}

const read = (text: string, fields: Fields = { a: "whole" }) => reading(text, fields).read

const isList = (wanted: Wanted): wanted is readonly [Wanted] => Array.isArray(wanted)

/** The same by `JSON.parse`. */
const picked = (value: unknown, fields: Wanted): unknown => {
  if (isList(fields)) {
    return Array.isArray(value)
      ? value.map((each) => picked(each, fields[0]))
      : picked(value, fields[0])
  }
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return []
  return typeof fields === "string" ? {} : Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const wanted = Object.hasOwn(fields, name) ? fields[name] : undefined
      return wanted === undefined ? [] : [[name, picked(inner, wanted)]]
    })
  )
}

/** As senders write it that keep to ASCII. */
const escaped = (text: string) =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

const mebi = 1024 * 1024

describe("readFields", () => {
  it("keeps what JSON.parse gives of the wanted fields, of any document", () => {
    const fields: Fields = {
      a: "whole",
      b: { a: "whole", b: { a: "beginning" }, c: [{ a: "whole" }] },
      "": "whole",
      c: ["beginning"]
    }
    const names = FastCheck.constantFrom("a", "b", "c", "", "constructor", "toString", "a\\", "\"", "\u20ac")
    const { document } = FastCheck.letrec((tie) => ({
      document: FastCheck.oneof(
        { depthSize: "small", withCrossShrink: true },
        FastCheck.oneof(
          FastCheck.constant(null),
          FastCheck.boolean(),
          FastCheck.double({ noNaN: true }),
          FastCheck.integer()
        ),
        FastCheck.string({ unit: "binary", maxLength: 30 }),
        FastCheck.array(tie("document"), { maxLength: 4 }),
        FastCheck.dictionary(names, tie("document"), { maxKeys: 5 })
      )
    }))
    FastCheck.assert(
      FastCheck.property(document, FastCheck.constantFrom(0, 1, 3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        // Nothing is cut here.
        const whole = reading(text, fields, Buffer.byteLength(text)).read
        assert.deepStrictEqual(whole, Either.right(picked(JSON.parse(text), fields)))
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 300) }
    )
  })

  it("keeps of a list what is wanted of its elements, and no more of them after a while", () => {
    const fields: Fields = { a: [{ b: "whole" }], c: ["beginning"] }
    const long = "x".repeat(150)
    assert.deepStrictEqual(
      read(JSON.stringify({ a: [{ b: 1, c: [[[]]] }, { c: 2 }, 3, [4]], c: long, d: [5] }), fields),
      Either.right({ a: [{ b: 1 }, {}, 3, []], c: "x".repeat(100) })
    )
    const numbers = Array.from({ length: 1_000 }, (_, index) => index)
    const kept = Either.getOrThrow(read(JSON.stringify({ c: numbers, a: {} }), fields))
    assert.deepStrictEqual(kept, { c: numbers.slice(0, 37), a: {} })
    for (
      const text of ["{\"c\":[1,]}", "{\"c\":[,1]}", "{\"c\":[1 2]}", "{\"c\":[1}", "{\"c\":[\"\n\"]}", "{\"c\":["]
    ) {
      assert.deepStrictEqual(read(text, fields), Either.left("NotJson"), text)
    }
    assert.deepStrictEqual(
      read(`{"c":[${"[".repeat(64)}${"]".repeat(64)}]}`, fields),
      Either.left("TooDeep")
    )
  })

  it("refuses what JSON.parse refuses", () => {
    for (
      const text of [
        "",
        " ",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"b\":1,}",
        "{,}",
        "{\"b\":[1,]}",
        "{\"b\":[,1]}",
        "{\"b\":[1 2]}",
        "{\"b\":{\"c\" 1}}",
        "{\"b\":{1:1}}",
        "{\"b\":[1}}",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{\"a\":\"x}",
        "{\"b\":\"\\\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":01}",
        "{\"b\":1.}",
        "{\"b\":-}",
        "{\"b\":nul}",
        "{\"b\":NaN}",
        "{a:1}",
        "\uFEFF{}",
        "{\"a\":\"\n\"}",
        "{\"b\":\"\n\"}",
        "{\"b\":\"\\x\"}",
        "{\"b\":\"\\u12g4\"}",
        "{\"b\":[{\"\t\":1}]}",
        `{"${"n".repeat(300)}\u0001":1}`,
        `{"b":"${"\u20ac".repeat(50_000)}\\"}`,
        `{"b":"${"\\n".repeat(50_000)}\n"}`,
        `{"c":"${"x".repeat(200)}\u0000"}`
      ]
    ) {
      assert.deepStrictEqual(read(text, { a: "whole", c: "beginning" }), Either.left("NotJson"), text)
      assert.throws(() => JSON.parse(text) as unknown)
    }
    // Nobody writes this.
    assert.deepStrictEqual(read(`{"b":${"1".repeat(2_000)}}`), Either.left("NotJson"))
  })

  it("row 32: takes and refuses what JSON.parse takes and refuses, of texts that are broken anywhere", () => {
    const fields: Fields = { a: "whole", b: { a: "whole", "__proto__": "whole" }, c: "beginning" }
    const whole = JSON.stringify({
      a: "x\ud800\u20ac\n",
      c: "\\\"".repeat(20),
      b: { a: -1.5e-7, "__proto__": null, list: [true, false, {}, [], [{ "\u0001\ud83d\udeb5": "\t" }]] },
      "n\u00e9": "\u2028"
    })
    const texts = [whole, escaped(whole), JSON.stringify(JSON.parse(whole), null, 2)].map((text) =>
      text.replace("\"list\"", "\"__proto__\":{\"a\":2},\"a\":1E+3,\"\\u0061\":0,\"list\"")
    )
    const parts = [
      "",
      "\"",
      "\\",
      "\\u",
      ",",
      ":",
      "[",
      "]",
      "{",
      "}",
      " ",
      "\n",
      "\u0000",
      "0",
      "-",
      ".",
      "e",
      "true",
      "\uFEFF"
    ]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...texts),
        FastCheck.array(FastCheck.tuple(FastCheck.nat(), FastCheck.nat(3), FastCheck.constantFrom(...parts)), {
          maxLength: 3
        }),
        (text, edits) => {
          const broken = edits.reduce((text, [at, removed, added]) => {
            const position = at % (text.length + 1)
            return text.slice(0, position) + added + text.slice(position + removed)
          }, text)
          // As it comes: what is no character any more is another one.
          const given = Buffer.from(broken).toString()
          const parsed = Either.try(() => JSON.parse(given) as unknown)
          assert.deepStrictEqual(
            read(given, fields),
            Either.mapBoth(parsed, { onLeft: () => "NotJson", onRight: (value) => picked(value, fields) }),
            given
          )
        }
      ),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 1_500) }
    )
  })

  it("row 32: knows how many backslashes stand before a quote, however many they are", () => {
    for (const many of [62, 63, 64, 65, 4_095, 4_096, 4_097, 4_160, 8_255, 8_256, 8_257]) {
      for (const before of ["", "x"]) {
        const text = `{"b":"${before}${"\\".repeat(many)}","a":1}`
        assert.deepStrictEqual(
          read(text),
          many % 2 === 0 ? Either.right({ a: 1 }) : Either.left("NotJson"),
          String(many)
        )
      }
    }
  })

  it("takes the last of two values of a name, as JSON.parse does, and a name that is escaped", () => {
    assert.deepStrictEqual(read("{\"a\":1,\"\\u0061\":[2],\"a\":\"3\"}"), Either.right({ a: "3" }))
  })

  it("cuts between two characters, and not within an escape", () => {
    for (const unit of ["x", "\u00e9", "\u20ac", "\ud83d\udeb5", "\\", "\"", "\n", "\\\\\"", "\u0001", "\u2028"]) {
      for (let offset = 0; offset < 12; offset++) {
        const long = "-".repeat(offset) + unit.repeat(200)
        const text = JSON.stringify({ a: long })
        for (const written of [text, escaped(text)]) {
          const kept = read(written, { a: "beginning" })
          const cut = Either.isRight(kept) ? (kept.right as { a: string }).a : ""
          assert.isTrue(long.startsWith(cut) && cut.length > 10, `${unit} ${offset}: ${cut}`)
        }
      }
    }
    assert.deepStrictEqual(read(JSON.stringify({ a: "x".repeat(1_001) })), Either.left("TooLong"))
  })

  it("refuses what is nested too deeply, wherever it is", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
    // What is empty has no level within, for `beyond` neither.
    for (const [inner, deep] of [[nested(64), false], [nested(65), true]] as const) {
      assert.deepStrictEqual(read(`{"b":${inner}}`), deep ? Either.left("TooDeep") : Either.right({}))
      assert.strictEqual(beyond(`{"b":${inner}}`, limits), deep ? "levels" : undefined)
    }
    const innermost = `${"[".repeat(64)}1${"]".repeat(64)}`
    assert.deepStrictEqual(read(`{"b":${innermost}}`), Either.left("TooDeep"))
    assert.strictEqual(beyond(`{"b":${innermost}}`, limits), "levels")
    assert.deepStrictEqual(read(`{"a":${nested(100_000)}}`), Either.left("TooDeep"))
  })

  it("row 32: pauses after each slice, whatever the bytes are, but within a text that has no quotes", () => {
    for (
      const inner of [
        `"b":[${"[],".repeat(mebi)}[]]`,
        `"b":[${"1,".repeat(mebi)}1]`,
        `"b":{${"\"\":1,".repeat(mebi)}"c":1}`,
        `"b":"${"\\\"".repeat(mebi)}"`,
        `"b":"${"<p class=\\\"x\\\">".repeat(mebi / 8)}"`,
        `"b":${" ".repeat(2 * mebi)}1`
      ]
    ) {
      const { longest, pauses, read } = reading(`{${inner},"a":"kept"}`, { a: "whole" })
      assert.deepStrictEqual(read, Either.right({ a: "kept" }))
      assert.isAbove(pauses, 100)
      assert.isBelow(longest, sliceBytes + 2_000)
    }
  })
})
