import { assert, describe, it } from "@effect/vitest"
import type { Exit } from "effect"
import { Effect, Fiber, Stream, TestClock } from "effect"
import type { Sent } from "../../src/base/BodyRoom.js"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { readBody } from "../../src/base/ReadBody.js"

const kibi = 1024
const mebi = 1024 * kibi

const settling = Effect.repeatN(Effect.yieldNow(), 300)

/** Time passes in the steps in which the slow are looked for. */
const pass = (millis: number) =>
  Effect.forEach(
    Array.from({ length: millis / 50 }),
    () => Effect.zipRight(TestClock.adjust("50 millis"), settling),
    { discard: true }
  )

interface Options extends Partial<Sent> {
  readonly size: number
  /** How much comes at once. The rest comes when `rest` is opened; without it, never. */
  readonly comes?: number
  readonly rest?: Effect.Effect<void>
  /** What is done with the whole body. */
  readonly use?: Effect.Effect<void>
}

/** Reads a body in the room. What comes of it: "read", or why not. */
const reading = ({ announced, comes, isSigned = true, address = "", rest, size, use }: Options) =>
  Effect.gen(function*() {
    const { withPlace } = yield* BodyRoom
    const now = comes ?? size
    const chunks = (bytes: number) =>
      Stream.range(0, Math.ceil(bytes / (64 * kibi)) - 1).pipe(
        Stream.map(() => new Uint8Array(Math.min(bytes, 64 * kibi))),
        Stream.rechunk(1)
      )
    const end = rest === undefined ? Stream.never : Stream.fromEffect(rest).pipe(Stream.drain)
    const body = Stream.concat(chunks(now), now === size ? rest === undefined ? Stream.empty : end : end)
    return yield* withPlace(
      { address, isSigned, announced: announced ?? size },
      (place) =>
        readBody({ body, announced, limit: 32 * mebi, place }).pipe(
          Effect.zipLeft(use ?? Effect.void),
          Effect.as("read"),
          Effect.catchTags({ NoRoom: () => Effect.succeed("no room"), Unread: ({ reason }) => Effect.succeed(reason) })
        )
    )
  })

type Ending = Fiber.RuntimeFiber<string>

const forked = (count: number, options: Options): Effect.Effect<ReadonlyArray<Ending>, never, BodyRoom> =>
  Effect.forEach(Array.from({ length: count }), () => Effect.fork(reading(options)))

const endings = (fibers: ReadonlyArray<Ending>) =>
  fibers.map((fiber) => {
    const exit: Exit.Exit<string> | null = fiber.unsafePoll()
    return exit?._tag === "Success" ? exit.value : "open"
  })

const countOf = (fibers: ReadonlyArray<Ending>, ending: string) =>
  endings(fibers).filter((one) => one === ending).length

