import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import { UserId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import type { Move } from "../../src/plane/History.js"
import { isTheirLast, isUnmoved } from "../../src/sending/Check.js"

const us = UserId("us")
const placedAt = PlaneMoment("2026-11-23T21:10:10.500000Z")
const second = DateTime.unsafeMake("2026-11-23T21:10:10Z")
const lane = { placed: StateId("started"), placedAt, placedBy: us }

const moved = (by: string, to: string, at = 0): Move => ({
  by: Option.some(UserId(by)),
  to: Option.some(StateId(to)),
  at: DateTime.add(second, { seconds: at })
})

describe("row 52: what a work item's activities tell", () => {
  it("row 52 a: nobody has moved it since our PATCH", () => {
    const cases: ReadonlyArray<readonly [boolean | undefined, ReadonlyArray<Move>]> = [
      [true, [moved("us", "started"), moved("lea", "todo", -60)]],
      // A person's move in the same second, before ours.
      [true, [moved("us", "started"), moved("lea", "todo")]],
      [false, [moved("lea", "todo", 1), moved("us", "started")]],
      [false, [moved("lea", "started", 1), moved("lea", "todo", 1), moved("us", "started")]],
      // By our own user, in Plane's page.
      [false, [moved("us", "todo", 1), moved("us", "started")]],
      // The activity of our PATCH is still to be written, so that of a move since may be, too.
      [undefined, [moved("lea", "todo", -1)]],
      [undefined, []],
      [false, [moved("lea", "todo")]]
    ]
    for (const [expected, moves] of cases) assert.strictEqual(isUnmoved(moves, lane), expected, JSON.stringify(moves))
    assert.isTrue(isUnmoved([moved("anybody", "started")], { ...lane, placedBy: null }))
  })

  it("row 52 b: theirs is the last move that is not ours, whoever we are", () => {
    const job = { doubted: StateId("cancelled"), lane }
    const cases: ReadonlyArray<readonly [boolean | undefined, ReadonlyArray<Move>]> = [
      [true, [moved("us", "started"), moved("lea", "cancelled")]],
      [true, [moved("lea", "cancelled"), moved("us", "started")]],
      [false, [moved("us", "started"), moved("lea", "todo"), moved("lea", "cancelled")]],
      [false, [moved("max", "started"), moved("us", "started"), moved("lea", "cancelled")]],
      [false, [moved("us", "started"), moved("us", "cancelled")]],
      // Theirs is still to be written.
      [undefined, [moved("us", "started"), moved("lea", "todo", -60)]],
      [undefined, []]
    ]
    for (const [expected, moves] of cases) assert.strictEqual(isTheirLast(moves, job), expected, JSON.stringify(moves))
    // Where no answer has told whose API token it is, our own PATCH does.
    const unknown = { ...job, lane: { placed: StateId("started"), placedBy: null } }
    assert.isTrue(isTheirLast([moved("us", "started"), moved("lea", "cancelled")], unknown))
    assert.isUndefined(isTheirLast([moved("lea", "cancelled")], unknown))
  })
})
