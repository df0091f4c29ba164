import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref, Stream } from "effect"
import type { BodyLimits } from "../../src/base/BoundedBody.js"
import { boundedBody } from "../../src/base/BoundedBody.js"

/** Reads a body that comes in these parts; what came of it, and how many parts were read. */
const reading = (
  parts: ReadonlyArray<string>,
  limits: BodyLimits,
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
    const outcome = yield* boundedBody(body, limits).pipe(
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
      for (const overLimit of ["discard", "stop"] as const) {
        assert.deepStrictEqual(yield* reading(["ab", "", "cd"], { limit: 4, overLimit }), { outcome: "abcd", read: 3 })
        assert.deepStrictEqual(yield* reading([], { limit: 0, overLimit }), { outcome: "", read: 0 })
      }
    }))

  it.effect("reads what is over the limit to its end, or stops", () =>
    Effect.gen(function*() {
      const parts = ["ab", "cd", "e", "f", "g"]
      const discarded = yield* reading(parts, { limit: 4, overLimit: "discard" })
      assert.deepStrictEqual([tagOf(discarded.outcome), discarded.read], ["BodyTooLarge", 5])
      const stopped = yield* reading(parts, { limit: 4, overLimit: "stop" })
      assert.deepStrictEqual([tagOf(stopped.outcome), stopped.read], ["BodyTooLarge", 3])
    }))

  it.effect("distinguishes a body that breaks off from one that ends", () =>
    Effect.gen(function*() {
      for (const limit of [9, 1]) {
        const { outcome } = yield* reading(["ab"], { limit, overLimit: "discard" }, Stream.fail("broken off"))
        assert.strictEqual(outcome, "broken off")
      }
    }))
})
