import { assert, describe, it } from "@effect/vitest"
import { isOverfull } from "../../src/base/JsonShape.js"

const limits = { levels: 8, values: 100 }

describe("what is not given to JSON.parse", () => {
  const rows: ReadonlyArray<readonly [string, string, boolean]> = [
    ["eight levels", "[".repeat(8) + "]".repeat(8), false],
    ["nine levels", "[".repeat(9) + "]".repeat(9), true],
    ["nine levels of objects", "{\"a\":".repeat(9) + "1" + "}".repeat(9), true],
    ["many that are closed again", `[${"[],".repeat(40)}1]`, false],
    ["a hundred arrays beside each other", `[${"[],".repeat(100)}1]`, true],
    ["a hundred numbers", `[${"1,".repeat(100)}1]`, true],
    ["brackets in a text", `{"a":"${"[{,".repeat(100)}"}`, false],
    ["brackets behind a quote that is escaped", `{"a":"\\"${"[".repeat(100)}"}`, false],
    ["brackets behind a text that ends in a backslash", `{"a":"\\\\","b":${"[".repeat(100)}`, true],
    ["a text that never ends", `["${"[".repeat(100)}`, false],
    ["a page, which no parser goes into", `<a>${"[".repeat(100)}`, false],
    ["one after blanks", ` \n\t${"[".repeat(9)}`, true],
    ["nothing", "", false]
  ]
  it.each(rows)("%s", (_, text, expected) => {
    assert.strictEqual(isOverfull(text, limits), expected)
  })
})
