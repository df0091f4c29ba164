import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { deadLetterBatch } from "../../src/outbox/DeadLetters.js"
import type { Owed, Step } from "../../src/outbox/Lane.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { Storage } from "../../src/Storage.js"

const inMemory = Layer.provide(Outbox.layer, Storage.layerFile(":memory:"))

const holder = "me"

const event = (id: string, lane: string): NewEvent => ({
  id,
  workItem: lane,
  lane,
  body: `{"type":"task_completed","workItem":"${lane}"}`,
  stage: "done",
  urgent: true,
  occurredAt: 0,
  publishedAt: 0,
  unfit: undefined
})

describe("Outbox", () => {
  it.scoped("a bug that one event brings to light makes it a dead letter, and stops nobody", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader(holder)
      yield* outbox.publish(event("poison", "ET-1"))
      yield* outbox.publish(event("fine", "ET-2"))
      const plan = ({ key }: Owed): Step => {
        if (key === "ET-1") throw new Error("cannot read properties of undefined")
        return { _tag: "Look" }
      }
      const job = yield* outbox.turn({ holder, claim: { urgentAfter: 1_000, plan } })
      assert.deepInclude(job, { _tag: "Look", key: "ET-2" })
      const [dead] = yield* outbox.events({ status: "dead", limit: 10 })
      assert.deepInclude(dead, { id: "poison", comment: "dead", state: "dead" })
      assert.match(dead?.reason ?? "", /a bug in plane-sync.*cannot read/)
    }).pipe(Effect.provide(inMemory)))

  it.scoped("one id twice at the same time, the second time unfit: the first stands, and nothing is a dead letter", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const unfit = { ...event("one", "ET-1"), body: "{}", lane: undefined, unfit: "no key" }
      const published = yield* Effect.forEach([event("one", "ET-1"), unfit, unfit], outbox.publish, {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(published.map(({ duplicate }) => duplicate), [false, true, true])
      assert.deepInclude(yield* outbox.status, { pending: 1, dead: 0 })
      assert.deepStrictEqual(yield* outbox.deadLetters({ limit: 10 }), [])
    }).pipe(Effect.provide(inMemory)))

  it.scoped("a lane is claimed once, and again when it was settled", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader(holder)
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      assert.strictEqual(yield* outbox.turn({ holder, claim }), undefined)
      assert.strictEqual(job?._tag, "Look")
      if (job?._tag !== "Look") return
      const again = yield* outbox.turn({
        holder,
        settlement: { _tag: "Looked", job, outcome: { _tag: "Later", dueAt: 0, counted: true, reason: "a time-out" } },
        claim
      })
      assert.deepInclude(again?.lane, { attempts: 1 })
    }).pipe(Effect.provide(inMemory)))

  it.scoped("who has lost the file to another settles and claims nothing more", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql, write } = yield* Storage
      yield* outbox.becomeLeader(holder)
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      if (job?._tag !== "Look") return assert.fail("a job")
      yield* write(sql`UPDATE plane_sync_sender SET holder = 'another'`)
      const lost = yield* Effect.flip(outbox.turn({
        holder,
        settlement: { _tag: "Looked", job, outcome: { _tag: "Later", dueAt: 0, counted: true, reason: "a time-out" } },
        claim
      }))
      assert.strictEqual(lost._tag, "LeadershipLost")
      assert.strictEqual(yield* outbox.nextDue(1_000), undefined)
    }).pipe(Effect.provide(Layer.provideMerge(Outbox.layer, Storage.layerFile(":memory:")))))

  it.scoped("a due time that was set before the clock was put back is due now", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader(holder)
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      if (job?._tag !== "Look") return assert.fail("a job")
      const tomorrow = 86_400_000
      yield* outbox.turn({
        holder,
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Later", dueAt: tomorrow, counted: false, reason: "quiet" }
        }
      })
      assert.strictEqual(yield* outbox.nextDue(2 * tomorrow), tomorrow)
      assert.strictEqual(yield* outbox.nextDue(60_000), 0)
      assert.isDefined(yield* outbox.turn({ holder, claim }))
    }).pipe(Effect.provide(inMemory)))

  it.scoped("dead letters of one reason are retried and discarded all, however many, a batch at a time", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader(holder)
      const events = Array.from({ length: 2 * deadLetterBatch + 1 }, (_, n) => event(`event-${n}`, "ET-1"))
      yield* Effect.forEach(events, outbox.publish, { concurrency: "unbounded", discard: true })
      const claim = { urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const die = Effect.gen(function*() {
        const job = yield* outbox.turn({ holder, claim })
        if (job?._tag !== "Look") return assert.fail("a look")
        const outcome = { _tag: "LaneDead", code: "not_found", reason: "nobody has it", gone: false } as const
        yield* outbox.turn({ holder, settlement: { _tag: "Looked", job, outcome } })
      })
      yield* die
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: events.length })
      // Each has a letter for its comment, the latest one for its state as well.
      assert.strictEqual(yield* outbox.retry({ code: "not_found" }), events.length + 1)
      assert.deepInclude(yield* outbox.status, { pending: events.length, dead: 0 })
      yield* die
      assert.strictEqual(yield* outbox.discard({ code: "not_found" }), events.length + 1)
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, discarded: events.length })
    }).pipe(Effect.provide(inMemory)))
})
