import { assert, describe, it } from "@effect/vitest"
import { Context, DateTime, Effect, Fiber, Layer, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { deadLetterBatch } from "../../src/outbox/DeadLetters.js"
import { foldBatch } from "../../src/outbox/Fold.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { Owed, Step } from "../../src/outbox/Plan.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { Storage } from "../../src/storage/Storage.js"
import { Storage as StorageLayers } from "../../src/StorageLayers.js"
import { onEachEngine } from "../support/Engines.js"

const holder = "me"

const event = (id: string, lane: string): NewEvent => ({
  id,
  workItem: lane,
  lane: NormalizedKey(lane),
  body: `{"type":"task_completed","workItem":"${lane}"}`,
  stage: "done",
  urgent: true,
  occurredAt: EpochMillis(0),
  publishedAt: EpochMillis(0),
  project: "ET",
  unfit: undefined
})

/** What holds for every outbox, wherever its rows are kept. */
onEachEngine("Outbox", ({ dialect, hosts, storage }) => {
  const layer = Layer.provideMerge(Outbox.layer, storage)

  it.scoped("a bug that one event brings to light makes it a dead letter, and stops nobody", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("poison", "ET-1"))
      yield* outbox.publish(event("fine", "ET-2"))
      const plan = ({ key }: Owed): Step => {
        if (key === "ET-1") throw new Error("cannot read properties of undefined")
        return { _tag: "Look" }
      }
      const job = yield* outbox.turn({ holder, claim: { projects: ["ET", ""], urgentAfter: 1_000, plan } })
      assert.deepInclude(job, { _tag: "Look", key: "ET-2" })
      const [dead] = yield* outbox.events({ status: "dead", limit: 10 })
      assert.deepInclude(dead, { id: "poison", comment: "dead", state: "dead" })
      assert.match(dead?.reason ?? "", /a bug in plane-sync.*cannot read/)
    }).pipe(Effect.provide(layer)))

  it.scoped("one id twice at the same time, the second time unfit: the first stands, and nothing is a dead letter", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const unfit = { ...event("one", "ET-1"), body: "{}", lane: undefined, unfit: "no key" }
      const published = yield* Effect.forEach([event("one", "ET-1"), unfit, unfit], outbox.publish, {
        concurrency: "unbounded"
      })
      const first = published.findIndex(({ duplicate }) => !duplicate)
      assert.deepStrictEqual(published.map(({ duplicate }) => duplicate), [0, 1, 2].map((n) => n !== first))
      // Transactions of a host on Postgres are not in the order in which they began.
      const isFit = first === 0
      assert.isTrue(isFit || (dialect === "postgres" && hosts))
      assert.deepInclude(yield* outbox.status, isFit ? { pending: 1, dead: 0 } : { pending: 0, dead: 1 })
      assert.lengthOf(yield* outbox.deadLetters({ limit: 10 }), isFit ? 0 : 1)
    }).pipe(Effect.provide(layer)))

  it.scoped("a lane is claimed once, and again after it was settled", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      assert.strictEqual(yield* outbox.turn({ holder, claim }), undefined)
      assert.strictEqual(job?._tag, "Look")
      if (job?._tag !== "Look") return
      const again = yield* outbox.turn({
        holder,
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Later", dueAt: EpochMillis(0), counted: true, reason: "a time-out" }
        },
        claim
      })
      assert.deepInclude(again?.lane, { attempts: 1 })
    }).pipe(Effect.provide(layer)))

  it.scoped("a lane whose sum is wrong is corrected, and not claimed for ever", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { read, sql, write } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      yield* outbox.turn({ holder, claim })
      yield* write(sql`UPDATE plane_sync_event SET comment = 'delivered', state = 'none'`)
      yield* write(sql`UPDATE plane_sync_lane SET holder = NULL, due_at = 0`)
      assert.strictEqual(yield* outbox.turn({ holder, claim }), undefined)
      assert.deepStrictEqual(
        yield* read(sql`SELECT owed, due_at AS due FROM plane_sync_lane WHERE name = 'ET-1'`),
        [{ owed: 0, due: null }]
      )
    }).pipe(Effect.provide(layer)))

  it.scoped("of new work items that are due at the same moment, the one that was published first is told first", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      const keys = ["ET-9", "ET-1", "ET-5"].map((key) => NormalizedKey(key))
      for (const key of keys) yield* outbox.publish(event(key, key))
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const jobs = yield* Effect.replicateEffect(outbox.turn({ holder, claim }), keys.length)
      assert.deepStrictEqual(jobs.map((job) => job?.lane.name), keys)
    }).pipe(Effect.provide(layer)))

  it.scoped("a lane that waits is due from the first new event on, however many follow", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { read, sql } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("one", "ET-1"))
      const plan = (): Step => ({ _tag: "Wait", dueAt: EpochMillis(1_000_000) })
      assert.strictEqual(
        yield* outbox.turn({ holder, claim: { projects: ["ET", ""], urgentAfter: 1_000, plan } }),
        undefined
      )
      for (const [id, publishedAt] of [["two", 5], ["three", 9]] as const) {
        yield* outbox.publish({ ...event(id, "ET-1"), publishedAt: EpochMillis(publishedAt) })
        yield* outbox.fold({ holder })
      }
      assert.deepStrictEqual(yield* read(sql`SELECT due_at AS due FROM plane_sync_lane WHERE name = 'ET-1'`), [
        { due: 5 }
      ])
    }).pipe(Effect.provide(layer)))

  it.scoped("a former leader settles and claims nothing more", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql, write } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      if (job?._tag !== "Look") return assert.fail("a job")
      yield* write(sql`UPDATE plane_sync_sender SET holder = 'another'`)
      const lost = yield* Effect.flip(outbox.turn({
        holder,
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Later", dueAt: EpochMillis(0), counted: true, reason: "a time-out" }
        },
        claim
      }))
      assert.strictEqual(lost._tag, "LeadershipLost")
      assert.strictEqual(yield* outbox.nextDue(["ET", ""], 1_000), undefined)
    }).pipe(Effect.provide(layer)))

  it.scoped("a due time that was set before the clock was put back is due now", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      yield* outbox.publish(event("one", "ET-1"))
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
      const job = yield* outbox.turn({ holder, claim })
      if (job?._tag !== "Look") return assert.fail("a job")
      const tomorrow = 86_400_000
      yield* outbox.turn({
        holder,
        settlement: {
          _tag: "Looked",
          job,
          outcome: { _tag: "Later", dueAt: EpochMillis(tomorrow), counted: false, reason: "quiet" }
        }
      })
      assert.strictEqual(yield* outbox.nextDue(["ET", ""], 2 * tomorrow), tomorrow)
      assert.strictEqual(yield* outbox.nextDue(["ET", ""], 60_000), 0)
      assert.isDefined(yield* outbox.turn({ holder, claim }))
    }).pipe(Effect.provide(layer)))

  it.scoped("all dead letters of one code are retried or discarded, however many, a batch at a time", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      const events = Array.from({ length: 2 * deadLetterBatch(sql) + 1 }, (_, n) => event(`event-${n}`, "ET-1"))
      yield* Effect.forEach(events, outbox.publish, { concurrency: "unbounded", discard: true })
      const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }
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
    }).pipe(Effect.provide(layer)))

  const look = { projects: ["ET", ""], urgentAfter: 1_000, plan: (): Step => ({ _tag: "Look" }) }

  it.scoped("row 65: a retry of all of one code takes each once, also when they die again at once", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql } = yield* Storage
      yield* outbox.becomeLeader({ holder })
      const events = Array.from({ length: 3 * deadLetterBatch(sql) }, (_, n) => event(`event-${n}`, "ET-1"))
      yield* Effect.forEach(events, outbox.publish, { concurrency: "unbounded", discard: true })
      let deaths = 0
      const die = Effect.gen(function*() {
        const job = yield* outbox.turn({ holder, claim: look })
        if (job?._tag !== "Look") return
        const outcome = { _tag: "LaneDead", code: "not_found", reason: "nobody has it", gone: false } as const
        yield* outbox.turn({ holder, settlement: { _tag: "Looked", job, outcome } })
        deaths += 1
      })
      yield* die
      const dying = yield* Effect.fork(
        Effect.forever(Effect.zipRight(Effect.uninterruptible(die), Effect.yieldNow()))
      )
      assert.strictEqual(yield* outbox.retry({ code: "not_found" }), events.length + 1)
      yield* Fiber.interrupt(dying)
      yield* die
      // All are dead again, and the second time is as the first.
      assert.isAtLeast(deaths, 1)
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: events.length })
      assert.strictEqual(yield* outbox.retry({ code: "not_found" }), events.length + 1)
    }).pipe(Effect.provide(layer)))

  it.scoped("a published event is shown at once, whether or not it is folded into its lane yet", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.publish(event("one", "ET-1"))
      yield* outbox.publish({ ...event("two", "ET-1"), publishedAt: EpochMillis(5) })
      yield* outbox.publish({ ...event("unfit", "ET-1"), lane: undefined, unfit: "no key" })
      const shown = Effect.all([outbox.status, outbox.workItem(NormalizedKey("ET-1"), 10)])
      const [status, item] = yield* shown
      assert.deepInclude(status, { pending: 2, dead: 1, oldestAt: Option.some(DateTime.unsafeMake(0)) })
      assert.deepInclude(item, { owed: 2, dueAt: EpochMillis(0) })
      assert.strictEqual(yield* outbox.nextDue(["ET", ""], 1_000), 0)
      yield* outbox.becomeLeader({ holder })
      yield* outbox.fold({ holder })
      const [after, { lane, ...folded } = { lane: null }] = yield* shown
      assert.isNumber(lane)
      assert.deepStrictEqual([after, { ...folded, lane: null }], [status, item])
    }).pipe(Effect.provide(layer)))

  it.scoped("piled-up events are folded in the order of their sequence: of several stages the last is the latest", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder })
      const count = 2 * foldBatch + 7
      const events = Array.from({ length: count }, (_, n) => ({ ...event(`event-${n}`, "ET-1"), urgent: false }))
      const published = yield* Effect.forEach(events, outbox.publish, { concurrency: "unbounded" })
      const last = published.reduce(
        (last, { sequence }, n) => sequence > (published[last]?.sequence ?? 0) ? n : last,
        0
      )
      let latest: string | undefined
      yield* outbox.turn({
        holder,
        claim: {
          projects: ["ET", ""],
          urgentAfter: 1_000,
          plan: ({ state }) => {
            latest = state?.id
            return { _tag: "Look" }
          }
        }
      })
      assert.strictEqual(latest, `event-${last}`)
      assert.deepInclude(yield* outbox.workItem(NormalizedKey("ET-1"), 1), { owed: count })
    }).pipe(Effect.provide(layer)))

  it.scoped("a letter that is discarded before its event is folded is counted once", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.publish({ ...event("unfit", "ET-1"), lane: undefined, unfit: "no key" })
      yield* outbox.discard({ code: "unfit" })
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, discarded: 1 })
      yield* outbox.becomeLeader({ holder })
      assert.isUndefined(yield* outbox.turn({ holder, claim: look }))
      assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0, discarded: 1 })
    }).pipe(Effect.provide(layer)))
})

