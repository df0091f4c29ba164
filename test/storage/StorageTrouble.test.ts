import type { SqlError } from "@effect/sql/SqlError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, TestClock } from "effect"
import type { StorageReason } from "../../src/storage/StorageError.js"
import { StorageError } from "../../src/storage/StorageError.js"
import type { StorageTrouble } from "../../src/storage/StorageTrouble.js"
import { makeStorageTrouble } from "../../src/storage/StorageTrouble.js"

const trouble = (reason: StorageReason) => new StorageError({ reason, where: "a file", words: "no" })

const full = trouble("Full")

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

/** A file of which nothing is known but what a test says: whether a commit fails, and how many rows it changes. */
const fakeFile = ({ watch }: StorageTrouble) => {
  const state = { error: undefined as StorageError | undefined, rows: 1 }
  const commit = <A>(effect: Effect.Effect<A, SqlError>) =>
    Effect.suspend(() => state.error === undefined ? Effect.orDie(effect) : Effect.fail(state.error))
  return { state, write: watch(Effect.sync(() => state.rows), commit)(Effect.void) }
}

describe("StorageTrouble", () => {
  it.scoped("tries again each second, and says once that storage fails and once that it works", () => {
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

  for (const reason of ["Damaged", "NotADatabase", "Overwritten"] as const) {
    it.scoped(`row 74: does not promise that ${reason} will pass`, () => {
      const { layer, lines } = logging()
      return Effect.gen(function*() {
        const { retry } = yield* makeStorageTrouble
        const { run, state } = settable()
        state.error = trouble(reason)
        yield* Effect.fork(retry(run))
        yield* TestClock.adjust("3 seconds")
        assert.lengthOf(lines, 1)
        assert.match(lines[0] ?? "", /a file.*\(no\)$/)
      }).pipe(Effect.provide(layer))
    })
  }

  it.scoped("says that storage works when all that failed has succeeded, because a full disk can be read", () => {
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

  it.scoped("leaves every other failure to the caller", () =>
    Effect.gen(function*() {
      const { failure, retry } = yield* makeStorageTrouble
      assert.strictEqual(yield* Effect.flip(retry(Effect.fail("another"))), "another")
      assert.isUndefined(yield* failure)
    }))

  it.scoped("row 47: small writes on a full disk are no recovery, while the writes of others fail", () => {
    const { layer, lines } = logging()
    return Effect.gen(function*() {
      const trouble = yield* makeStorageTrouble
      const posted = fakeFile(trouble)
      const small = fakeFile(trouble)
      posted.state.error = full
      for (let second = 0; second < 12; second++) {
        yield* Effect.ignore(posted.write)
        yield* trouble.retry(small.write)
        yield* trouble.retry(Effect.void)
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(lines, [])
      assert.strictEqual((yield* trouble.failure)?.reason, "Full")
      posted.state.error = undefined
      yield* posted.write
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(lines, ["Storage works again"])
      assert.isUndefined(yield* trouble.failure)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("row 47: nor is a read, or a write that changes nothing; all loops together say it once", () => {
    const { layer, lines } = logging()
    return Effect.gen(function*() {
      const trouble = yield* makeStorageTrouble
      const file = fakeFile(trouble)
      file.state.error = full
      yield* Effect.ignore(file.write)
      file.state.error = undefined
      file.state.rows = 0
      yield* TestClock.adjust("1 minute")
      yield* trouble.retry(file.write)
      yield* trouble.retry(Effect.void)
      assert.strictEqual((yield* trouble.failure)?.reason, "Full")
      file.state.error = full
      const loops = yield* Effect.fork(
        Effect.all(Array.from({ length: 7 }, () => trouble.retry(file.write)), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(lines, 1)
      file.state.error = undefined
      file.state.rows = 1
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(loops)
      assert.deepStrictEqual(lines.slice(1), ["Storage works again"])
    }).pipe(Effect.provide(layer))
  })
})
