import { Clock, Effect, Random } from "effect"
import { v7 } from "uuid"

const word = Random.nextIntBetween(0, 2 ** 32)

/** A UUID v7 of Effect's Clock and Random, so that a test can move the one and fix the other. */
export const uuidV7: Effect.Effect<string> = Effect.zipWith(
  Clock.currentTimeMillis,
  // The first 6 of 16 bytes are the moment's.
  Effect.all([word, word, word]),
  (msecs, words) => v7({ msecs, random: new Uint8Array(Uint32Array.of(0, ...words).buffer) })
)
