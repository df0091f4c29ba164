import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { isGlob, isReadable, matchesAny } from "../../src/base/Glob.js"

describe("a glob", () => {
  it("is read as Gitea reads those of its branch protection", () => {
    const table: ReadonlyArray<readonly [glob: string, text: string, matches: boolean]> = [
      ["ci/*", "ci/build/linux", true],
      ["ci/*", "ci", false],
      ["*", "", true],
      ["ci/?", "ci/a", true],
      ["ci/?", "ci/ab", false],
      ["ci/[ab]", "ci/b", true],
      ["ci/[!ab]", "ci/b", false],
      ["ci/[0-9]", "ci/7", true],
      ["ci/{build,test*}", "ci/test-unit", true],
      ["ci/{build,test*}", "ci/lint", false],
      ["ci\\*", "ci*", true],
      ["ci\\*", "cix", false],
      ["CI / test (20, ubuntu-latest) (pull_request)", "CI / test (20, ubuntu-latest) (pull_request)", true],
      ["a.b", "axb", false]
    ]
    for (const [glob, text, matches] of table) assert.strictEqual(matchesAny([glob])(text), matches, `${glob} ${text}`)
  })

  it("that cannot be read stands for itself, and so does every name of a check", () => {
    assert.isFalse(isReadable("ci [linux-amd64]"))
    assert.isFalse(isGlob("ci [linux-amd64]"))
    assert.isTrue(matchesAny(["ci [linux-amd64]"])("ci [linux-amd64]"))
    assert.isTrue(matchesAny(["test [20]"])("test [20]"))
    FastCheck.assert(FastCheck.property(FastCheck.string(), (text) => matchesAny([text])(text)))
  })
})
