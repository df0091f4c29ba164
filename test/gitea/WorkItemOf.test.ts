import { assert, describe, it } from "@effect/vitest"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import type { PullRequestText } from "../../src/gitea/WorkItemOf.js"
import { workItemReader } from "../../src/gitea/WorkItemOf.js"

const read = workItemReader("ET")
const of = (text: Partial<PullRequestText>) => read({ branch: "", title: "", body: "", ...text })
const named = (key: string) => ({ _tag: "Named", key: CanonicalKey(key) } as const)
const ambiguous = (...keys: ReadonlyArray<string>) => ({ _tag: "Ambiguous", keys: keys.map(CanonicalKey) } as const)
const unnamed = { _tag: "Unnamed" } as const

describe("the work item of a pull request", () => {
  it("is the branch's, then the title's, then the body's", () => {
    assert.deepStrictEqual(of({ branch: "feature/et-7-north", title: "ET-8", body: "[ET-9]" }), named("ET-7"))
    assert.deepStrictEqual(of({ branch: "north", title: "ET-8: climb", body: "[ET-9]" }), named("ET-8"))
    assert.deepStrictEqual(of({ branch: "north", title: "climb", body: "see [ET-9]" }), named("ET-9"))
    assert.deepStrictEqual(of({ branch: "north", title: "climb", body: "" }), unnamed)
  })

  it("is a whole word, whatever its case and zeros", () => {
    for (const branch of ["ET-7", "et-007", "Et-07-x", "fix/ET-7/again", "ET-7.1", "w.et-7"]) {
      assert.deepStrictEqual(of({ branch }), named("ET-7"), branch)
    }
    for (
      const branch of ["BET-7", "ET-7a", "ET-70000000000", "_ET-7", "ET-7_x", "ET-0", "ET7", "ET--7", "ÉT-7", "XT-7"]
    ) {
      assert.deepStrictEqual(of({ branch }), unnamed, branch)
    }
    assert.deepStrictEqual(of({ branch: "et-70" }), named("ET-70"))
  })

  it("is in the title also of a draft", () => {
    for (const title of ["WIP: ET-7 climb", "[WIP] ET-7: climb", "wip: ET-7"]) {
      assert.deepStrictEqual(of({ title }), named("ET-7"), title)
    }
    // A project could be called so: the mark of a draft is no key.
    assert.deepStrictEqual(workItemReader("WIP")({ branch: "", title: "WIP: WIP-3", body: "" }), named("WIP-3"))
  })

  it("is in the body only in brackets or after a closing word", () => {
    for (const word of ["close", "Closes", "closed", "fix", "Fixes", "FIXED", "resolve", "resolves", "resolved:"]) {
      assert.deepStrictEqual(of({ body: `Some text.\n\n${word} ET-007.` }), named("ET-7"), word)
    }
    assert.deepStrictEqual(of({ body: "as in [et-7], see ET-8" }), named("ET-7"))
    for (const body of ["ET-7", "see ET-7", "prefix ET-7", "closes: see ET-7", "encloses ET-7", "(ET-7)", "[ET-7"]) {
      assert.deepStrictEqual(of({ body }), unnamed, body)
    }
  })

  it("is nobody's when a level names several, though not when it names one twice", () => {
    assert.deepStrictEqual(of({ branch: "et-7-and-et-8", title: "ET-7" }), ambiguous("ET-7", "ET-8"))
    assert.deepStrictEqual(of({ body: "fixes ET-7, closes ET-9" }), ambiguous("ET-7", "ET-9"))
    assert.deepStrictEqual(of({ title: "ET-7: as ET-007 says" }), named("ET-7"))
  })
})
