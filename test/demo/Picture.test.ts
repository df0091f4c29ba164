import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { pictureOf } from "../../demo/Picture.js"

const printed = `
plane-sync: three tasks

\x1B[90m 0.9 s  \x1B[39m\x1B[36mET-2   \x1B[39m\x1B[1m\x1B[32m■\x1B[39m\x1B[22m Todo → In Progress
 1.0 s  ET-3   ▌ of another task
 1.0 s         ▌ the rest of it
 1.1 s         ! Plane is away
                 for a while
 1.1 s         ✗ TC: of another project
 1.1 s         ! TC: of another project, too
                 in a second line
 1.2 s  TC-3   ✎ an edited comment
 1.2 s         ✎ the rest of it
 1.2 s         ✗ ET: a probe
 1.2 s         ▌ the rest of the other task's
\x1B[31m── Plane is up ──\x1B[39m
 1.3 s  ET-2   ▌ ⚠️ climb < 0 m & more
                 in a second line
── what Plane shows now ──
  \x1B[90m* grey in the first line
  and in the second\x1B[39m
  ✔ all is Done (1.4 s)

  To try next: nothing
`

/** The texts of the picture, line by line. */
const linesOf = (picture: string) =>
  picture.split("\n").filter((line) => line.startsWith("<text")).map((line) =>
    Array.from(line.matchAll(/<text [^>]*>([^<]*)<\/text>/g), ([, text = ""]) => text.trim()).join("|")
  )

describe("the picture of the demo", () => {
  it("has the lines of one task, what is said of Plane, and the end", () => {
    assert.deepStrictEqual(linesOf(pictureOf(printed) ?? ""), [
      "$ npm run demo|# of its three tasks, the lines of ET-2",
      "0.9 s|ET-2|■|Todo → In Progress",
      "1.1 s|! Plane is away",
      "for a while",
      "1.2 s|✗ ET: a probe",
      "── Plane is up ──",
      "1.3 s|ET-2|▌|⚠️|climb &lt; 0 m &amp; more",
      "in a second line",
      "── what Plane shows now ──",
      "* grey in the first line",
      "and in the second",
      "✔|all is Done (1.4 s)"
    ])
  })

  it("has the colours of the terminal, also behind the end of a line, and each text in its columns", () => {
    const picture = pictureOf(printed) ?? ""
    assert.include(picture, `textLength="8" lengthAdjust="spacingAndGlyphs" fill="#3fb950" font-weight="bold">■</text>`)
    assert.match(picture, /fill="#8b949e">\* grey in the first line/)
    assert.match(picture, /fill="#8b949e">and in the second/)
    // Behind an emoji of two columns: 16 of margin, 19 columns of 8.
    assert.match(picture, /x="168" [^>]*> climb/)
  })

  it("is not made of a demo that failed, or that prints something else", () => {
    for (const missing of ["✔", "ET-2", "what Plane shows"]) {
      assert.isUndefined(pictureOf(printed.replaceAll(missing, "?")), missing)
    }
  })

  it("stands in docs, drawn of a whole run", () => {
    const drawn = readFileSync(fileURLToPath(new URL("../../docs/demo.svg", import.meta.url)), "utf8")
    assert.match(linesOf(drawn).at(-1) ?? "", /^✔\|all \d+ lines stand in Plane once and in order; all is Done/)
    assert.isAbove(linesOf(drawn).length, 30)
  })
})
