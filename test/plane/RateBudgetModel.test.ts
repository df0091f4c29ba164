import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, FastCheck, Fiber, Random, Ref } from "effect"
import { makeRateBudget, RateBudget } from "../../src/plane/RateBudget.js"
import { withVirtualTime } from "./VirtualTime.js"

/**
 * Plane's throttle: the moments at which requests of this key arrived; 429 once there are `limit` in the last window.
 */
const arrivals = (limit: number, window: number, before: number) => {
  // From before our start, a second apart.
  const log = Array.from({ length: before }, (_, i) => (i - before) * 1_000)
  return Effect.map(Clock.currentTimeMillis, (now) => {
    while (log[0] !== undefined && log[0] <= now - window) log.shift()
    if (log.length >= limit) return { status: 429, remaining: undefined }
    log.push(now)
    return { status: 200, remaining: limit - log.length }
  })
}

const scenario = FastCheck.record({
  limit: FastCheck.integer({ min: 1, max: 60 }),
  fibers: FastCheck.integer({ min: 1, max: 12 }),
  latency: FastCheck.integer({ min: 0, max: 12_000 }),
  // How many of a hundred requests reach Plane and get no answer before the deadline.
  lost: FastCheck.integer({ min: 0, max: 40 }),
  // Requests of ours before a restart. Were there as many as the limit, the very first would have to be refused.
  before: FastCheck.constant(0),
  seed: FastCheck.string(),
  // How many of the slots are kept, and whether the first caller takes only those.
  kept: FastCheck.nat({ max: 12 })
})

// What was sent before can show only in an answer.
const restart = FastCheck.record({
  limit: FastCheck.integer({ min: 1, max: 60 }),
  fibers: FastCheck.integer({ min: 1, max: 12 }),
  latency: FastCheck.integer({ min: 0, max: 4_900 }),
  lost: FastCheck.constant(0),
  before: FastCheck.nat({ max: 59 }),
  seed: FastCheck.string(),
  kept: FastCheck.nat({ max: 12 })
})

const deadline = 10_000
const window = 60_000
const length = Duration.minutes(10)

/** `fibers` callers send as fast as they may for ten minutes. The counts of Plane's answers. */
const run = (
  { before, fibers, kept, latency, limit, lost, seed }: typeof scenario extends FastCheck.Arbitrary<infer A> ? A : never
) =>
  Effect.gen(function*() {
    const budget = yield* RateBudget
    const plane = arrivals(limit, window, Math.min(before, limit - 1))
    const counts = yield* Ref.make({ taken: 0, refused: 0 })
    const one = (admit: typeof budget.admitKept) =>
      Effect.gen(function*() {
        const slot = yield* admit
        const there = yield* Random.nextIntBetween(0, latency + 1)
        const back = yield* Random.nextIntBetween(0, latency + 1)
        const isLost = (yield* Random.nextIntBetween(0, 100)) < lost
        yield* Effect.sleep(Math.min(there, deadline))
        const answer = yield* plane
        yield* Ref.update(
          counts,
          ({ refused, taken }) =>
            answer.status === 429 ? { taken, refused: refused + 1 } : { taken: taken + 1, refused }
        )
        yield* Effect.sleep(isLost ? deadline - Math.min(there, deadline) : back)
        yield* slot.answered(isLost || there + back > deadline ? {} : answer)
      })
    const callers = yield* Effect.forkAll([
      Effect.forever(one(budget.admitKept)),
      ...Effect.replicate(Effect.forever(one(budget.admit())), fibers)
    ])
    yield* Effect.sleep(length)
    yield* Fiber.interrupt(callers)
    return yield* counts
  }).pipe(
    Effect.withRandom(Random.make(seed)),
    Effect.provideServiceEffect(
      RateBudget,
      makeRateBudget({ requests: limit, window: Duration.millis(window) }, Math.min(kept, limit - 1))
    ),
    withVirtualTime
  )

describe("RateBudget against Plane's log of arrivals", () => {
  it("provokes no 429 with the API token to itself, whatever the latencies and the losses", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.oneof(scenario, restart), async (given) => {
        const { refused } = await Effect.runPromise(run(given))
        assert.strictEqual(refused, 0)
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 25) }
    )
  }, 60_000)

  it.each([0, 50, 400])("comes close to the limit with latencies up to %i ms each way", async (latency) => {
    const { taken } = await Effect.runPromise(
      run({ limit: 60, fibers: 8, latency, lost: 0, before: 0, seed: "throughput", kept: 0 })
    )
    // 10 windows of 60 s + 250 ms + the latency.
    assert.isAtLeast(taken, 60 * 9)
    assert.isAtMost(taken, 60 * 10)
  })
})
