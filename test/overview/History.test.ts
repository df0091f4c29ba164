import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, DateTime, Duration, Effect, Layer, Option, TestClock } from "effect"
import { metrics } from "../../src/metrics/Metrics.js"
import { makeStopwatch } from "../../src/metrics/Stopwatch.js"
import { History } from "../../src/overview/History.js"
import { quantile } from "../../src/overview/Quantile.js"
import type { ProjectStatus } from "../../src/sending/PlaneSync.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"

const closedTime = makeStopwatch((seconds) => metrics.closed.add({ project: "ET" }, seconds))

const unasked = Effect.dieMessage("nobody asks for this")

const open: ProjectStatus = {
  identifier: "ET",
  destination: { open: true },
  wroteAt: Option.none(),
  budget: { limit: 60, used: 0, waiting: 0, pausedUntil: Option.none(), nextFreeAt: Option.none() },
  misfit: Option.none()
}

/** A Plane that is closed and opened by hand. */
const sending = Layer.succeed(PlaneSync, {
  projects: Effect.as(
    closedTime.lap,
    Arr.of(open)
  ),
  probe: unasked,
  outbox: unasked,
  left: unasked,
  storageFailure: unasked,
  settled: unasked
})

const publish = (events: number) =>
  Effect.sync(() => {
    metrics.events.add({ kind: "stage_changed", outcome: "stored" }, events)
  })

const tell = (seconds: ReadonlyArray<number>) =>
  Effect.sync(() => {
    for (const took of seconds) {
      metrics.told.observe({}, took)
      metrics.deliveries.add({ kind: "comment", outcome: "done" })
    }
  })

const withHistory = Effect.provide(Layer.provide(History.layer, sending))

const read = Effect.flatMap(History, ({ read }) => read)

describe("the history", () => {
  it.effect("has what happened in each five minutes, and in those that are not over yet", () =>
    Effect.gen(function*() {
      yield* publish(3)
      yield* tell([0.15, 0.15, 0.15, 4])
      yield* TestClock.adjust("5 minutes")
      yield* TestClock.adjust("5 minutes")
      yield* publish(1)
      yield* TestClock.adjust("1 minute")
      const { bucketSeconds, buckets, since } = yield* read
      assert.strictEqual(bucketSeconds, 300)
      assert.strictEqual(DateTime.toEpochMillis(since), 0)
      assert.deepStrictEqual(buckets.map(({ at }) => DateTime.toEpochMillis(at) / 60_000), [0, 5, 10])
      assert.deepStrictEqual(buckets.map(({ events }) => events), [3, 0, 1])
      assert.deepStrictEqual(buckets.map(({ told }) => told), [4, 0, 0])
      const [first, second] = buckets
      assert.isTrue(first !== undefined && within(first.p50Seconds, 0.1, 0.2) && within(first.p99Seconds, 3, 5))
      assert.deepInclude(second, { p50Seconds: null, p99Seconds: null })
    }).pipe(withHistory))

  it.effect("has for how long Plane was closed, also while it is, and a closing that was over before it was looked", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 minute")
      yield* closedTime.start
      yield* TestClock.adjust("30 seconds")
      yield* closedTime.stop
      yield* TestClock.adjust("210 seconds")
      yield* TestClock.adjust("1 minute")
      yield* closedTime.start
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual((yield* read).buckets.map(({ closedSeconds }) => closedSeconds), [30, 120])
      yield* TestClock.adjust("2 minutes")
      yield* TestClock.adjust("1 minute")
      yield* closedTime.stop
      assert.deepStrictEqual((yield* read).buckets.map(({ closedSeconds }) => closedSeconds), [30, 240, 60])
    }).pipe(withHistory))

  it.effect("goes back for 24 hours, and not further", () =>
    Effect.gen(function*() {
      yield* publish(7)
      yield* TestClock.adjust("5 minutes")
      yield* publish(8)
      yield* TestClock.adjust(Duration.minutes(23 * 60 + 50))
      const day = yield* read
      assert.lengthOf(day.buckets, 288)
      assert.deepStrictEqual([day.buckets[0]?.events, day.buckets[1]?.events], [7, 8])
      yield* TestClock.adjust("5 minutes")
      const later = yield* read
      assert.lengthOf(later.buckets, 288)
      assert.strictEqual(later.buckets[0]?.events, 8)
      assert.strictEqual(DateTime.toEpochMillis(later.since), Duration.toMillis("5 minutes"))
    }).pipe(withHistory))
})

const within = (value: number | null, from: number, to: number) => value !== null && value >= from && value <= to

describe("a quantile of a histogram", () => {
  it("is between the bounds of the bucket that it is in", () => {
    const buckets = [[1, 50], [2, 100], [Infinity, 100]] as const
    assert.strictEqual(quantile(buckets, 0.5), 1)
    assert.strictEqual(quantile(buckets, 0.75), 1.5)
    assert.strictEqual(quantile(buckets, 0.25), 0.5)
    assert.strictEqual(quantile([[1, 0], [2, 0], [5, 4], [Infinity, 4]], 0.5), 3.5)
  })

  it("is the last bound for what is beyond it, and nothing where nothing was observed", () => {
    assert.strictEqual(quantile([[1, 0], [2, 0], [Infinity, 3]], 0.5), 2)
    assert.isNull(quantile([[1, 0], [Infinity, 0]], 0.5))
    assert.isNull(quantile([], 0.5))
  })
})
