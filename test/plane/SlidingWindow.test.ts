import { assert, describe, it } from "@effect/vitest"
import { Duration, FastCheck } from "effect"
import { MonotonicMillis } from "../../src/base/Time.js"
import * as SlidingWindow from "../../src/plane/SlidingWindow.js"

const start = (requests: number) => SlidingWindow.make({ requests, window: Duration.minutes(1) })
const at = (window: SlidingWindow.SlidingWindow, time: number) => SlidingWindow.advance(window, MonotonicMillis(time))

const wait = (window: SlidingWindow.SlidingWindow) => Duration.toMillis(SlidingWindow.wait(window))
const pause = (window: SlidingWindow.SlidingWindow) => Duration.toMillis(SlidingWindow.pause(window))

/** A request that Plane answers at once. */
const request = (window: SlidingWindow.SlidingWindow, ending: SlidingWindow.Ending = { status: 200 }) => {
  const [after, admission] = SlidingWindow.admit(window)
  return SlidingWindow.end(after, admission, ending)
}

describe("SlidingWindow", () => {
  it("keeps a slot for a window and a margin after the end of its request", () => {
    const window = request(at(start(1), 700))
    assert.strictEqual(wait(window), 60_250)
    assert.strictEqual(wait(at(window, 700 + 60_249)), 1)
    assert.strictEqual(SlidingWindow.used(at(window, 700 + 60_249)), 1)
    assert.strictEqual(wait(at(window, 700 + 60_250)), 0)
    assert.strictEqual(SlidingWindow.used(at(window, 700 + 60_250)), 0)
  })

  it("never changes the value that it is given", () => {
    const window = request(start(5))
    const frozen = JSON.stringify(window)
    request(at(window, 100), { status: 429 })
    request(window, { status: 200, remaining: 0 })
    assert.strictEqual(JSON.stringify(window), frozen)
  })

  it("has one entry for what comes free at the same millisecond, and forgets what has come free", () => {
    let window = at(start(1_000), 0)
    for (let i = 0; i < 100; i++) window = request(window)
    assert.strictEqual(window.expiries.length, 1)
    assert.strictEqual(SlidingWindow.used(window), 100)
    for (let i = 1; i <= 99; i++) window = request(at(window, i))
    assert.strictEqual(window.expiries.length, 100)
    assert.deepStrictEqual(at(window, 120_000).expiries, [])
  })

  it("has slots that are kept: others do not get them, and those that go first get no others", () => {
    let window = request(SlidingWindow.make({ requests: 5, window: Duration.minutes(1) }, 2))
    const waitKept = () => Duration.toMillis(SlidingWindow.wait(window, "kept"))
    window = request(request(window))
    assert.deepStrictEqual([wait(window), waitKept()], [60_250, 0])
    let [, admission] = SlidingWindow.admit(window)
    for (const seconds of [10, 20]) {
      ;[window, admission] = SlidingWindow.admit(at(window, seconds * 1_000), "kept")
      window = SlidingWindow.end(window, admission, { status: 200 })
    }
    assert.strictEqual(SlidingWindow.used(window), 5)
    assert.deepStrictEqual([wait(window), waitKept()], [40_250, 50_250])
    window = at(window, 60_250)
    // All of the others are free again, and the kept ones are not.
    assert.deepStrictEqual([wait(window), waitKept()], [0, 10_000])
    ;[window, admission] = SlidingWindow.admit(at(window, 70_250), "kept")
    assert.strictEqual(waitKept(), 10_000)
    // What was not sent, or does not count, gives its slot back.
    for (const end of [SlidingWindow.release, (w: typeof window) => SlidingWindow.end(w, admission, { status: 401 })]) {
      window = end(window, admission)
      assert.strictEqual(waitKept(), 0)
      ;[window, admission] = SlidingWindow.admit(window, "kept")
    }
  })

  it("lets one go alone until Plane itself has answered, and after each 429", () => {
    let [window, admission] = SlidingWindow.admit(start(60))
    assert.strictEqual(wait(window), Infinity)
    for (const ending of [{}, { status: 502 }, { status: 401 }]) {
      window = SlidingWindow.end(window, admission, ending)
      assert.strictEqual(wait(window), 0)
      ;[window, admission] = SlidingWindow.admit(window)
      assert.strictEqual(wait(window), Infinity)
    }
    window = SlidingWindow.end(window, admission, { status: 200, remaining: 30 })
    ;[window, admission] = SlidingWindow.admit(window)
    assert.strictEqual(wait(window), 0)
    window = SlidingWindow.end(window, admission, { status: 429, retryAfter: Duration.millis(3_000) })
    assert.strictEqual(wait(window), 3_000)
    assert.strictEqual(wait(SlidingWindow.admit(at(window, 3_000))[0]), Infinity)
  })

  it("has the longest of several pauses, and the window's length where a 429 does not say", () => {
    const [one, first] = SlidingWindow.admit(request(start(60)))
    const [two, second] = SlidingWindow.admit(one)
    const window = SlidingWindow.end(
      SlidingWindow.end(two, first, { status: 429, retryAfter: Duration.millis(57_000) }),
      second,
      { status: 429, retryAfter: Duration.millis(56_000) }
    )
    assert.strictEqual(pause(window), 57_000)
    assert.strictEqual(pause(at(window, 57_000)), 0)
    assert.strictEqual(pause(request(start(60), { status: 429 })), 60_000)
  })

  it("goes on when the clock is set back", () => {
    let window = request(at(start(1), 3_600_000))
    window = at(window, 0)
    assert.strictEqual(wait(window), 60_250)
    window = at(window, 0)
    assert.strictEqual(wait(at(window, 60_249)), 1)
    assert.strictEqual(wait(at(window, 60_250)), 0)
  })
})

