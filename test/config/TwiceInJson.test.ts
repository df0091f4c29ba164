import { assert, describe, it } from "@effect/vitest"
import { twiceIn } from "../../src/config/TwiceInJson.js"

describe("a field that JSON has twice", () => {
  it("is found wherever it is, and however it is written", () => {
    assert.strictEqual(twiceIn(`{"projects": {"ET": {"comments": "each"}, "ET": {}}}`), "projects.ET")
    assert.strictEqual(twiceIn(`{"projects": {"ET": {"id": "a", "\\u0069d" : "b"}}}`), "projects.ET.id")
    assert.strictEqual(twiceIn(`{"a": 1, "b": [{"a": {}}], "a": 2}`), "a")
  })

  it("is not what only looks like one", () => {
    for (
      const text of [
        `{"projects": {"ET": {"id": "x"}, "WEB": {"id": "x"}}}`,
        `{"a": "{\\"b\\": 1, \\"b\\": 2}", "b": ["a", "a", {"b": 1}, {"b": 1}]}`,
        `{}`,
        `[]`,
        `"a"`
      ]
    ) {
      JSON.parse(text)
      assert.isUndefined(twiceIn(text), text)
    }
  })
})
