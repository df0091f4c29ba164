/**
 * Lets a TestClock wake a sleeper without starting a fiber that would warn, after five real seconds, of one that does
 * not suspend. It looks at supervised fibers, and `it.effect` supervises none, so it always finds at once that all are
 * suspended. What is left of its wait is what counts: three turns of the event loop, in which everybody else goes on.
 */
import { Effect } from "effect"
import * as TestClock from "effect/TestClock"

const threeTurns = Effect.async<void>((resume) => {
  setImmediate(() => setImmediate(() => setImmediate(() => resume(Effect.void))))
})

const clock: unknown = Reflect.get(TestClock, "TestClockImpl")
const prototype: unknown = typeof clock === "function" ? Reflect.get(clock, "prototype") : undefined
if (typeof prototype !== "object" || prototype === null || !("awaitSuspended" in prototype)) {
  throw new Error("Effect's TestClock is made otherwise now: look at what it waits for before it wakes a sleeper")
}
Reflect.set(prototype, "awaitSuspended", () => threeTurns)
