import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { NewEvent } from "../../src/outbox/Event.js"
import type { Owed, Step } from "../../src/outbox/Lane.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/outbox/Storage.js"

const inMemory = Layer.provide(Outbox.layer, Storage.layerFile(":memory:"))

const event = (id: string, lane: string): NewEvent => ({
  id,
  workItem: lane,
  lane,
  body: `{"type":"task_completed","workItem":"${lane}"}`,
  stage: "done",
  occurredAt: 0,
  publishedAt: 0,
  unfit: undefined
})

describe("Outbox", () => {
  it.effect("a bug that one event brings to light makes it a dead letter, and stops nobody", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.publish(event("poison", "ET-1"))
      yield* outbox.publish(event("fine", "ET-2"))
      const plan = ({ key }: Owed): Step => {
        if (key === "ET-1") throw new Error("cannot read properties of undefined")
        return { _tag: "Look" }
      }
      const job = yield* outbox.turn({ claim: { holder: "me", plan } })
      assert.deepInclude(job, { _tag: "Look", key: "ET-2" })
      const [dead] = yield* outbox.events({ status: "dead", limit: 10 })
      assert.deepInclude(dead, { id: "poison", comment: "dead", state: "dead" })
      assert.match(dead?.reason ?? "", /a bug in plane-sync.*cannot read/)
    }).pipe(Effect.provide(inMemory)))

  it.effect("a lane is claimed once, and again when it was settled", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { holder: "me", plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ claim })
      assert.strictEqual(yield* outbox.turn({ claim }), undefined)
      assert.strictEqual(job?._tag, "Look")
      if (job?._tag !== "Look") return
      const again = yield* outbox.turn({
        settlement: { _tag: "Looked", job, outcome: { _tag: "Later", dueAt: 0, counted: true, reason: "a time-out" } },
        claim
      })
      assert.deepInclude(again?.lane, { attempts: 1 })
    }).pipe(Effect.provide(inMemory)))

  it.effect("a due time that was set before the clock was put back is due now", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { holder: "me", plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ claim })
      if (job?._tag !== "Look") return assert.fail("a job")
      const tomorrow = 86_400_000
      yield* outbox.turn({
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Later", dueAt: tomorrow, counted: false, reason: "quiet" }
        }
      })
      assert.strictEqual(yield* outbox.nextDue(2 * tomorrow), tomorrow)
      assert.strictEqual(yield* outbox.nextDue(60_000), 0)
      assert.isDefined(yield* outbox.turn({ claim }))
    }).pipe(Effect.provide(inMemory)))
})
