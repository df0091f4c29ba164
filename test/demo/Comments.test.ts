import { assert, describe, it } from "@effect/vitest"
import { allLinesOf, isLiving, judgedLinesOf } from "../../demo/Comments.js"

const living =
  "<p>Progress</p><ul><li>✅ created</li><li>🔄 release: since 2026-11-24 08:00:00 UTC, a &lt;b&gt;</li></ul>" +
  "<p>Links: <a href=\"https://git.example.com/12\">#12</a></p>"
const end = "<p>✅ Task completed!</p><ul><li>Time: 3 s (review 3 s)</li><li>Pull request: a/b#1</li></ul>"

describe("what the demo shows of a comment", () => {
  it("has the items of lists and the words of links", () => {
    assert.deepStrictEqual(allLinesOf(living), [
      "Progress",
      "• ✅ created",
      "• 🔄 release: since 2026-11-24 08:00:00 UTC, a <b>",
      "Links: #12"
    ])
  })

  it("marks what was not escaped there", () => {
    assert.deepStrictEqual(allLinesOf("<p>a</p><ul><li>2 <b 3</li></ul>"), ["a", "• 2 [not escaped: <]b 3"])
  })
})

describe("what the demo judges of a comment", () => {
  it("is each stage of a living comment with its mark, in one line", () => {
    assert.isTrue(isLiving(living))
    assert.deepStrictEqual(judgedLinesOf(living), ["the stages: ✅ created, 🔄 release"])
  })

  it("is the line of an end, and what its receipt has", () => {
    assert.isFalse(isLiving(end))
    assert.deepStrictEqual(judgedLinesOf(end), ["✅ Task completed!", "a receipt: Time, Pull request"])
    assert.deepStrictEqual(judgedLinesOf("<p>✅ Task completed!</p>"), ["✅ Task completed!"])
  })

  it("is each event of a comment that tells several", () => {
    const html = "<p>one · 2026-11-24 08:00:00 UTC</p><p>two · 2026-11-24 08:00:01 UTC</p>"
    assert.deepStrictEqual(judgedLinesOf(html), ["one", "two"])
  })
})
