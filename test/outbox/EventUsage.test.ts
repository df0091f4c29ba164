import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Layer } from "effect"
import { EpochMillis, MonotonicMillis } from "../../src/base/Time.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { CommentId, ItemId, LaneId } from "../../src/domain/Ids.js"
import type { Usage } from "../../src/domain/Usage.js"
import { byModel, cleanUsage } from "../../src/domain/Usage.js"
import { CanonicalKey, NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { addLaneUsage, readUsed, usageOfItem, usedOf } from "../../src/outbox/EventUsage.js"
import type { Job } from "../../src/outbox/Job.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { Settlement } from "../../src/outbox/Outcome.js"
import { nextStep } from "../../src/sending/NextStep.js"
import { Storage } from "../../src/storage/Storage.js"
import { inMemory, onEachDialect } from "../support/Engines.js"

const seen = { state: null, cancelled: false, completed: false, readAt: MonotonicMillis(0), updatedAt: null }

const items = {
  "ET-2": { itemId: ItemId("two"), key: CanonicalKey("ET-2") },
  "ET-002": { itemId: ItemId("two"), key: CanonicalKey("ET-2") },
  "ET-3": { itemId: ItemId("three"), key: CanonicalKey("ET-3") }
}
type Key = keyof typeof items

const isKey = (name: string): name is Key => name in items

const claim = {
  projects: ["ET", ""],
  urgentAfter: "1 minutes",
  plan: nextStep({
    stages: new Map(),
    states: () => new Map(),
    comments: "each",
    setting: "the table",
    texts: defaultTexts,
    pipeline: [],
    linkAddress: Either.right
  })
} as const

let events = 0

const publish = (key: Key, usage: Usage | undefined, id = `event-${(events += 1)}`) =>
  Effect.flatMap(Outbox, (outbox) =>
    outbox.publish({
      id,
      workItem: key,
      lane: NormalizedKey(key),
      body: JSON.stringify({ type: "task_completed", workItem: key, usage }),
      stage: undefined,
      urgent: true,
      occurredAt: EpochMillis(1),
      publishedAt: EpochMillis(1),
      project: "ET",
      unfit: undefined,
      usage
    }))

const settled = (job: Job): Settlement => {
  if (job._tag === "Look" && isKey(job.key)) {
    return { _tag: "Looked", job, outcome: { _tag: "Found", ...items[job.key], seen } }
  }
  if (job._tag === "Send") {
    const commentId = CommentId(`comment ${job.delivery.id}`)
    return { _tag: "Sent", job, outcome: { _tag: "Delivered", commentId, seen: undefined } }
  }
  return assert.fail(`nobody expected ${JSON.stringify(job)}`)
}

/** Brings all that is owed to Plane, where each key is found. */
const tellAll = Effect.scoped(Effect.gen(function*() {
  const outbox = yield* Outbox
  yield* outbox.becomeLeader({ holder: "me" })
  let settlement: Settlement | undefined
  for (;;) {
    const job: Job | undefined = yield* outbox.turn({ holder: "me", claim, settlement })
    if (job === undefined) return
    settlement = settled(job)
  }
}))

const fold = Effect.scoped(Effect.gen(function*() {
  const outbox = yield* Outbox
  yield* outbox.becomeLeader({ holder: "me" })
  yield* outbox.fold({ holder: "me" })
}))

/** What is known of a work item, by its item id, if that is known, and its key. */
const used = (key: Key, itemId: ItemId | null = null) =>
  Effect.flatMap(Storage, ({ read, sql }) =>
    Effect.map(
      read(sql<{ used: string }>`SELECT ${usageOfItem(sql, sql.literal("t.item"), sql.literal("t.key"))} AS used
        FROM (SELECT CAST(${itemId} AS text) AS item, CAST(${key} AS text) AS key) t`),
      ([row]) => usedOf(row?.used ?? "[]")
    ))

const sonnet = { model: "sonnet", inputTokens: 1_000, costUsd: 0.1 }
const times = (count: number) => ({ model: "sonnet", inputTokens: count * 1_000, costUsd: count / 10 })

onEachDialect("what events have used", ({ database }) => {
  const opened = Effect.map(database, (storage) => {
    const layer = Layer.provideMerge(Outbox.layer, storage)
    return <A, E>(use: Effect.Effect<A, E, Outbox | Storage>) => Effect.provide(use, Layer.fresh(layer))
  })

  it.scopedLive("is summed by work item over its spellings, each event once, and known before it is folded", () =>
    Effect.flatMap(opened, (open) =>
      open(Effect.gen(function*() {
        assert.deepStrictEqual(yield* used("ET-2"), [])
        yield* publish("ET-2", sonnet)
        yield* publish("ET-2", sonnet, "the same")
        yield* publish("ET-2", undefined)
        yield* publish("ET-3", { outputTokens: 7 })
        assert.deepStrictEqual(yield* used("ET-2"), [times(2)])
        yield* fold
        yield* publish("ET-2", sonnet, "the same")
        yield* publish("ET-2", { model: "opus", costUsd: 2 })
        assert.deepStrictEqual(yield* used("ET-2"), [{ model: "opus", costUsd: 2 }, times(2)])
        // Until it is looked up, nobody knows whose this is.
        yield* publish("ET-002", sonnet)
        yield* fold
        assert.deepStrictEqual(yield* used("ET-002"), [times(1)])
        yield* tellAll
        const opus = { model: "opus", costUsd: 2 }
        const all = [opus, times(3)]
        for (const key of ["ET-2", "ET-002"] as const) {
          assert.deepStrictEqual(yield* used(key), all)
          assert.deepStrictEqual(yield* used(key, items[key].itemId), all)
        }
        yield* publish("ET-002", sonnet)
        assert.deepStrictEqual(yield* used("ET-2", items["ET-2"].itemId), [opus, times(4)])
        assert.deepStrictEqual(yield* used("ET-3"), [{ outputTokens: 7 }])
        // A key that was found to be another work item than the one that is asked for.
        assert.deepStrictEqual(yield* used("ET-3", items["ET-2"].itemId), [opus, times(4)])
      }))))

  it.scopedLive("stays when the events are deleted and the process begins anew", () =>
    Effect.gen(function*() {
      const open = yield* opened
      yield* open(Effect.gen(function*() {
        yield* publish("ET-2", sonnet)
        yield* publish("ET-002", sonnet)
        yield* tellAll
        const outbox = yield* Outbox
        yield* outbox.prune(EpochMillis(2))
        assert.deepStrictEqual(yield* outbox.events({ limit: 10 }), [])
      }))
      yield* open(Effect.gen(function*() {
        assert.deepStrictEqual(yield* used("ET-2"), [times(2)])
        yield* publish("ET-2", sonnet)
        yield* tellAll
        assert.deepStrictEqual(yield* used("ET-2"), [times(3)])
        const outbox = yield* Outbox
        const { deliveries = [] } = (yield* outbox.workItem(NormalizedKey("ET-2"), 1)) ?? {}
        assert.deepStrictEqual(deliveries.map(({ body }) => body), [
          "<p>✅ Task completed! PR merged and deployed.</p><ul><li>Usage: 3,000 tokens in, $0.30, sonnet</li></ul>"
        ])
      }))
    }))

  it.scopedLive("stays at what a number can be", () =>
    Effect.flatMap(opened, (open) =>
      open(Effect.gen(function*() {
        const { read, sql, write } = yield* Storage
        const lane = LaneId(1)
        const usage = { inputTokens: Number.MAX_SAFE_INTEGER - 1 }
        yield* write(addLaneUsage(sql, [{ lane, usage }]))
        yield* write(addLaneUsage(sql, [{ lane, usage: { inputTokens: 1, outputTokens: 5 } }]))
        yield* write(addLaneUsage(sql, [{ lane, usage }, { lane, usage }]))
        assert.deepStrictEqual(yield* read(readUsed(sql, lane)), [{
          inputTokens: Number.MAX_SAFE_INTEGER,
          outputTokens: 5
        }])
      }))))
})

const usage: FastCheck.Arbitrary<Usage> = FastCheck.record({
  model: FastCheck.constantFrom("opus", "sonnet"),
  inputTokens: FastCheck.integer({ min: 0, max: 1e12 }),
  costUsd: FastCheck.integer({ min: 0, max: 1e12 }).map((micros) => micros / 1e6)
}, { requiredKeys: [] }).filter((one) => Object.keys(one).length > 0)

const step = FastCheck.oneof(
  {
    weight: 6,
    arbitrary: FastCheck.record({
      key: FastCheck.constantFrom("ET-2" as const, "ET-002" as const, "ET-3" as const),
      usage: FastCheck.option(usage, { nil: undefined })
    })
  },
  { weight: 1, arbitrary: FastCheck.constant("fold" as const) },
  { weight: 1, arbitrary: FastCheck.constant("tell" as const) }
)

describe("what events have used", () => {
  it.live(
    "is the same in whatever order they come, are folded and are told",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 30 }), (steps) =>
            Effect.gen(function*() {
              const given = new Map<ItemId, Array<Usage>>()
              for (const one of steps) {
                if (one === "fold") yield* fold
                else if (one === "tell") yield* tellAll
                else {
                  yield* publish(one.key, one.usage)
                  const { itemId } = items[one.key]
                  if (one.usage !== undefined) given.set(itemId, [...given.get(itemId) ?? [], cleanUsage(one.usage)])
                }
              }
              yield* tellAll
              for (const key of ["ET-2", "ET-3"] as const) {
                assert.deepStrictEqual(yield* used(key), byModel(given.get(items[key].itemId) ?? []))
              }
            }).pipe(
              Effect.provide(Layer.fresh(Layer.provideMerge(Outbox.layer, inMemory.storage))),
              Effect.runPromise
            )),
          { numRuns: 25 }
        )
      ),
    60_000
  )
})
