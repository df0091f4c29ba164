import { Clock, Effect, Random } from "effect"
import { v7 } from "uuid"

/** A UUID v7 of Effect's Clock and Random, so that a test can move the one and fix the other. */
export const uuidV7: Effect.Effect<string> = Effect.gen(function*() {
  const msecs = yield* Clock.currentTimeMillis
  const random = new Uint32Array(4)
  for (let i = 0; i < random.length; i++) random[i] = yield* Random.nextIntBetween(0, 2 ** 32)
  return v7({ msecs, random: new Uint8Array(random.buffer) })
})
