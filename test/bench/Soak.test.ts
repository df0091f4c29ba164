import { assert, describe, it } from "@effect/vitest"
import { holds } from "../../bench/Figure.js"
import { rows } from "../../bench/Rows.js"
import type { Soaked } from "../../bench/rows/Soak.js"
import { figuresOf } from "../../bench/rows/Soak.js"

const early = { residentSet: 200, heap: 45, external: 10, openFiles: 40 }

const steady: Soaked = {
  minutes: 30,
  early,
  late: early,
  seen: { answered: 50_000, accepted: 18_000, unexpected: new Map() },
  owed: 0
}

const missed = (soaked: Partial<Soaked>) =>
  figuresOf({ ...steady, ...soaked }).filter((figure) => !holds(figure)).map(({ row }) => row)

describe("row 82: a soak", () => {
  it("misses an aim when anything has grown since a third of it, or went wrong", () => {
    assert.deepStrictEqual(missed({}), [])
    assert.deepStrictEqual(missed({ late: { residentSet: 240, heap: 54, external: 15, openFiles: 50 } }), [])
    assert.deepStrictEqual(missed({ late: { ...early, residentSet: 241 } }), ["soak: resident memory at 30 min"])
    assert.deepStrictEqual(missed({ late: { ...early, heap: 55 } }), ["soak: heap after a collection at 30 min"])
    assert.deepStrictEqual(missed({ late: { ...early, external: 16 } }), ["soak: memory outside the heap"])
    assert.deepStrictEqual(missed({ late: { ...early, openFiles: 51 } }), ["soak: open files and sockets"])
    assert.deepStrictEqual(missed({ owed: 1 }), ["soak: owed in the end"])
    const unexpected = new Map([["publish: 500", 1]])
    assert.deepStrictEqual(missed({ seen: { ...steady.seen, unexpected } }), ["soak: unexpected answers"])
    assert.deepStrictEqual(missed({ late: { ...early, residentSet: NaN } }), ["soak: resident memory at 30 min"])
  })

  it("runs only when it is named", () => {
    assert.isTrue(rows.find(({ name }) => name === "soak")?.onDemand)
  })
})
