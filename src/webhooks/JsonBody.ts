import { Effect, Either, Option } from "effect"
import { isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { isDeeperThan } from "../base/Depth.js"
import { inTurns } from "../base/EventLoopTurn.js"
import type { Fields, Unreadable } from "../base/JsonFields.js"
import { readFields } from "../base/JsonFields.js"
import { smallBody } from "./BodyRoom.js"
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

const limits = { levels: maxDepth, longestWhole: smallBody, longestBeginning: smallBody / 4 }

const notJson = new Refused({ status: 400, why: "its body is not JSON" })
const tooDeep = new Refused({ status: 400, why: `its body is nested deeper than ${maxDepth} levels` })
const tooLong = new Refused({ status: 413, why: `its body has a name or an id of more than ${smallBody} bytes` })

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
    const json = Option.flatMap(text, parseJson)
    if (Option.isNone(text) || Option.isNone(json)) return notJson
    if (isDeeperThan(json.value, maxDepth)) return tooDeep
    return Effect.succeed({ text: text.value, digest: createHash("sha256").update(bytes).digest("hex") })
  })

const hashedAtOnce = 256 * 1024

function* digestOf(bytes: Buffer): Generator<number, string> {
  const hash = createHash("sha256")
  for (let position = 0; position < bytes.length; position += hashedAtOnce) {
    hash.update(bytes.subarray(position, position + hashedAtOnce))
    yield position
  }
  return hash.digest("hex")
}

const large = (bytes: Buffer, fields: Fields): Effect.Effect<KeptBody, Refused> =>
  Effect.gen(function*() {
    if (!isUtf8(bytes)) return yield* notJson
    const read = yield* inTurns(readFields(bytes, fields, limits))
    if (Either.isLeft(read)) return yield* refusals[read.left.reason]
    return { text: JSON.stringify(read.right), digest: yield* inTurns(digestOf(bytes)) }
  })

/**
 * The JSON of a body. A large one is read in slices, between which all others have their turn, and only these fields of
 * it are kept. It is done on this thread, because a worker would hold all that `JSON.parse` makes of 32 MiB, which may
 * be a gigabyte.
 */
export const jsonBody = (bytes: Buffer, fields: Fields): Effect.Effect<KeptBody, Refused> =>
  bytes.length > smallBody ? large(bytes, fields) : small(bytes)