interface Flight {
  readonly admission: SlidingWindow.Admission
  readonly arrived: number
}

/** What a caller does next: how much later, and whether it ends a request or sends one, if it may. */
const action = FastCheck.record({
  after: FastCheck.oneof(FastCheck.nat({ max: 50 }), FastCheck.nat({ max: 30_000 })),
  sends: FastCheck.boolean(),
  which: FastCheck.nat(),
  status: FastCheck.constantFrom(undefined, 200, 200, 200, 404, 409, 500, 502),
  remaining: FastCheck.option(FastCheck.integer({ min: -5, max: 70 }), { nil: undefined })
})

const run = FastCheck.record({
  limit: FastCheck.integer({ min: 1, max: 20 }),
  actions: FastCheck.array(action, { maxLength: 300 })
})

describe("SlidingWindow, whatever happens", () => {
  it("admits no more than the limit within any window and its margin", () => {
    FastCheck.assert(
      FastCheck.property(run, ({ actions, limit }) => {
        let window = start(limit)
        let time = 0
        const flights: Array<Flight> = []
        // The moments between which Plane can have counted each request. A request in flight may be counted at any
        // time.
        const ended: Array<number> = []
        for (const { after, remaining, sends, status, which } of actions) {
          time += after
          window = at(window, time)
          if (sends && wait(window) === 0) {
            const [admitted, admission] = SlidingWindow.admit(window)
            window = admitted
            flights.push({ admission, arrived: time })
          } else if (flights.length > 0) {
            const [flight] = flights.splice(which % flights.length, 1)
            if (flight === undefined) continue
            window = SlidingWindow.end(window, flight.admission, { status, remaining })
            ended.push(time)
          }
          const counted = flights.length + ended.filter((end) => end > time - 60_250).length
          assert.isAtMost(counted, limit)
          assert.isAtLeast(SlidingWindow.used(window), counted)
          assert.strictEqual(window.inFlight, flights.length)
        }
      })
    )
  })

  it("is made smaller by what Plane says remains, and never larger", () => {
    FastCheck.assert(
      FastCheck.property(run, FastCheck.integer({ min: -5, max: 70 }), ({ actions, limit }, remaining) => {
        let window = start(limit)
        let time = 0
        const flights: Array<SlidingWindow.Admission> = []
        for (const { after, sends } of actions) {
          time += after
          window = at(window, time)
          if (sends && wait(window) === 0) {
            const [admitted, admission] = SlidingWindow.admit(window)
            window = admitted
            flights.push(admission)
          } else {
            const admission = flights.shift()
            if (admission === undefined) continue
            const untold = SlidingWindow.end(window, admission, { status: 200 })
            const told = SlidingWindow.end(window, admission, { status: 200, remaining })
            assert.isAtLeast(SlidingWindow.used(told), SlidingWindow.used(untold))
            assert.isAtLeast(wait(told), wait(untold))
            assert.isAtMost(SlidingWindow.used(told), Math.max(limit, SlidingWindow.used(untold)))
            window = told
          }
        }
      })
    )
  })

  it("keeps its sum, and its entries in order", () => {
    FastCheck.assert(
      FastCheck.property(run, ({ actions, limit }) => {
        let window = start(limit)
        let time = 0
        for (const { after, remaining, status } of actions) {
          time += after
          window = at(window, time)
          if (wait(window) === 0) window = request(window, { status, remaining })
          assert.strictEqual(window.expiries.reduce((sum, { count }) => sum + count, 0), window.expiring)
          assert.deepStrictEqual(
            window.expiries.map(({ at }) => at),
            [...new Set(window.expiries.map(({ at }) => at))].sort((a, b) => a - b)
          )
          assert.isTrue(window.expiries.every(({ at }) => at > time && at <= time + 60_250))
        }
      })
    )
  })
})
