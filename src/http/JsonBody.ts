import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Duration, Effect, Either } from "effect"
import { BodyRoom } from "../base/BodyRoom.js"
import { isJsonType } from "../base/ContentType.js"
import type { Decoder } from "../base/Decoder.js"
import { describeIssues, shortened } from "../base/Issue.js"
import { beyond } from "../base/JsonShape.js"
import type { Unread } from "../base/ReadBody.js"
import { bodyTime, readBody } from "../base/ReadBody.js"
import { Caller } from "./Authorization.js"
import { BadRequest, NotJson, TooLarge, Unavailable } from "./Problem.js"
import { addressOf, bytesOf, passed, passRest } from "./RequestBody.js"

/** The largest body that is taken, in bytes. */
const maxBodyBytes = 1024 * 1024

const tooLarge = new TooLarge({
  error: `The body is larger than ${maxBodyBytes} bytes`,
  issues: [{ field: "body", message: `expected at most ${maxBodyBytes} bytes` }]
})

const brokenOff = new BadRequest({ error: "The body could not be read to its end" })

const tooSlow = new BadRequest({ error: `The body took longer than ${Duration.format(bodyTime)}` })

const noRoom = new Unavailable({ error: "There is no room for the body beside those in flight: send it again" })

const refusals: Readonly<
  Record<
    Unread["reason"],
    (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<never, BadRequest | TooLarge>
  >
> = {
  BrokenOff: () => brokenOff,
  TooLarge: (request) => Effect.zipRight(passed(request), Effect.fail(tooLarge)),
  TooSlow: () => tooSlow
}

/** Bytes are read into the room that all bodies share, which they have until `use` of their text has ended. */
const withText = <A, E>(
  request: HttpServerRequest.HttpServerRequest,
  use: (text: string) => Effect.Effect<A, E>
): Effect.Effect<A, BadRequest | E | TooLarge | Unavailable, BodyRoom | Caller> =>
  Effect.gen(function*() {
    const { withPlace } = yield* BodyRoom
    const { isKnown } = yield* Caller
    const { "content-length": length } = request.headers
    const announced = length === undefined ? undefined : Number(length)
    return yield* withPlace({ address: addressOf(request), isSigned: isKnown, announced }, (place) =>
      readBody({
        body: bytesOf(request),
        announced,
        limit: maxBodyBytes,
        place
      }).pipe(
        Effect.ensuring(passRest(request)),
        Effect.catchTags({
          NoRoom: () => noRoom,
          Unread: ({ reason }) => refusals[reason](request)
        }),
        Effect.flatMap((chunks) => use(Buffer.concat(chunks).toString("utf8")))
      ))
  })

/** What a body may be made of. A right one has less than half as many levels, and a tenth of the members. */
const shape = { levels: 32, members: 200 }

const jsonOf = (text: string) =>
  Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: (cause) =>
      new BadRequest({
        error: "The body is not JSON",
        issues: [{
          field: "body",
          message: cause instanceof Error ? cause.message : String(cause),
          given: shortened(text)
        }]
      })
  })

const parseJson = (text: string): Effect.Effect<unknown, BadRequest> => {
  const limit = beyond(text, shape)
  return limit === undefined ? jsonOf(text) : new BadRequest({
    error: limit === "levels" ? "The body is nested too deeply" : "The body has too many members",
    issues: [{
      field: "body",
      message: `expected no more than ${shape[limit]} ${limit}`,
      given: shortened(text.slice(0, 1_000))
    }]
  })
}

const asDecoded = <A>(input: unknown, what: string, decode: Decoder<A>): Either.Either<A, BadRequest> =>
  Either.mapLeft(decode(input), (issues) => new BadRequest({ error: `Not ${what}: ${describeIssues(issues)}`, issues }))

/**
 * The JSON body of a request, decoded. `what` names in a few words what the body should be: "an event". It takes the
 * place of the platform's own decoding, because a body is bounded here, and an answer names each field that is wrong.
 */
export const jsonBody = <A>(
  request: HttpServerRequest.HttpServerRequest,
  what: string,
  decode: Decoder<A>
): Effect.Effect<A, BadRequest | NotJson | TooLarge | Unavailable, BodyRoom | Caller> =>
  Effect.gen(function*() {
    const type = request.headers["content-type"] ?? ""
    if (!isJsonType(type)) {
      return yield* new NotJson({
        error: `Expected Content-Type: application/json, was given ${JSON.stringify(type.slice(0, 100))}`
      })
    }
    return yield* withText(
      request,
      (text) => Effect.flatMap(parseJson(text), (input) => asDecoded(input, what, decode))
    )
  })

/** The same for a body that may be left out, which is the same as `{}`. */
export const optionalJsonBody = <A>(
  request: HttpServerRequest.HttpServerRequest,
  what: string,
  decode: Decoder<A>
): Effect.Effect<A, BadRequest | NotJson | TooLarge | Unavailable, BodyRoom | Caller> => {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers
  return encoding === undefined && Number(length ?? 0) === 0
    ? asDecoded({}, what, decode)
    : jsonBody(request, what, decode)
}
