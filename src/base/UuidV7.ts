import { Effect, Random } from "effect"
import { v7 } from "uuid"
import type { EpochMillis } from "./Time.js"
import { epochMillis } from "./Time.js"

// A number's 53 bits are 32 high ones and 21 low ones.
const lowRange = 2 ** 21

/** 16 bytes from two numbers between 0 and 1, with 53 bits each. The first 6 bytes are left to the moment. */
const bytesOf = (one: number, other: number): Uint8Array => {
  const [a, b] = [one * 2 ** 53, other * 2 ** 53]
  return new Uint8Array(Uint32Array.of(0, a / lowRange, b / lowRange, (a % lowRange) * 2 ** 11 + b % 2 ** 11).buffer)
}

/** A UUID v7 of a moment, with the randomness of Effect's Random. */
export const uuidV7Of = (at: EpochMillis): Effect.Effect<string> =>
  Effect.zipWith(Random.next, Random.next, (one, other) => v7({ msecs: at, random: bytesOf(one, other) }))

/** A UUID v7 of Effect's Clock and Random, so that a test can control both. */
export const uuidV7: Effect.Effect<string> = Effect.flatMap(epochMillis, uuidV7Of)
