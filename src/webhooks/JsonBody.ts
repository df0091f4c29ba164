import { Effect, Either, Option } from "effect"
import { isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { inTurns } from "../base/EventLoopTurn.js"
import type { Fields, Unreadable } from "../base/JsonFields.js"
import { readFields } from "../base/JsonFields.js"
import { beyond } from "../base/JsonShape.js"
import { Refused } from "./Refused.js"

/** What is kept of a hook's body. */
export interface KeptBody {
  /** The text that was signed or, of a large one, the fields that are wanted, as JSON. */
  readonly text: string
  /** SHA-256 of the bytes that were signed. */
  readonly digest: string
}

/** The bodies of Plane and Gitea have about a dozen levels. */
const maxDepth = 64

/** The largest body that is kept whole, in bytes. Of larger ones only what is read is kept. */
const largestWhole = 1024 * 1024

const limits = { levels: maxDepth, longestWhole: largestWhole, longestBeginning: largestWhole / 4 }

const notJson = new Refused({ status: 400, why: "its body is not JSON" })
const tooDeep = new Refused({ status: 400, why: `its body is nested deeper than ${maxDepth} levels` })
const tooLong = new Refused({ status: 413, why: `its body has a name or an id of more than ${largestWhole} bytes` })

const refusals: Readonly<Record<Unreadable["reason"], Refused>> = {
  NotJson: notJson,
  TooDeep: tooDeep,
  TooLong: tooLong
}

const decodeUtf8 = Option.liftThrowable((bytes: Uint8Array) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
)

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const small = (bytes: Buffer): Effect.Effect<KeptBody, Refused> =>
  Effect.suspend(() => {
    const text = decodeUtf8(bytes)
    if (Option.isNone(text)) return notJson
    if (beyond(text.value, limits) !== undefined) return tooDeep
    if (Option.isNone(parseJson(text.value))) return notJson
    return Effect.succeed({ text: text.value, digest: createHash("sha256").update(bytes).digest("hex") })
  })

/** Bytes that are copied and hashed between two pauses. Each page of new memory costs more than its copy. */
const atOnce = 512 * 1024

/** The bytes in one piece, and their digest. */
function* joined(chunks: ReadonlyArray<Uint8Array>, size: number): Generator<number, Joined> {
  const hash = createHash("sha256")
  const bytes = Buffer.allocUnsafeSlow(size)
  let position = 0
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += atOnce) {
      const part = chunk.subarray(from, from + atOnce)
      bytes.set(part, position)
      hash.update(part)
      position += part.length
      yield position
    }
  }
  return { bytes, digest: hash.digest("hex") }
}

interface Joined {
  readonly bytes: Buffer
  readonly digest: string
}

const large = (chunks: ReadonlyArray<Uint8Array>, size: number, fields: Fields): Effect.Effect<KeptBody, Refused> =>
  Effect.gen(function*() {
    const { bytes, digest } = yield* inTurns(joined(chunks, size))
    if (!isUtf8(bytes)) return yield* notJson
    const read = yield* inTurns(readFields(bytes, fields, limits))
    if (Either.isLeft(read)) return yield* refusals[read.left.reason]
    return { text: JSON.stringify(read.right), digest }
  })

/**
 * The JSON of a body. A large one is read in slices, between which all others have their turn, and only these fields of
 * it are kept. It is done on this thread, because a worker would hold all that `JSON.parse` makes of 32 MiB, which may
 * be a gigabyte. `turn` lets one large body be read at a time.
 */
export const jsonBody = (
  chunks: ReadonlyArray<Uint8Array>,
  fields: Fields,
  turn: Effect.Semaphore
): Effect.Effect<KeptBody, Refused> =>
  Effect.suspend(() => {
    const size = chunks.reduce((sum, { length }) => sum + length, 0)
    return size > largestWhole ? turn.withPermits(1)(large(chunks, size, fields)) : small(Buffer.concat(chunks))
  })
