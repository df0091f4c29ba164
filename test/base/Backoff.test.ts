import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Random, TestClock } from "effect"
import { backoff } from "../../src/base/Backoff.js"

describe("backoff", () => {
  // A fiber that fails at every attempt and sleeps as a lane does, from nothing but the count.
  const attempts = (count: number, jitter: number, retryAfter?: Duration.Duration) =>
    Effect.gen(function*() {
      const moments: Array<number> = []
      const start = yield* Clock.currentTimeMillis
      const lane = yield* Effect.fork(Effect.gen(function*() {
        for (let failures = 1; failures <= count; failures++) {
          moments.push((yield* Clock.currentTimeMillis) - start)
          yield* Effect.sleep(yield* backoff(failures, { max: "1 minutes", retryAfter }))
        }
      }))
      yield* TestClock.adjust("1 hours")
      yield* Fiber.join(lane)
      return moments
    }).pipe(Effect.withRandom(Random.fixed([jitter])))

  it.effect("attempts at 0, 1, 3, 7, 15, 31, 63 s and then every minute, in the middle of the jitter", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* attempts(9, 0.5),
        [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000]
      )
    }))

  it.effect("is a fifth shorter at the least and a fifth longer at the most, but never above the maximum", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts(4, 0), [0, 800, 2_400, 5_600])
      assert.deepStrictEqual(
        yield* attempts(9, 1),
        [0, 1_200, 3_600, 8_400, 18_000, 37_200, 75_600, 135_600, 195_600]
      )
    }))

  it.effect("waits as long as Retry-After says, also beyond the maximum, and not less than the backoff", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts(3, 0.5, Duration.seconds(90)), [0, 90_000, 180_000])
      assert.deepStrictEqual(yield* attempts(4, 0.5, Duration.millis(1_500)), [0, 1_500, 3_500, 7_500])
    }))

  it.effect("works for any stored count", () =>
    Effect.gen(function*() {
      for (const count of [-1, 0, 1.5, 1_000_000, Infinity]) {
        const delay = Duration.toMillis(yield* backoff(count, { max: "1 minutes" }))
        assert.isAtLeast(delay, 800)
        assert.isAtMost(delay, 60_000)
      }
    }))
})
