import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { UserId } from "../../src/domain/Ids.js"
import { commandIn, helpText } from "../../src/people/Commands.js"
import { longestHtml } from "../../src/people/CommentText.js"
import { usersNamed } from "../../src/plane/Members.js"

/** A paragraph as Plane's editor makes it. */
const p = (html: string) =>
  `<p class="editor-paragraph-block" data-id="6a4c1f0e-0000-4000-8000-000000000000">${html}</p>`

const mention = `<mention-component id="3c" entity_identifier="026c4518-d1f8-5b24-a2a1-c354e2f0c385" ` +
  `entity_name="user_mention"></mention-component>`

const short = (html: string) => {
  const command = commandIn(html)
  return command === undefined ? undefined : [command.word, command.text]
}

describe("commands in comments", () => {
  it("are read as Plane's editor writes them", () => {
    const read: ReadonlyArray<readonly [html: string, word: string, text: string]> = [
      [p("/approve please"), "approve", "please"],
      [p("/approve"), "approve", ""],
      ["/approve", "approve", ""],
      [p("/Approve"), "approve", ""],
      [p("/approve."), "approve", ""],
      [p("/answer: use Postgres"), "answer", "use Postgres"],
      [p("") + p("&nbsp;") + p("  /status"), "status", ""],
      // Typed "use --fast -> it's <b> & 1/2": the rules of the editor have changed it.
      [p("/answer use —fast → it's &lt;b&gt; &amp; ½"), "answer", "use —fast → it's <b> & ½"],
      // A line that ends with Shift+Enter is a paragraph, and an empty line is an empty one.
      [p("/reject two things:") + p("") + p("the page") + p("the tests"), "reject", "two things:\nthe page\nthe tests"],
      [p("/answer one<br>two"), "answer", "one\ntwo"],
      [p("/answer") + p("use Postgres"), "answer", "use Postgres"],
      [p(`/answer ask ${mention} about it`), "answer", "ask @026c4518-d1f8-5b24-a2a1-c354e2f0c385 about it"],
      [p(`/answer ship it <span data-name="rocket" data-type="emoji">🚀</span>`), "answer", "ship it 🚀"],
      [p("/reject <code class=\"x\" spellcheck=\"false\">a  b</code> fails"), "reject", "a b fails"],
      [
        p("/reject see:") + "<pre data-id><code class=\"language-ts\">let a\n  = 1</code></pre>",
        "reject",
        "see:\nlet a\n  = 1"
      ],
      [p("/answer") + "<ul class=\"list-disc\"><li><p>one</p></li><li><p>two</p></li></ul>", "answer", "one\ntwo"],
      [p("/answer <a target=\"_blank\" href=\"https://x.test\">this</a> <strong>now</strong>"), "answer", "this now"],
      [p("<strong>/retry</strong>"), "retry", ""],
      [p("\u200B/help"), "help", ""]
    ]
    for (const [html, word, text] of read) assert.deepStrictEqual(short(html), [word, text], html)
  })

  it("are no code, no quote, no list, nothing hidden, no question, and nothing that only contains one", () => {
    const others = [
      p("please /approve"),
      p("I would /approve"),
      p("/approved"),
      p("/approve?"),
      p("/approve-all"),
      p("//approve"),
      p("/ approve"),
      p("/deploy"),
      p("/constructor"),
      p("/toString"),
      p("/etc/passwd is readable"),
      p("Reviewed.") + p("/approve"),
      p("<code>/approve</code>"),
      p("<code>/</code>approve"),
      p("/app<code>rove</code>"),
      p("/approve<code>x</code>"),
      "<pre><code>/approve</code></pre>",
      "<blockquote><p>/approve</p></blockquote>",
      "<blockquote><p>said lea</p></blockquote>" + p("/approve"),
      "<ul><li><p>/approve</p></li></ul>",
      p("<s>/approve</s>"),
      p("<del>/approve</del>"),
      p(`${mention} please /approve`),
      p(`${mention}${mention} /approve`),
      "<image-component src=\"x\"></image-component>" + p("/approve"),
      p("<span style=\"display:none\">/approve</span>"),
      p("<span hidden>x</span>/approve"),
      "<!-- -->".repeat(2) + "<script>/approve</script>",
      "<style>/approve</style>",
      "<template><p>/approve</p></template>",
      "<textarea>/approve</textarea>",
      "<table><tr><td>/approve</td></tr></table>",
      "<svg><text>/approve</text></svg>",
      "<p title=\"/approve\"></p>",
      "<!-- /approve -->",
      p("\uFFFC/approve"),
      p("&#47;approved"),
      "",
      "/"
    ]
    for (const html of others) assert.isUndefined(commandIn(html), html)
    // An entity is what it stands for.
    assert.deepStrictEqual(short(p("&#47;approve")), ["approve", ""])
  })

  it("may begin with a mention, and say whom they mention", () => {
    const { to, word } = commandIn(p(`${mention} /approve`)) ?? {}
    assert.deepStrictEqual([word, to], ["approve", "026c4518-d1f8-5b24-a2a1-c354e2f0c385"])
    assert.isUndefined(commandIn(p("/approve"))?.to)
  })

  it("say what is wrong with them", () => {
    assert.include(commandIn(p("/answer"))?.wrong, "/answer use Postgres")
    assert.include(commandIn(p("/reject") + p(" "))?.wrong, "/reject the error page is missing")
    assert.include(commandIn(p(`/answer ${"x".repeat(4_001)}`))?.wrong, "too long: expected at most 4,000 characters")
    assert.isUndefined(commandIn(p(`/answer ${"x".repeat(3_990)}`))?.wrong)
    assert.include(commandIn(p(`/approve ${"ы".repeat(300_000)}`))?.wrong, "too long")
    assert.isUndefined(commandIn(p("x".repeat(longestHtml)) + p("/approve")))
  })

  it("a comment that does not begin with one is none, whatever it has in it", () => {
    const words = fc.constantFrom(
      "/approve",
      "/answer x",
      "approve",
      "<b>",
      "</b>",
      "<code>",
      "</code>",
      "<!--",
      "-->",
      "&lt;",
      " ",
      "\n",
      "<p>",
      "</p>",
      "<br>",
      "<template>",
      "</template>",
      "<a href=\"/approve\">",
      "'",
      "\"",
      ">",
      "<",
      "&#47;"
    )
    fc.assert(fc.property(
      fc.constantFrom("a", "please", "\\", "*", "👍", "<pre>x", "<blockquote>a</blockquote>", "&#97;", "@"),
      fc.array(words, { maxLength: 30 }),
      (first, rest) => commandIn(`<p>${first} ${rest.join("")}`) === undefined
    ))
    fc.assert(fc.property(fc.string(), (text) => {
      const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;")
      const isOne = /^[\s\u200B-\u200D\u2060\uFEFF]*\/(approve|reject|answer|retry|pause|resume|cancel|status|help)/i
      return isOne.test(text) || commandIn(p(escaped)) === undefined
    }))
  })

  it("what is typed behind one is its text, whatever the editor makes of it", () => {
    const line = fc.string().map((text) => text.replace(/[\s\u0000-\u001F\u007F\uFFFC\uFEFF]+/g, " ").trim())
      .filter((text) => text !== "")
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
      const html = lines.map((text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"))
      const command = commandIn(p(`/answer ${html[0]}`) + html.slice(1).map(p).join(""))
      return command?.word === "answer" && command.text === lines.join("\n").toWellFormed()
    }))
  })

  it("the worst comment costs little", () => {
    const times = Math.floor(longestHtml / 6)
    const worst = [
      "/approve ".repeat(40_000),
      `/approve ${"ы".repeat(300_000)}`,
      "/a" + "<b><p>".repeat(times),
      "/a" + Array.from({ length: 1_300 }, (_, index) => `<b a=${index}>`).join("") + "<p>/a".repeat(500),
      "/a" + Array.from({ length: 800 }, (_, index) => `<b a=${index}>`).join("") + "<p>".repeat(2_500),
      "/a" + "<a><p>".repeat(times),
      "/a" + "<b><i><p></b>".repeat(1_200),
      "/a" + "<table>".repeat(2_300),
      "/a" + "<div>".repeat(3_000),
      "/a" + "<font><p>".repeat(1_700) + "</font>".repeat(20),
      "/a" + "&lt;".repeat(4_000),
      "/a" + "<".repeat(16_000),
      "<".repeat(300_000),
      "<p>".repeat(100_000),
      "/a" + "<!--".repeat(4_000)
    ]
    for (const html of worst) {
      const before = performance.now()
      commandIn(html)
      // The worst takes a tenth of this on a slow machine.
      assert.isBelow(performance.now() - before, 1_000, html.slice(0, 40))
    }
  })

  it("the answer to /help and every other reply begins with no command", () => {
    assert.isUndefined(commandIn(p(helpText)))
    assert.include(helpText, "/approve")
  })

  it("people are named by id or e-mail address, in whatever case", () => {
    const lea = { id: UserId("026c4518-d1f8-5b24-a2a1-c354e2f0c385"), email: "Lea@trails.test" }
    const jonas = "126c4518-d1f8-5b24-a2a1-c354e2f0c385"
    assert.deepStrictEqual(usersNamed(["lea@trails.test", jonas, "nobody@trails.test"], [lea]), {
      ids: new Map([["lea@trails.test", lea.id], [jonas, UserId(jonas)]]),
      unknown: ["nobody@trails.test"]
    })
    assert.strictEqual(usersNamed(["lea@trails.test"], [{ ...lea, email: "" }]).ids.size, 0)
  })
})
