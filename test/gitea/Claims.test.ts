import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { PullRequestText } from "../../src/gitea/Claims.js"
import { claimReader } from "../../src/gitea/Claims.js"

const read = claimReader(["ET"])

/** The work items that a pull request is about. */
const about = (text: Partial<PullRequestText>) =>
  read({ branch: "", title: "", body: "", ...text }).flatMap(({ key, kind }) => kind === "about" ? [key] : [])

const reverts = (text: Partial<PullRequestText>) =>
  read({ branch: "", title: "", body: "", ...text }).flatMap(({ key, kind }) => kind === "reverts" ? [key] : [])

const each = (place: keyof PullRequestText, table: Readonly<Record<string, ReadonlyArray<string>>>) => {
  for (const [text, keys] of Object.entries(table)) assert.deepStrictEqual(about({ [place]: text }), keys, text)
}

describe("the work items that a pull request is about", () => {
  it("are named by whole words, in any case, with any zeros; an underscore separates (17)", () =>
    each("branch", {
      "ET-7": ["ET-7"],
      "feature/et-007-north": ["ET-7"],
      "Et-07-x": ["ET-7"],
      "feature/ET-5_login": ["ET-5"],
      "_ET-5_": ["ET-5"],
      "w.et-7": ["ET-7"],
      "BET-2": [],
      "ET-7a": [],
      "ET-70000000000": [],
      "ET-0": [],
      "ET7": [],
      "ET--7": [],
      "ÉT-7": [],
      "et-70": ["ET-70"]
    }))

  it("are not versions (18)", () =>
    each("branch", {
      "release/et-2.1.0": [],
      "et-2.0": [],
      "et-2.x": ["ET-2"],
      "release/et-2.1.0-et-9": ["ET-9"]
    }))

  it("are as many as a branch, the beginning of a title and a body name (19)", () => {
    each("branch", { "et-7-and-et-8": ["ET-7", "ET-8"] })
    each("title", {
      "ET-24, ET-25: north and south": ["ET-24", "ET-25"],
      "ET-24 and ET-25": ["ET-24", "ET-25"],
      "[ET-24][ET-25] climb": ["ET-24", "ET-25"],
      "(ET-24) climb as in ET-25": ["ET-24"],
      "WIP: ET-24 + ET-25 climb": ["ET-24", "ET-25"],
      "[WIP] wip: ET-24": ["ET-24"],
      "climb (ET-24)": ["ET-24"],
      "feat(ET-24): climb, see ET-25": ["ET-24", "ET-25"]
    })
    each("body", {
      "Closes ET-24 and ET-25": ["ET-24", "ET-25"],
      "Closes ET-24, ET-25, and ET-26.": ["ET-24", "ET-25", "ET-26"],
      "fixes: ET-24\nresolves [ET-25]": ["ET-24", "ET-25"],
      "Fixes ET-24 & ET-25; see ET-26": ["ET-24", "ET-25"]
    })
    assert.deepStrictEqual(about({ branch: "et-1", title: "ET-2: x", body: "Closes ET-3" }), ["ET-1", "ET-2", "ET-3"])
    assert.deepStrictEqual(about({ branch: "et-1", title: "more for ET-2" }), ["ET-1"])
    assert.deepStrictEqual(about({ title: "more for ET-2", body: "Closes ET-3" }), ["ET-3"])
  })

  it("are in a body only after a closing word or in brackets, and never in what is no prose (16)", () =>
    each("body", {
      "<!-- e.g. Closes ET-26 -->": [],
      "<!--\nCloses ET-26\n": [],
      "text <!-- Closes ET-26 --> text": [],
      "```\nCloses ET-26\n```": [],
      "~~~ sh\nCloses ET-26\n~~~": [],
      "    Closes ET-26": [],
      "`Closes ET-26`": [],
      "> Closes ET-26": [],
      "<blockquote>\n\nCloses ET-26\n\n</blockquote>": [],
      "<code>Closes ET-26</code>": [],
      "~~Closes ET-26~~": [],
      "![Closes ET-26](x.png)": [],
      "this does not fix ET-29": [],
      "This doesn't close ET-29, ET-30": [],
      "It will **not** resolve ET-29": [],
      "This does not\nfix ET-29": [],
      "No tests. Fixes ET-29": ["ET-29"],
      "It does not look nice, but fixes ET-29": ["ET-29"],
      "**Closes** ET-29": ["ET-29"],
      "Closes *ET-29*": ["ET-29"],
      "- [x] closes ET-29": ["ET-29"],
      "# Fixes ET-29": ["ET-29"],
      "Closes [ET-29](https://plane.example.test/browse/ET-29)": ["ET-29"],
      "as in [ET-26]": ["ET-26"],
      "[ET-26](https://plane.example.test/ET-26)": [],
      "[ET-26]\n\n[ET-26]: https://plane.example.test/ET-26": [],
      "[see [ET-26]](https://plane.example.test)": [],
      "https://plane.example.test/[ET-26]": [],
      "Closes [[ET-26]](https://plane.example.test)": ["ET-26"],
      "It does not happen any more\nCloses ET-29": ["ET-29"],
      "This does not\ncloses ET-29": [],
      "Not only fixes ET-29": ["ET-29"],
      "see ET-7": [],
      "prefix ET-7": [],
      "closes: see ET-7": [],
      "encloses ET-7": [],
      "(ET-7)": [],
      "[ET-7": []
    }))

  it("are not what is taken back, unless that is taken back too (5)", () => {
    each("title", {
      "Revert \"ET-8: first half\"": [],
      "Revert \"ET-8: first half\" (#41)": [],
      "Revert “ET-8: first half”": [],
      "Revert \"ET-8: fir…": [],
      "Revert \"Revert \"ET-8: first half\"\"": ["ET-8"],
      "Revert \"Revert \"Revert \"ET-8: first half\"\"\"": [],
      "Revert \"ET-8: first half\" (ET-9)": ["ET-9"],
      "WIP: Revert \"ET-8: first half\"": [],
      "Revert the cache (ET-9)": ["ET-9"],
      "ET-9: Revert \"ET-8: first half\"": ["ET-9"],
      "chore: Revert \"ET-8: first half\"": [],
      "[backport] revert \"ET-8: first half\"": [],
      "chore(ET-9): Revert \"ET-8: first half\"": ["ET-9"],
      "Revert: \"ET-8: first half\"": [],
      "Revert 'ET-8: don't wait' (ET-9)": ["ET-9"],
      "Revert „ET-8: first half“": [],
      "Reapply \"ET-8: first half\"": ["ET-8"],
      "Revert \"Reapply \"ET-8: first half\"\"": [],
      "Revert button's label (ET-9)": ["ET-9"]
    })
    each("branch", { "revert-41-et-8": [], "lea/revert-41-et-8": [], "fix/revert-button-et-9": ["ET-9"] })
    assert.deepStrictEqual(about({ branch: "revert-41-main", title: "Revert \"ET-8: first half\"" }), [])
    assert.deepStrictEqual(reverts({ title: "Revert \"ET-8: first half\"" }), ["ET-8"])
    assert.deepStrictEqual(reverts({ title: "Revert \"Revert \"ET-8: first half\"\"" }), [])
    assert.deepStrictEqual(reverts({ title: "Revert the cache (ET-9)" }), [])
  })

  it("are those of the project whose identifier they carry, whatever it is called", () => {
    assert.deepStrictEqual(
      claimReader(["WIP"])({ branch: "", title: "WIP: WIP-3", body: "" }).map(({ key }) => key),
      ["WIP-3"]
    )
  })

  it("are bounded, and read soon, whatever a text is made of", () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `ET-${index + 1}`).join(", ")
    assert.lengthOf(about({ body: `Closes ${keys}` }), 100)
    for (
      const piece of [
        "> ",
        "[",
        "*a_",
        "`",
        "<",
        "- ",
        "![](",
        "Closes ET-1 ",
        "<code>",
        "\"Revert \"",
        "| a ",
        "~~a ",
        "~a~~",
        "[^a]",
        "\\",
        "&",
        "](",
        "[a]: b\n"
      ]
    ) {
      const body = `ET-1 ${piece.repeat(20_000)}`
      assert.isAtMost(about({ body, title: `Revert "${piece.repeat(1_000)}ET-1` }).length, 1, piece)
    }
  }, 20_000)

  it("never fails, whatever is written", () =>
    FastCheck.assert(FastCheck.property(
      FastCheck.string({ unit: "grapheme", maxLength: 200 }),
      FastCheck.constantFrom("", "Closes ", "[", "Revert \"", "<!--", "> ", "`"),
      (text, before) => {
        about({
          branch: text,
          title: `${before.repeat(1 + text.length * 1_000)}ET-1${text}`,
          body: `${text}${before}ET-1`
        })
      }
    )))

  it("are none of a description that is too intricate to be read (16)", () => {
    const claim = "\nCloses ET-7\n"
    for (
      const text of [
        "- ".repeat(1_500),
        "> ".repeat(1_500),
        "1. ".repeat(1_500),
        "> - ".repeat(1_500),
        ">".repeat(1_500),
        "![".repeat(3_000),
        "~a".repeat(3_000),
        "a\n=\n".repeat(3_000)
      ]
    ) {
      assert.deepStrictEqual(about({ body: text + claim }), [], text.slice(0, 20))
      assert.deepStrictEqual(about({ branch: "et-8", body: text + claim }), ["ET-8"], text.slice(0, 20))
    }
    // A line and a deep list of people's are neither.
    assert.deepStrictEqual(about({ body: `${"-".repeat(80)}\n${claim}` }), ["ET-7"])
    assert.deepStrictEqual(about({ body: `- a\n  - b\n    - > c\n\n${claim}` }), ["ET-7"])
  })
})