describe("Outbox", () => {
  it.scoped("folds what was new at the beginning, and does not wait until nobody publishes any more", () =>
    Effect.gen(function*() {
      const storage = yield* Storage
      const publishes = { count: 0, pile: Effect.void }
      // After each commit of the leader a batch of new events is there, ten times in all.
      const publishing = Storage.of({
        ...storage,
        write: (effect) => Effect.zipLeft(storage.write(effect), Effect.suspend(() => publishes.pile))
      })
      const context = yield* Layer.build(Layer.provide(Outbox.layer, Layer.succeed(Storage, publishing)))
      const outbox = Context.get(context, Outbox)
      yield* outbox.becomeLeader({ holder })
      const batch = Effect.suspend(() => {
        if (publishes.count === 10) return Effect.void
        publishes.count += 1
        const events = Array.from({ length: foldBatch }, (_, n) => event(`${publishes.count}-${n}`, "ET-1"))
        return Effect.orDie(Effect.forEach(events, outbox.publish, { concurrency: "unbounded", discard: true }))
      })
      yield* batch
      publishes.pile = batch
      yield* outbox.fold({ holder })
      assert.strictEqual(publishes.count, 2)
      yield* outbox.turn({ holder })
      assert.isBelow(publishes.count, 10)
    }).pipe(Effect.provide(StorageLayers.layerFile(":memory:"))))
})
