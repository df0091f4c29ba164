import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { CommentId, UserId } from "../../src/domain/Ids.js"
import type { SignedComment } from "../../src/plane/History.js"
import { twinsOf } from "../../src/sending/Twins.js"

const us = UserId("us")
const stored = { delivery: 1, commentId: CommentId("stored"), externalId: "event:item", madeBy: us, isLiving: 0 }

const comment = (id: string, more: Partial<SignedComment> = {}): SignedComment => ({
  id: CommentId(id),
  html: "<p>Stage: created → analysis</p>",
  source: Option.some("plane-sync"),
  externalId: Option.some("event:item"),
  madeBy: Option.some(us),
  editedBy: Option.none(),
  isEdited: false,
  createdAt: Option.none(),
  ...more
})

describe("row 53: comments under one external id", () => {
  const tags = (...others: ReadonlyArray<SignedComment>) => twinsOf(stored, [comment("stored"), ...others])._tag

  it("row 53: are one executed twice only if they are ours, alike, and edited by nobody else", () => {
    const second = comment("second")
    assert.deepStrictEqual(twinsOf(stored, [second, comment("stored")]), { _tag: "Doubled", others: [second] })
    assert.strictEqual(tags(comment("second", { editedBy: Option.some(us) })), "Doubled")
    assert.strictEqual(tags(comment("second", { editedBy: Option.some(UserId("lea")) })), "Differ")
    assert.strictEqual(tags(comment("second", { madeBy: Option.some(UserId("lea")) })), "Differ")
    assert.strictEqual(tags(comment("second", { madeBy: Option.none() })), "Differ")
    assert.strictEqual(tags(comment("second", { html: "<p>mine</p>" })), "Differ")
    assert.strictEqual(tags(comment("second"), comment("third", { html: "<p>mine</p>" })), "Differ")
    assert.strictEqual(tags(comment("second", { externalId: Option.some("other:item") })), "Single")
    assert.strictEqual(tags(comment("second", { source: Option.some("another program") })), "Single")
    assert.strictEqual(tags(), "Single")
  })

  it("row 53: none is deleted where the one whose id is stored is gone, or edited by somebody else", () => {
    assert.strictEqual(twinsOf(stored, [comment("second")])._tag, "Differ")
    const edited = comment("stored", { editedBy: Option.some(UserId("lea")) })
    assert.strictEqual(twinsOf(stored, [edited, comment("second")])._tag, "Differ")
    // Where the answer did not tell whose API token it is, the comment that it made does.
    const unknown = { ...stored, madeBy: null }
    assert.strictEqual(twinsOf(unknown, [comment("stored"), comment("second")])._tag, "Doubled")
  })
})
