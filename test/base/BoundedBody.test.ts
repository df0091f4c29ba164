import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref, Stream } from "effect"
import { boundedBody } from "../../src/base/BoundedBody.js"

/** Reads a body that comes in these parts; what came of it, and how many parts were read. */
const reading = (
  parts: ReadonlyArray<string>,
  limit: number,
  end: Stream.Stream<Uint8Array, string> = Stream.empty
) =>
  Effect.gen(function*() {
    const read = yield* Ref.make(0)
    const body = Stream.fromIterable(parts).pipe(
      Stream.rechunk(1),
      Stream.map((part): Uint8Array => Buffer.from(part)),
      Stream.tap(() => Ref.update(read, (count) => count + 1)),
      Stream.concat(end)
    )
    const outcome = yield* boundedBody(body, limit).pipe(
      Effect.map((bytes) => bytes.toString()),
      Effect.catchAll((error) => Effect.succeed(error))
    )
    return { outcome, read: yield* Ref.get(read) }
  })

const tagOf = (outcome: unknown) =>
  typeof outcome === "object" && outcome !== null && "_tag" in outcome ? outcome._tag : outcome

describe("boundedBody", () => {
  it.effect("is the whole body up to its limit", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* reading(["ab", "", "cd"], 4), { outcome: "abcd", read: 3 })
      assert.deepStrictEqual(yield* reading([], 0), { outcome: "", read: 0 })
    }))

  it.effect("stops reading what is over the limit", () =>
    Effect.gen(function*() {
      const { outcome, read } = yield* reading(["ab", "cd", "e", "f", "g"], 4)
      assert.deepStrictEqual([tagOf(outcome), read], ["BodyTooLarge", 3])
    }))

  it.effect("distinguishes a body that breaks off from one that ends", () =>
    Effect.gen(function*() {
      const { outcome } = yield* reading(["ab"], 9, Stream.fail("broken off"))
      assert.strictEqual(outcome, "broken off")
    }))
})
