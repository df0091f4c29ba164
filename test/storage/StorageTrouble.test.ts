import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, TestClock } from "effect"
import type { StorageReason } from "../../src/storage/StorageError.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { makeStorageTrouble } from "../../src/storage/StorageTrouble.js"

const trouble = (reason: StorageReason) => new StorageError({ reason, where: "a file", words: "no" })

/** An effect that fails as it is told to, and counts how often it is run. */
const settable = () => {
  const state = { error: undefined as StorageError | undefined, runs: 0 }
  const run = Effect.suspend(() => {
    state.runs += 1
    return state.error === undefined ? Effect.succeed("done") : Effect.fail(state.error)
  })
  return { state, run }
}

const logging = () => {
  const lines: Array<string> = []
  return {
    lines,
    layer: Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(String(message))))
  }
}

describe("StorageTrouble", () => {
  it.effect("tries again each second, and says once that storage fails and once that it works", () => {
    const { layer, lines } = logging()
    return Effect.gen(function*() {
      const { failure, retry } = yield* makeStorageTrouble
      const { run, state } = settable()
      state.error = trouble("Busy")
      const reading = yield* Effect.fork(Effect.all([retry(run), retry(run)], { concurrency: 2 }))
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual(state.runs, 8)
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /a file.*\(no\)\. Trying again each second$/)
      assert.strictEqual((yield* failure)?.reason, "Busy")
      state.error = undefined
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(reading), ["done", "done"])
      assert.deepStrictEqual(lines.slice(1), ["Storage works again"])
      assert.isUndefined(yield* failure)
    }).pipe(Effect.provide(layer))
  })

  it.effect("says that storage works when all that failed has succeeded, because a full disk can be read", () => {
    const { layer, lines } = logging()
    return Effect.gen(function*() {
      const { failure, retry } = yield* makeStorageTrouble
      const { run, state } = settable()
      state.error = trouble("Full")
      const writing = yield* Effect.fork(retry(run))
      yield* TestClock.adjust("1 second")
      yield* retry(Effect.void)
      assert.strictEqual((yield* failure)?.reason, "Full")
      state.error = undefined
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(writing), "done")
      assert.isUndefined(yield* failure)
      assert.lengthOf(lines, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves every other failure to the caller", () =>
    Effect.gen(function*() {
      const { failure, retry } = yield* makeStorageTrouble
      assert.strictEqual(yield* Effect.flip(retry(Effect.fail("another"))), "another")
      assert.isUndefined(yield* failure)
    }))
})
