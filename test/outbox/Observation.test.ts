import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { EpochMillis, MonotonicMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { epochOf, PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey, NormalizedKey } from "../../src/domain/WorkItemKey.js"
import type { SendJob } from "../../src/outbox/Job.js"
import type { Observation } from "../../src/outbox/Observation.js"
import { observe as observeIn } from "../../src/outbox/Observation.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { Owed, Step } from "../../src/outbox/Plan.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { Storage } from "../../src/StorageLayers.js"

const layer = Layer.provideMerge(Outbox.layer, Storage.layerFile(":memory:"))
const holder = "me"
const uuid = ItemId("11111111-1111-4111-8111-111111111111")

const at = (second: number) => PlaneMoment(`2026-11-23T21:10:${String(second).padStart(2, "0")}.000000Z`)

const observation = (second: number, state: string, more: Partial<Observation> = {}): Observation => ({
  itemId: uuid,
  key: CanonicalKey("ET-2"),
  state: StateId(state),
  cancelled: state === "cancelled",
  completed: state === "done",
  updatedAt: at(second),
  receivedAt: epochOf(at(second)),
  isAside: false,
  ...more
})

const observe = (second: number, state: string, more?: Partial<Observation>) =>
  Effect.flatMap(Storage, ({ sql, write }) => write(observeIn(sql, observation(second, state, more))))

const publish = (stage: string, workItem = "ET-2") =>
  Effect.flatMap(Outbox, (outbox) => {
    const event: NewEvent = {
      id: `${workItem}-${stage}`,
      workItem,
      lane: NormalizedKey(workItem),
      body: JSON.stringify({ type: "stage_changed", workItem, from: "created", to: stage }),
      stage,
      urgent: false,
      occurredAt: EpochMillis(0),
      publishedAt: EpochMillis(0),
      project: "ET",
      unfit: undefined
    }
    return outbox.publish(event)
  })

const plan = ({ lane, state }: Owed): Step =>
  lane.itemId === null || state === undefined ? { _tag: "Look" } : {
    _tag: "Send",
    plan: {
      kind: "state",
      events: [state],
      externalId: null,
      body: "in-progress",
      failureKey: null,
      failures: 1,
      commentId: null
    }
  }

const claim = { projects: ["ET", ""], urgentAfter: 1_000, plan }

const claimed = Effect.flatMap(Outbox, (outbox) => outbox.turn({ holder, claim }))

// What an answer says of Plane's clock is compared with ours.
const leading = Effect.zipRight(
  TestClock.setTime(epochOf(at(10))),
  Effect.flatMap(Outbox, (outbox) => outbox.becomeLeader({ holder }))
)

const sending = Effect.flatMap(
  claimed,
  (job) => job?._tag === "Send" ? Effect.succeed(job) : Effect.dieMessage("a state to send")
)

const answered = (job: SendJob, state: string, second: number, more: { readonly unsent?: true } = {}) =>
  Effect.flatMap(Outbox, (outbox) =>
    outbox.turn({
      holder,
      settlement: {
        _tag: "Sent",
        job,
        outcome: {
          _tag: "Delivered",
          commentId: null,
          seen: {
            state: StateId(state),
            cancelled: false,
            completed: false,
            readAt: MonotonicMillis(0),
            updatedAt: at(second)
          },
          ...more
        }
      }
    }))

const tryAgain = (job: SendJob) =>
  Effect.flatMap(Outbox, (outbox) =>
    outbox.turn({
      holder,
      settlement: {
        _tag: "Sent",
        job,
        outcome: { _tag: "Later", dueAt: EpochMillis(0), counted: true, maybeDone: true, reason: "no answer" }
      }
    }))

const givenUp = (job: SendJob, code: "attempts" | "refused" = "attempts") =>
  Effect.flatMap(Outbox, (outbox) =>
    outbox.turn({
      holder,
      settlement: { _tag: "Sent", job, outcome: { _tag: "Dead", code, reason: "no answer" } }
    }))

describe("an observation of a work item by a hook", () => {
  it.effect("is news once: if it is not newer it is old, also with another state", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* observe(5, "in-progress"), "moved")
      assert.strictEqual(yield* observe(5, "in-progress"), "old")
      assert.strictEqual(yield* observe(4, "todo"), "old")
      assert.strictEqual(yield* observe(6, "in-progress"), "ours")
      assert.strictEqual(yield* observe(7, "cancelled"), "moved")
      assert.strictEqual(yield* observe(8, "in-progress"), "moved")
    }).pipe(Effect.provide(layer)))

  it.effect("is no news if its hook is about another change and nothing was heard before; the state's own hook still is news", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* observe(5, "in-progress", { isAside: true }), "old")
      assert.strictEqual(yield* observe(5, "in-progress"), "moved")
      assert.strictEqual(yield* observe(6, "cancelled", { isAside: true }), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("is our own echo before, while and after our PATCH is answered, and hours later", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "todo")
      yield* publish("development")
      const job = yield* sending
      assert.strictEqual(yield* observe(4, "in-progress"), "ours")
      yield* answered(job, "in-progress", 4)
      assert.strictEqual(yield* observe(4, "in-progress"), "old")
      // A comment of ours has changed the work item meanwhile.
      assert.strictEqual(yield* observe(5, "in-progress"), "ours")
    }).pipe(Effect.provide(layer)))

  it.scoped("is our own echo also when our PATCH never got an answer, until somebody moves the work item", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "todo")
      yield* publish("development")
      yield* givenUp(yield* sending)
      assert.strictEqual(yield* observe(2, "todo"), "ours")
      assert.strictEqual(yield* observe(3, "in-progress"), "ours")
      yield* publish("testing")
      yield* givenUp(yield* sending)
      assert.strictEqual(yield* observe(4, "cancelled"), "moved")
      assert.strictEqual(yield* observe(5, "in-progress"), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("is somebody's move when our unanswered PATCH was refused, or followed by an answered one", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "todo")
      yield* publish("development")
      yield* givenUp(yield* sending, "refused")
      assert.strictEqual(yield* observe(2, "in-progress"), "moved")
      yield* observe(3, "todo")
      yield* publish("testing")
      yield* givenUp(yield* sending)
      yield* publish("deploy")
      yield* answered(yield* sending, "done", 4)
      assert.strictEqual(yield* observe(5, "in-progress"), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("is somebody's move if its state is owed but was never sent", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "cancelled")
      yield* publish("development")
      assert.strictEqual(yield* observe(2, "in-progress"), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("a person's move between our PATCH and its answer stands, and the late echo is old", () =>
    Effect.gen(function*() {
      yield* leading
      const outbox = yield* Outbox
      yield* observe(1, "todo")
      yield* publish("development")
      const job = yield* sending
      assert.strictEqual(yield* observe(5, "cancelled"), "moved")
      yield* answered(job, "in-progress", 4)
      assert.strictEqual((yield* outbox.workItem(NormalizedKey("ET-2"), 1))?.state, "cancelled")
      assert.strictEqual(yield* observe(4, "in-progress"), "old")
    }).pipe(Effect.provide(layer)))

  it.scoped("a move that a look has seen first is still somebody's move when its hook comes", () =>
    Effect.gen(function*() {
      yield* leading
      const outbox = yield* Outbox
      yield* observe(1, "todo")
      yield* publish("development")
      const job = yield* sending
      const seen = {
        state: StateId("cancelled"),
        cancelled: true,
        completed: false,
        readAt: MonotonicMillis(0),
        updatedAt: at(5)
      }
      yield* outbox.turn({
        holder,
        settlement: { _tag: "Sent", job, outcome: { _tag: "Left", reason: "a person's", seen } }
      })
      assert.strictEqual(yield* observe(3, "todo"), "ours")
      assert.strictEqual((yield* outbox.workItem(NormalizedKey("ET-2"), 1))?.state, "cancelled")
      assert.strictEqual(yield* observe(5, "cancelled"), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("so is a move that a key's look-up has seen first, and a move that left nothing to send", () =>
    Effect.gen(function*() {
      yield* leading
      const outbox = yield* Outbox
      yield* publish("development")
      const look = yield* claimed
      if (look?._tag !== "Look") return assert.fail("a look-up")
      const seen = {
        state: StateId("in-progress"),
        cancelled: false,
        completed: false,
        readAt: MonotonicMillis(0),
        updatedAt: at(5)
      }
      yield* outbox.turn({
        holder,
        settlement: {
          _tag: "Looked",
          job: look,
          outcome: { _tag: "Found", itemId: uuid, key: CanonicalKey("ET-2"), seen }
        }
      })
      yield* answered(yield* sending, "in-progress", 5, { unsent: true })
      assert.strictEqual(yield* observe(5, "in-progress"), "moved")
    }).pipe(Effect.provide(layer)))

  it.scoped("is our own echo if our PATCH's answer was lost and a look found the state already set", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "todo")
      yield* publish("development")
      yield* tryAgain(yield* sending)
      yield* answered(yield* sending, "in-progress", 5, { unsent: true })
      assert.strictEqual(yield* observe(5, "in-progress"), "old")
    }).pipe(Effect.provide(layer)))

  it.scoped("binds a key that nobody has asked for without a look-up, but not one with leading zeros", () =>
    Effect.gen(function*() {
      yield* leading
      yield* observe(1, "todo")
      yield* publish("development", "ET-2")
      assert.deepInclude(yield* claimed, { _tag: "Send", itemId: uuid })
      yield* publish("development", "ET-002")
      assert.deepInclude(yield* claimed, { _tag: "Look", key: "ET-002" })
    }).pipe(Effect.provide(layer)))

  it.scoped("a look-up under way still moves the events, and the newer state stands", () =>
    Effect.gen(function*() {
      yield* leading
      const outbox = yield* Outbox
      yield* publish("development")
      const job = yield* claimed
      if (job?._tag !== "Look") return assert.fail("a look-up")
      yield* observe(5, "cancelled")
      const seen = {
        state: StateId("todo"),
        cancelled: false,
        completed: false,
        readAt: MonotonicMillis(0),
        updatedAt: at(4)
      }
      yield* outbox.turn({
        holder,
        settlement: { _tag: "Looked", job, outcome: { _tag: "Found", itemId: uuid, key: CanonicalKey("ET-2"), seen } }
      })
      assert.deepInclude(yield* outbox.workItem(NormalizedKey("ET-2"), 1), {
        itemId: uuid,
        state: StateId("cancelled"),
        owed: 1
      })
      assert.deepInclude(yield* claimed, { _tag: "Send", itemId: uuid })
    }).pipe(Effect.provide(layer)))
})
