import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { commonForge } from "../../src/gitea/Forges.js"
import { ListedPullRequest, listedPullRequest } from "../../src/gitea/Listed.js"
import { listed } from "./Forge.js"

const read = (change: Readonly<Record<string, unknown>>) =>
  listedPullRequest(commonForge, Schema.decodeUnknownSync(ListedPullRequest)(listed(change)))

const head = { ref: "et-7", sha: "one", repo_id: 1 }

describe("a pull request in a list of Gitea's", () => {
  it("has its branch by the label, or by the ref where an old version has no label", () => {
    assert.containSubset(read({ head: { ...head, label: "et-8" } }), { branch: "et-8", fork: false })
    for (const label of [undefined, null]) {
      assert.containSubset(read({ head: { ...head, label } }), { branch: "et-7", fork: false })
    }
    // Anybody who may read the repository can push to refs/for/….
    assert.containSubset(read({ head: { ...head, label: "" } }), { branch: "", fork: true })
    assert.containSubset(read({ head: { ...head, ref: "refs/pull/88/head" } }), { branch: "", fork: true })
    assert.containSubset(read({ head: { ...head, label: "et-7", repo_id: 2 } }), { fork: true })
  })

  it("is a draft by its own word, or by its title where there is none (15)", () => {
    assert.isTrue(read({ draft: true }).draft)
    assert.isFalse(read({ draft: false, title: "WIP: climb" }).draft)
    assert.isTrue(read({ draft: null, title: "[WIP] climb" }).draft)
  })
})
