import { assert, describe, it } from "@effect/vitest"
import { countFindings, judge, linesOf, together, toldBy } from "../../demo/Judge.js"

const expected = { workItem: "ET-2", lines: ["one", "two", "three", "four"], state: "Done" }

const right = { lost: [], doubled: [], outOfOrder: [], wrongState: [], unexpected: [], links: [] }

const shown = (...lines: Array<string>) => judge(expected, { lines, state: "Done" })

describe("judge", () => {
  it("finds nothing where every line stands once, in order, in the right state", () => {
    assert.deepStrictEqual(shown("one", "two", "three", "four"), right)
    assert.strictEqual(countFindings(shown("one", "two", "three", "four")), 0)
  })

  it("finds a lost line", () => {
    assert.deepStrictEqual(shown("one", "three", "four"), { ...right, lost: ["ET-2: two"] })
  })

  it("finds a doubled line, next to the first and later", () => {
    assert.deepStrictEqual(shown("one", "one", "two", "three", "four"), { ...right, doubled: ["ET-2: one"] })
    assert.deepStrictEqual(shown("one", "two", "three", "four", "two"), { ...right, doubled: ["ET-2: two"] })
  })

  it("finds a line that stands behind a later one", () => {
    assert.deepStrictEqual(shown("one", "three", "two", "four"), { ...right, outOfOrder: ["ET-2: two"] })
  })

  it("finds a wrong state", () => {
    assert.deepStrictEqual(
      judge(expected, { lines: expected.lines, state: "In Progress" }),
      { ...right, wrongState: ["ET-2: is In Progress, expected Done"] }
    )
  })

  it("finds a line that was changed: lost, and never published", () => {
    assert.deepStrictEqual(shown("one", "two", "three", "four!"), {
      ...right,
      lost: ["ET-2: four"],
      unexpected: ["ET-2: four!"]
    })
  })

  it("does not let a lost line and a doubled one make up for each other", () => {
    assert.deepStrictEqual(shown("one", "two", "three", "three"), {
      ...right,
      lost: ["ET-2: four"],
      doubled: ["ET-2: three"]
    })
  })

  it("counts a text that was published twice", () => {
    const twice = { ...expected, lines: ["one", "two", "one"] }
    assert.deepStrictEqual(judge(twice, { lines: ["one", "two", "one"], state: "Done" }), right)
    assert.deepStrictEqual(judge(twice, { lines: ["one", "two"], state: "Done" }).lost, ["ET-2: one"])
    assert.deepStrictEqual(judge(twice, { lines: ["one", "two", "one", "one"], state: "Done" }).doubled, ["ET-2: one"])
  })

  describe("of links", () => {
    const at = (page: string) => `https://ci.example.com/${page}`
    const links = [{ kind: "log", url: at("1") }, { kind: "page", url: at("2") }, { kind: "log", url: at("3") }]
    const linked = (...shown: ReadonlyArray<string>) =>
      judge({ ...expected, links }, { lines: expected.lines, state: "Done", links: shown.map(at) })

    it("finds nothing where the newest of each kind is there once", () => {
      assert.deepStrictEqual(linked("3", "2"), right)
      const sharing = { ...expected, links: [...links, { kind: "log", url: at("2") }] }
      assert.deepStrictEqual(judge(sharing, { lines: expected.lines, state: "Done", links: [at("2")] }), right)
    })

    it("finds one that is missing, there twice, replaced, or of nobody", () => {
      assert.deepStrictEqual(linked("3").links, [`ET-2 has no page, expected ${at("2")}`])
      assert.deepStrictEqual(linked("2", "3", "3").links, [`ET-2 has log twice: ${at("3")}`])
      assert.deepStrictEqual(linked("1", "2", "3").links, [
        `ET-2 still has log, which another one has replaced: ${at("1")}`
      ])
      assert.deepStrictEqual(linked("2", "3", "4").links, [`ET-2 has what nobody asked for: ${at("4")}`])
      assert.strictEqual(countFindings(linked("1")), 3)
    })
  })

  it("puts findings together", () => {
    const all = together([shown("one", "two", "three"), shown("one", "two", "three", "four", "four")])
    assert.deepStrictEqual(all, { ...right, lost: ["ET-2: four"], doubled: ["ET-2: four"] })
    assert.strictEqual(countFindings(all), 2)
  })
})

describe("linesOf", () => {
  it("reads a comment as a person does", () => {
    assert.deepStrictEqual(linesOf("<p>a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; &amp;lt;</p>"), [
      "a <b> & \"c\" 'd' &lt;"
    ])
  })

  it("takes paragraphs and line breaks apart", () => {
    assert.deepStrictEqual(linesOf("<p>one<br>two</p><p>three</p>"), ["one", "two", "three"])
  })

  it("marks what was not escaped", () => {
    assert.deepStrictEqual(linesOf("<p>2 <b 3</p>"), ["2 [not escaped: <]b 3"])
    assert.deepStrictEqual(linesOf("<p>a & b</p>"), ["a [not escaped: &] b"])
    assert.deepStrictEqual(linesOf("<p>a &nbsp; b</p>"), ["a [not escaped: &]nbsp; b"])
    assert.deepStrictEqual(linesOf("<p><b>a</b></p>").length, 1)
  })
})

describe("toldBy", () => {
  it("takes the times from the lines of a comment that tells several", () => {
    const html = "<p>one · 2026-11-24 08:00:00 UTC</p><p>two · 2026-11-24 08:00:01 UTC</p>"
    assert.deepStrictEqual(toldBy(html), ["one", "two"])
  })

  it("takes a count for as many events", () => {
    const line = "⚠️ QG failed at review: lint — two (2) errors"
    assert.deepStrictEqual(toldBy(`<p>${line} (failed 3 times, last at 2026-11-24 08:00:00 UTC)</p>`), [
      line,
      line,
      line
    ])
  })

  it("leaves a line that stands alone as it is", () => {
    assert.deepStrictEqual(toldBy("<p>one · 2026-11-24 08:00:00 UTC</p>"), ["one · 2026-11-24 08:00:00 UTC"])
  })

  it("does not take a line without its time for what was published", () => {
    assert.deepStrictEqual(toldBy("<p>one</p><p>two · 2026-11-24 08:00:01 UTC</p>"), ["one (when?)", "two"])
  })
})
