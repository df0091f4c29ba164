import { assert, describe, it } from "@effect/vitest"
import { DateTime, Either, FastCheck, Record } from "effect"
import { cleanLine, cleanText, escapeHtml } from "../../src/base/Text.js"
import { commentHtml, countedHtml, joinedHtml, saysSame, tells } from "../../src/domain/Comment.js"
import type { CommentTexts } from "../../src/domain/CommentTexts.js"
import { commentValues, defaultTexts } from "../../src/domain/CommentTexts.js"
import { Noted, StageEvent } from "../../src/domain/StageEvent.js"
import { parseTemplate } from "../../src/domain/Template.js"

const workItem = "ET-2"

describe("comments", () => {
  it("have the texts that are promised", () => {
    assert.strictEqual(
      commentHtml(defaultTexts, StageEvent.StageChanged({ workItem, from: "analysis", to: "architecture" })),
      "<p>🔄 Stage: analysis → architecture</p>"
    )
    assert.strictEqual(
      commentHtml(
        defaultTexts,
        StageEvent.StageChanged({ workItem, from: "analysis", to: "architecture", agent: "architect" })
      ),
      "<p>🔄 Stage: analysis → architecture (launching architect)</p>"
    )
    assert.strictEqual(
      commentHtml(
        defaultTexts,
        StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "2 errors" })
      ),
      "<p>⚠️ QG failed at review: lint — 2 errors</p>"
    )
    assert.strictEqual(
      commentHtml(defaultTexts, StageEvent.TaskCompleted({ workItem })),
      "<p>✅ Task completed! PR merged and deployed.</p>"
    )
    const question = StageEvent.QuestionAsked({
      workItem,
      question: "May the table go?\nIt is empty.",
      agent: "architect"
    })
    assert.strictEqual(
      commentHtml(defaultTexts, question),
      "<p>❓ architect asks: May the table go?<br>It is empty.</p>"
    )
    assert.strictEqual(
      commentHtml(defaultTexts, StageEvent.QuestionAsked({ workItem, question: "Why?" })),
      "<p>❓ An agent asks: Why?</p>"
    )
    assert.strictEqual(commentHtml(defaultTexts, new Noted({ workItem, text: "Heard." })), "<p>Heard.</p>")
  })

  it("row 27: tell who overruled a stage, and why, each in its own line", () => {
    const moment = (second: number, event: StageEvent) => ({
      event,
      occurredAt: DateTime.unsafeMake(`2026-11-24T08:30:0${second}Z`)
    })
    const plain = StageEvent.StageChanged({ workItem, from: "testing", to: "deploy", agent: "deployer" })
    const overruled = StageEvent.StageChanged({ ...plain, overruledBy: "lea: merged by <hand> & \"pushed\"" })
    const last = StageEvent.StageChanged({ workItem, from: "deploy", to: "done", overruledBy: "jo: it is live" })
    const said = "(overruled by lea: merged by &lt;hand&gt; &amp; &quot;pushed&quot;)"
    assert.strictEqual(
      commentHtml(defaultTexts, overruled),
      `<p>🔄 Stage: testing → deploy (launching deployer) ${said}</p>`
    )
    assert.strictEqual(commentHtml(defaultTexts, last), "<p>🔄 Stage: deploy → done (overruled by jo: it is live)</p>")
    assert.strictEqual(
      commentHtml(defaultTexts, StageEvent.StageChanged({ ...plain, overruledBy: "" })),
      commentHtml(defaultTexts, plain)
    )
    const joined = joinedHtml(defaultTexts, [moment(1, overruled), moment(2, last)])
    assert.strictEqual(
      joined,
      `<p>🔄 Stage: testing → deploy (launching deployer) ${said} · 2026-11-24 08:30:01 UTC</p>` +
        "<p>🔄 Stage: deploy → done (overruled by jo: it is live) · 2026-11-24 08:30:02 UTC</p>"
    )
    // A comment is known again by its lines, and one that was overruled is not the one that its gates let pass.
    for (const event of [overruled, last]) {
      assert.isTrue(tells(defaultTexts, joined, moment(event === last ? 2 : 1, event)))
    }
    assert.isFalse(tells(defaultTexts, joined, moment(1, plain)))
    assert.isFalse(tells(defaultTexts, commentHtml(defaultTexts, plain), moment(1, overruled)))
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
    const html = countedHtml(defaultTexts, failure(62), 2)
    assert.isTrue(tells(defaultTexts, html, failure(61)))
    assert.isTrue(tells(defaultTexts, html, failure(62)))
    assert.isFalse(tells(defaultTexts, html, failure(61, { sameAs: undefined })))
    assert.isFalse(tells(defaultTexts, html, failure(61, { check: "lint" })))
    assert.isFalse(tells(defaultTexts, html, failure(61, { stage: "testing" })))
    assert.isFalse(tells(defaultTexts, commentHtml(defaultTexts, failure(62).event), failure(61)))
  })

  it("escape everything that is put in: no text becomes markup", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.string({ unit: "grapheme" }),
      FastCheck.constantFrom("<script>alert(1)</script>", `" onclick="x()`, "&lt;", "a < b && c > d", "line\nfeed"),
      (text, hostile) => {
        const html = commentHtml(
          defaultTexts,
          StageEvent.QualityGateFailed({
            workItem,
            stage: hostile + text,
            check: text + hostile,
            reason: hostile
          })
        )
        assert.match(html.replaceAll("<br>", ""), /^<p>[^<>"']*<\/p>$/)
        const overruled = StageEvent.StageChanged({ workItem, from: text, to: hostile, overruledBy: hostile + text })
        const asked = StageEvent.QuestionAsked({ workItem, question: text + hostile, agent: hostile })
        const noted = new Noted({ workItem, text: hostile + text })
        for (const event of [overruled, asked, noted]) {
          assert.match(commentHtml(defaultTexts, event).replaceAll("<br>", ""), /^<p>[^<>"']*<\/p>$/)
        }
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

const ownTexts = (texts: Readonly<Record<keyof CommentTexts, string>>): CommentTexts =>
  Record.map(texts, (text, kind) => Either.getOrThrow(parseTemplate(text, commentValues[kind])))

describe("comments in a project's own words", () => {
  const texts = ownTexts({
    stageChanged: "<b>{workItem}</b> & now {to}[, {agent} works on it][ ({overruledBy})]",
    gateFailed: "{reason} says {check} at {stage}",
    taskCompleted: "Rolled out & \"done\"",
    questionAsked: "{agent} of {workItem} wants to know: {question}"
  })
  const at = (second: number, event: StageEvent) => ({
    event,
    occurredAt: DateTime.unsafeMake(`2026-11-24T08:30:0${second}Z`)
  })
  const changed = StageEvent.StageChanged({ workItem, from: "analysis", to: "<i>review</i>", agent: "{to}" })
  const failed = (reason: string, check = "lint") =>
    StageEvent.QualityGateFailed({ workItem, stage: "review", check, reason, sameAs: "lint" })

  it("are plain text: what they say is escaped, and so is what is put in", () => {
    assert.strictEqual(
      commentHtml(texts, changed),
      "<p>&lt;b&gt;ET-2&lt;/b&gt; &amp; now &lt;i&gt;review&lt;/i&gt;, {to} works on it</p>"
    )
    assert.strictEqual(
      commentHtml(texts, StageEvent.TaskCompleted({ workItem })),
      "<p>Rolled out &amp; &quot;done&quot;</p>"
    )
  })

  it("are known again, alone, joined and counted", () => {
    const other = StageEvent.StageChanged({ workItem, from: "review", to: "testing" })
    assert.isTrue(tells(texts, commentHtml(texts, changed), at(1, changed)))
    const joined = joinedHtml(texts, [at(1, changed), at(2, other)])
    assert.isTrue(tells(texts, joined, at(1, changed)))
    assert.isTrue(tells(texts, joined, at(2, other)))
    assert.isFalse(tells(texts, joined, at(3, StageEvent.StageChanged({ workItem, from: "testing", to: "deploy" }))))
    assert.isFalse(tells(texts, joined, at(1, StageEvent.TaskCompleted({ workItem }))))
    const counted = countedHtml(texts, at(2, failed("3 errors")), 2)
    assert.strictEqual(counted, "<p>3 errors says lint at review (failed 2 times, last at 2026-11-24 08:30:02 UTC)</p>")
    assert.isTrue(tells(texts, counted, at(1, failed("2 errors"))))
    assert.isFalse(tells(texts, counted, at(1, failed("2 errors", "build"))))
  })

  it("what was told in the usual words before is known again, too", () => {
    assert.isTrue(tells(texts, commentHtml(defaultTexts, changed), at(1, changed)))
    assert.isTrue(tells(texts, joinedHtml(defaultTexts, [at(1, changed), at(2, failed("no"))]), at(2, failed("no"))))
    assert.isFalse(tells(texts, commentHtml(defaultTexts, changed), at(1, StageEvent.TaskCompleted({ workItem }))))
  })

  it("two comments say the same, whatever Plane makes of marks and spaces", () => {
    const html = commentHtml(texts, changed)
    assert.isTrue(saysSame(html, html.replace("<p>", "<p class=\"x\">").replaceAll("&amp;", "&")))
    assert.isFalse(saysSame(html, commentHtml(texts, StageEvent.TaskCompleted({ workItem }))))
    assert.isFalse(saysSame(html, html + html))
  })
})