describe("row 66: the room of bodies", () => {
  it.effect("is there for small ones, however many large ones are held open", () =>
    Effect.gen(function*() {
      const held = yield* forked(140, { size: mebi, comes: mebi - 1 })
      yield* settling
      const small = yield* forked(126, { size: 60 * kibi })
      yield* settling
      assert.strictEqual(countOf(small, "read"), 126)
      assert.strictEqual(countOf(held, "open"), 140)
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("goes to those who send: who holds its body open loses it, as far as others wait", () =>
    Effect.gen(function*() {
      for (const [size, count] of [[60 * kibi, 500], [mebi, 40], [30 * mebi, 40]] as const) {
        const held = yield* forked(count, { size, comes: Math.min(size - 1, 1.5 * mebi) })
        const honest = yield* forked(20, { size: 50 * kibi })
        yield* pass(400)
        assert.strictEqual(countOf(honest, "read"), 20)
        assert.isAbove(countOf(held, "no room"), 0)
        yield* Fiber.interruptAll(held)
      }
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("is not lost by who sends steadily, though others wait", () =>
    Effect.gen(function*() {
      const held = yield* forked(20, { size: 30 * mebi, comes: 64 * kibi })
      const { withPlace } = yield* BodyRoom
      const size = 2 * mebi
      // A chunk of 64 KiB each 200 ms.
      const body = Stream.range(1, size / (64 * kibi)).pipe(
        Stream.map(() => new Uint8Array(64 * kibi)),
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep("150 millis"))
      )
      const steady = yield* Effect.fork(
        withPlace({ address: "", isSigned: true, announced: size }, (place) =>
          readBody({ body, announced: size, limit: size, place }))
      )
      yield* pass(9_000)
      assert.lengthOf(yield* Fiber.join(steady), 32)
      yield* Fiber.interruptAll(held)
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("is not taken by one address alone", () =>
    Effect.gen(function*() {
      const hold = yield* Effect.makeLatch()
      // All is there and in use, so nobody is slow.
      const many = yield* forked(600, { size: 64 * kibi, address: "10.0.0.1", use: hold.await })
      yield* settling
      const [other] = yield* forked(1, { size: mebi, address: "10.0.0.2" })
      const [same] = yield* forked(1, { size: 64 * kibi, address: "10.0.0.1" })
      yield* settling
      assert.deepStrictEqual(endings([other, same].flatMap((one) => one ?? [])), ["open", "open"])
      const small = yield* forked(40, { size: 64 * kibi, address: "10.0.0.2" })
      yield* settling
      assert.strictEqual(countOf(small, "read"), 40)
      yield* hold.open
      yield* settling
      assert.strictEqual(countOf(many, "read"), 600)
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("of those who sign is not taken by those who do not", () =>
    Effect.gen(function*() {
      const unsigned = yield* forked(200, { size: mebi, comes: mebi - 1, isSigned: false })
      const hold = yield* Effect.makeLatch()
      const small = yield* forked(100, { size: 64 * kibi, isSigned: false, use: hold.await })
      yield* settling
      const large = yield* forked(3, { size: 6 * mebi })
      yield* settling
      assert.strictEqual(countOf(large, "read"), 3)
      yield* pass(1_200)
      // They did not wait for the signed ones, nor for long.
      assert.isAbove(countOf(unsigned, "no room"), 190)
      yield* hold.open
      yield* settling
      assert.strictEqual(countOf(small, "read"), 100)
      yield* Fiber.interruptAll(unsigned)
    }).pipe(Effect.provide(BodyRoom.layer)))
})

describe("row 67: the room of bodies", () => {
  it.effect("is bounded, and free again however they end", () =>
    Effect.gen(function*() {
      const { withPlace } = yield* BodyRoom
      const taking = (isSigned: boolean, bytes: number) =>
        withPlace({ address: String(bytes % 7), isSigned, announced: bytes }, ({ enter, take }) =>
          Effect.zipRight(Effect.zipRight(enter, take(bytes)), Effect.never))
      for (let n = 0; n < 2; n++) {
        const all = yield* Effect.forEach(
          Array.from({ length: 2_000 }, (_, n) =>
            n),
          (n) => Effect.fork(taking(n % 2 === 0, 60 * kibi + n % 7))
        )
        yield* settling
        const [one] = yield* forked(1, { size: 60 * kibi })
        yield* settling
        assert.deepStrictEqual(endings(one === undefined ? [] : [one]), ["open"])
        yield* Fiber.interruptAll(all)
        yield* settling
        assert.deepStrictEqual(endings(one === undefined ? [] : [one]), ["read"])
      }
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("lets any number of large ones through, one after the other, when they fill it half read", () =>
    Effect.gen(function*() {
      const rest = yield* Effect.makeLatch()
      const large = yield* forked(20, { size: 25 * mebi, rest: rest.await })
      yield* rest.open
      yield* settling
      yield* pass(500)
      assert.strictEqual(countOf(large, "read"), 20)
    }).pipe(Effect.provide(BodyRoom.layer)))

  it.effect("is left by a body that takes longer than ten seconds", () =>
    Effect.gen(function*() {
      const slow = yield* forked(2, { size: 100, comes: 1 })
      yield* pass(9_950)
      assert.deepStrictEqual(endings(slow), ["open", "open"])
      yield* pass(50)
      assert.deepStrictEqual(endings(slow), ["TooSlow", "TooSlow"])
    }).pipe(Effect.provide(BodyRoom.layer)))
})
