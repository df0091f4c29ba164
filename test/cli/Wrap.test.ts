import { assert, describe, it } from "@effect/vitest"
import { wrapped, wrappedCommand, wrappedUsage } from "../../src/cli/Wrap.js"

describe("lines of 80 columns", () => {
  it("break between words, and a word that is longer has a line of its own", () => {
    const long = "x".repeat(90)
    assert.deepStrictEqual(wrapped(`one ${long} two`, "  ", "    "), ["  one", `    ${long}`, "    two"])
    assert.deepStrictEqual(wrapped("", "  "), [])
  })

  it("of a command can be copied: a text in quotes stays whole, and the shell joins the lines", () => {
    const reason = "\"merged by hand, because the pull request is gone\""
    assert.deepStrictEqual(
      wrappedCommand(`plane-sync task report ET-002 --stage deploy --reason ${reason}`, "$ ", "  "),
      [
        "$ plane-sync task report ET-002 --stage deploy \\",
        `  --reason ${reason}`
      ]
    )
  })

  it("of a usage: what is in brackets stays whole", () => {
    const option = "[--status pending | delivered | dead | discarded]"
    assert.deepStrictEqual(wrappedUsage(`plane-sync events --of-some text ${option} <key>`, "", "  "), [
      "plane-sync events --of-some text",
      `  ${option} <key>`
    ])
  })
})
