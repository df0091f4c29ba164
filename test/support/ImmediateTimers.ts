/**
 * Lets a timer of 0 ms fire as soon as what is pending is done, and not only after the 1 ms that Node makes of it.
 * Effect's TestClock waits for four of them before each sleeper that it wakes, which was half of what the tests on its
 * time took.
 */
const later = globalThis.setTimeout
const cancel = globalThis.clearTimeout

// This file runs before each test file, also where these share a process.
const done = Symbol.for("plane-sync/ImmediateTimers")

const immediates = new WeakMap<object, NodeJS.Immediate>()

if (!Reflect.has(globalThis, done)) {
  Reflect.set(globalThis, done, true)

  Reflect.set(
    globalThis,
    "setTimeout",
    (run: (...args: Array<unknown>) => void, millis?: number, ...args: Array<unknown>) => {
      if (millis !== 0) return later(run, millis, ...args)
      const immediate = setImmediate(run, ...args)
      immediates.set(immediate, immediate)
      return immediate
    }
  )

  Reflect.set(globalThis, "clearTimeout", (timer?: NodeJS.Timeout | string | number) => {
    const immediate = typeof timer === "object" ? immediates.get(timer) : undefined
    if (immediate === undefined) cancel(timer)
    else clearImmediate(immediate)
  })
}
