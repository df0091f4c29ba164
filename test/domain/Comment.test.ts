import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck } from "effect"
import { cleanLine, cleanText, escapeHtml } from "../../src/base/Text.js"
import { commentHtml, countedHtml, tells } from "../../src/domain/Comment.js"
import { StageEvent } from "../../src/domain/StageEvent.js"

const workItem = "ET-2"

describe("comments", () => {
  it("have the texts that are promised", () => {
    assert.strictEqual(
      commentHtml(StageEvent.StageChanged({ workItem, from: "analysis", to: "architecture" })),
      "<p>🔄 Stage: analysis → architecture</p>"
    )
    assert.strictEqual(
      commentHtml(StageEvent.StageChanged({ workItem, from: "analysis", to: "architecture", agent: "architect" })),
      "<p>🔄 Stage: analysis → architecture (launching architect)</p>"
    )
    assert.strictEqual(
      commentHtml(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "2 errors" })),
      "<p>⚠️ QG failed at review: lint — 2 errors</p>"
    )
    assert.strictEqual(
      commentHtml(StageEvent.TaskCompleted({ workItem })),
      "<p>✅ Task completed! PR merged and deployed.</p>"
    )
  })

  it("that count a failure under its newest words tell the others that are the same, and no one else's", () => {
    const failure = (seconds: number, change: object = {}) => ({
      event: StageEvent.QualityGateFailed({
        workItem,
        stage: "development",
        check: "ci",
        reason: `Failing after ${seconds}s`,
        sameAs: "build",
        ...change
      }),
      occurredAt: DateTime.unsafeMake(0)
    })
    const html = countedHtml(failure(62), 2)
    assert.isTrue(tells(html, failure(61)))
    assert.isTrue(tells(html, failure(62)))
    assert.isFalse(tells(html, failure(61, { sameAs: undefined })))
    assert.isFalse(tells(html, failure(61, { check: "lint" })))
    assert.isFalse(tells(html, failure(61, { stage: "testing" })))
    assert.isFalse(tells(commentHtml(failure(62).event), failure(61)))
  })

  it("escape everything that is put in: no text becomes markup", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.string({ unit: "grapheme" }),
      FastCheck.constantFrom("<script>alert(1)</script>", `" onclick="x()`, "&lt;", "a < b && c > d", "line\nfeed"),
      (text, hostile) => {
        const html = commentHtml(StageEvent.QualityGateFailed({
          workItem,
          stage: hostile + text,
          check: text + hostile,
          reason: hostile
        }))
        assert.match(html.replaceAll("<br>", ""), /^<p>[^<>"']*<\/p>$/)
      }
    ))
    assert.strictEqual(escapeHtml(`<a href="x">'&`), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;")
  })
})

describe("texts", () => {
  it("are cut with a mark, never within a character", () => {
    assert.strictEqual(cleanText("abcdef", 6), "abcdef")
    assert.strictEqual(cleanText("abcdefg", 6), "abcdef… (cut)")
    assert.strictEqual(cleanText("abcde😀", 6), "abcde… (cut)")
  })

  it("hold nothing that Plane refuses or a terminal obeys", () => {
    assert.strictEqual(cleanText("a\u0000b\u001b[31mc\r\nd\te", 100), "ab[31mc\nd\te")
    assert.strictEqual(cleanLine("one\r\n\ttwo", 100), "one two")
    FastCheck.assert(FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
      const clean = cleanText(text, 50)
      assert.isTrue(clean.isWellFormed())

      assert.notMatch(clean, /[\u0000-\u0008\u000B-\u001F\u007F]/)
      assert.strictEqual(cleanText(clean, 70), clean)
    }))
  })
})
