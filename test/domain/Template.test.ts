import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { commentValues } from "../../src/domain/CommentTexts.js"
import type { CommentKind } from "../../src/domain/CommentTexts.js"
import { filled, parseTemplate } from "../../src/domain/Template.js"

const filledIn = (text: string, values: Readonly<Record<string, string>>, kind: CommentKind = "stageChanged") =>
  Either.map(parseTemplate(text, commentValues[kind]), (template) => filled(template, values))

const wrong = (text: string, kind: CommentKind = "stageChanged") =>
  Either.match(parseTemplate(text, commentValues[kind]), { onLeft: (why) => why, onRight: () => "nothing is wrong" })

describe("Template", () => {
  it("puts values in, and takes brackets away whose values are missing or empty", () => {
    const text = "{workItem} is at {to}[, {agent} begins][ because {overruledBy} said so]"
    assert.deepStrictEqual(
      filledIn(text, { workItem: "ET-2", to: "review", agent: "reviewer" }),
      Either.right("ET-2 is at review, reviewer begins")
    )
    assert.deepStrictEqual(
      filledIn(text, { workItem: "ET-2", to: "done", agent: "", overruledBy: "lea" }),
      Either.right("ET-2 is at done because lea said so")
    )
    // All of its values, not one of them.
    assert.deepStrictEqual(
      filledIn("now[ {agent} and {overruledBy}]", { agent: "reviewer" }),
      Either.right("now")
    )
  })

  it("a value is put in as it is, whatever it looks like", () => {
    assert.deepStrictEqual(filledIn("to {to}", { to: "{from} [[x]]", from: "no" }), Either.right("to {from} [[x]]"))
  })

  it("doubled braces and brackets are meant", () => {
    assert.deepStrictEqual(filledIn("[[bot]] {{{to}}} {{to}}", { to: "review" }), Either.right("[bot] {review} {to}"))
  })

  it.each<[text: string, why: string, kind?: CommentKind]>([
    [
      "now {too}",
      "{too} is no value of it: expected one of {workItem}, {from}, {to}, {agent}, {overruledBy}"
    ],
    ["done {reason}", "{reason} is no value of it: expected one of {workItem}", "taskCompleted"],
    ["now { to}", "{ to} is no value of it: expected one of {workItem}, {from}, {to}, {agent}, {overruledBy}"],
    ["now {to", "its braces are not balanced: expected a value within { and }, or {{ for a brace"],
    ["now to}", "its braces are not balanced: expected a value within { and }, or }} for a brace"],
    ["now {to [x}]", "its braces are not balanced: expected a value within { and }, or {{ for a brace"],
    ["now [ {agent}", "its brackets are not balanced: expected [[ for a bracket"],
    ["now {to}]", "its brackets are not balanced: expected ]] for a bracket"],
    ["now [a [ {agent}]]", "it has brackets within brackets: expected [[ for a bracket"],
    ["now [a [b {agent}] c]", "it has brackets within brackets: expected [[ for a bracket"],
    ["now [bot] {to}", "its brackets have no value in them: expected one, or [[ and ]] for brackets"],
    [
      "now {to} by {agent}",
      "{agent} may be missing: expected it in brackets with its words, like \"[ ({agent})]\""
    ],
    ["{to}", "it has no words of its own: expected some outside of braces and brackets"],
    ["🎉 {to}[ by {agent}]", "it has no words of its own: expected some outside of braces and brackets"],
    ["", "it has no words of its own: expected some outside of braces and brackets"],
    ["now\n{to}", "it has a line break, a tab or a control character: expected one line"],
    ["x".repeat(501), "it has 501 characters: expected at most 500"]
  ])("%j is wrong", (text, why, kind) => {
    assert.strictEqual(wrong(text, kind), why)
  })

  it("500 characters are not too many", () => {
    assert.strictEqual(wrong("x".repeat(500)), "nothing is wrong")
  })
})
