import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { UserId } from "../../src/domain/Ids.js"
import type { LastPatch } from "../../src/outbox/AssignPatch.js"
import type { DueAssignee } from "../../src/outbox/Job.js"
import type { Assignment } from "../../src/plane/History.js"
import { assignStep } from "../../src/sending/Assign.js"
import { changedByOthers } from "../../src/sending/LookBack.js"

const [us, lea, jo] = [UserId("us"), UserId("lea"), UserId("jo")]

const users = new Map([["lea", lea], ["lea@example.org", lea], ["jo", jo]])

const row = (is: Partial<DueAssignee>): DueAssignee => ({
  id: 1,
  person: "lea",
  wanted: 1,
  settled: 0,
  ours: 0,
  asked: 0,
  restore: 0,
  ...is
})

describe("who is put there, and who is taken out", () => {
  it("who is there already is theirs, unless a PATCH of ours may have put them there", () => {
    for (const asked of [0, 1]) {
      assert.deepStrictEqual(assignStep([row({ asked })], users, [lea]), {
        add: [],
        remove: [],
        settled: [{ _tag: "There", id: 1, isOurs: asked === 1 }]
      })
    }
  })

  it("only ours are taken out, and only if they are there and not wanted under another name", () => {
    const unwanted = row({ wanted: 0, ours: 1 })
    const out = [{ _tag: "Out" as const, id: 1 }]
    assert.deepStrictEqual(assignStep([unwanted], users, [jo, lea]).remove, [{ row: unwanted, user: lea }])
    assert.deepStrictEqual(assignStep([unwanted], users, [jo]).settled, out)
    assert.deepStrictEqual(assignStep([{ ...unwanted, ours: 0 }], users, [lea]).settled, out)
    const other = row({ id: 2, person: "lea@example.org", settled: 1 })
    assert.deepStrictEqual(assignStep([unwanted, other], users, [lea]), { add: [], remove: [], settled: out })
  })
})

describe("what others have changed at the same moment", () => {
  const since = EpochMillis(10_500)
  const told = (by: UserId, user: UserId, isAdded: boolean, at = 11_000): Assignment => ({
    by: Option.some(by),
    user,
    isAdded,
    at: utc(EpochMillis(at))
  })
  const ours = told(us, lea, true, 12_000)
  const look = (
    all: ReadonlyArray<Assignment>,
    left: ReadonlyArray<UserId>,
    patch: Pick<LastPatch, "before" | "isOpen"> = {}
  ) =>
    changedByOthers(
      { all, by: us, left },
      { patch: { ...patch, since, checks: 0 }, people: [row({ settled: 1 })] },
      users
    )

  it("is not known before Plane has written our own change", () => {
    assert.isUndefined(look([told(jo, jo, true)], [lea]))
    assert.isUndefined(look([told(us, lea, true, 9_000)], [lea]))
  })

  it("whom they have put there and who is gone, and whom they have taken out and who is there", () => {
    assert.deepStrictEqual(look([ours, told(us, jo, false), told(lea, jo, true)], [lea])?.restore, [
      { user: jo, isWanted: true }
    ])
    assert.deepStrictEqual(look([ours, told(lea, jo, false)], [lea, jo])?.restore, [{ user: jo, isWanted: false }])
    // Their newest change counts, and not what was before our look.
    assert.deepStrictEqual(look([ours, told(lea, jo, false), told(lea, jo, true)], [lea])?.restore, [])
    assert.deepStrictEqual(look([ours, told(lea, jo, true, 9_000)], [lea])?.restore, [])
  })

  it("after a PATCH without an answer, which may not have been executed: what was so before it is no change", () => {
    const open = { before: [], isOpen: true }
    const nothing = { _tag: "LookedBack" as const, restore: [], touched: [] }
    assert.deepStrictEqual(look([], [], open), nothing)
    assert.deepStrictEqual(look([told(jo, jo, true)], [lea], open)?.restore, [{ user: jo, isWanted: true }])
    assert.deepStrictEqual(look([told(jo, jo, true)], [lea], { ...open, before: [jo] })?.restore, [])
    // Somebody had taken her out in the second in which that was read, and then we have put her there.
    assert.deepStrictEqual(look([ours, told(jo, lea, false)], [lea], open), nothing)
  })

  it("whom they have put there as well is not ours", () => {
    assert.deepStrictEqual(look([ours, told(jo, lea, true)], [lea]), {
      _tag: "LookedBack",
      restore: [],
      touched: [1]
    })
  })
})
