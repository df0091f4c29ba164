import type { Stream } from "effect"
import { Duration, Effect } from "effect"
import type { Place } from "../base/BodyRoom.js"
import type { Unread } from "../base/ReadBody.js"
import { bodyTime, readBody } from "../base/ReadBody.js"
import { Overloaded, Refused } from "./Refused.js"

const mebibyte = 1024 * 1024

/**
 * The largest body that is taken, in bytes. Plane takes descriptions of up to 5 MiB, which become 25 in JSON. Who does
 * not sign may send less, because nothing else tells a sender from anybody else.
 */
const largest = { signed: 32 * mebibyte, unsigned: 5 * mebibyte } as const

const refusals = (limit: number): Readonly<Record<Unread["reason"], Refused>> => ({
  BrokenOff: new Refused({ status: 400, why: "its body broke off" }),
  TooLarge: new Refused({ status: 413, why: `its body is larger than ${limit} bytes` }),
  TooSlow: new Refused({ status: 408, why: `its body took longer than ${Duration.format(bodyTime)}` })
})

interface Reading {
  readonly body: Stream.Stream<Uint8Array, unknown>
  readonly announced: number | undefined
  readonly isSigned: boolean
  readonly place: Place
  readonly update: (bytes: Uint8Array) => void
}

/** Reads the body of a hook, or says why it is refused. */
export const readHook = (
  { announced, body, isSigned, place, update }: Reading
): Effect.Effect<ReadonlyArray<Uint8Array>, Overloaded | Refused> => {
  const limit = isSigned ? largest.signed : largest.unsigned
  return readBody({ body, announced, limit, place, update }).pipe(
    Effect.catchTags({ Unread: ({ reason }) => refusals(limit)[reason], NoRoom: () => new Overloaded() })
  )
}
