import { assert, describe, it } from "@effect/vitest"
import { endsInCommit } from "./Scene.js"

const pageSize = 512

/** A log of frames. `part` is a frame without a commit, `old` one from before the log began anew. */
const wal = (frames: ReadonlyArray<"commit" | "part" | "old">, cut = 0) => {
  const frame = 24 + pageSize
  const bytes = new Uint8Array(32 + frames.length * frame)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, pageSize)
  view.setUint32(16, 7)
  view.setUint32(20, 8)
  for (const [index, kind] of frames.entries()) {
    const at = 32 + index * frame
    view.setUint32(at + 4, kind === "part" ? 0 : 3)
    view.setUint32(at + 8, kind === "old" ? 6 : 7)
    view.setUint32(at + 12, 8)
  }
  return bytes.subarray(0, bytes.length - cut)
}

describe("endsInCommit", () => {
  it("sees frames behind the last commit, and a frame that was cut", () => {
    assert.isFalse(endsInCommit(new Uint8Array()))
    assert.isFalse(endsInCommit(wal([])))
    assert.isFalse(endsInCommit(wal(["part", "commit"])))
    assert.isTrue(endsInCommit(wal(["part", "commit", "part"])))
    assert.isTrue(endsInCommit(wal(["commit", "commit"], 10)))
  })

  it("stops where frames from before begin", () => {
    assert.isFalse(endsInCommit(wal(["commit", "old", "old"])))
    assert.isTrue(endsInCommit(wal(["part", "old"])))
  })
})
