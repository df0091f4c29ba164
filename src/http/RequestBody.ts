import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Effect, Either, ParseResult, Schema, Stream } from "effect"
import { isDeeperThan } from "../base/Depth.js"
import type { StageEvent } from "../domain/StageEvent.js"
import { StageEventJson } from "../domain/StageEvent.js"
import type { Issue } from "./Problem.js"
import { BadRequest, NotJson, TooLarge } from "./Problem.js"

/** The largest body that is taken, in bytes. */
export const maxBodyBytes = 1024 * 1024

const maxGiven = 200

/** What was given, as a problem shows it. */
export const shortened = (value: unknown): unknown => {
  const json = JSON.stringify(value)
  return json.length <= maxGiven ? value : `${json.slice(0, maxGiven)}…`
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>((inner, key) => isObject(inner) ? inner[String(key)] : undefined, value)

/** What a schema did not like, once for each field; `input` shows what was given there. */
export const issuesOf = (
  issues: ReadonlyArray<Pick<ParseResult.ArrayFormatterIssue, "message" | "path">>,
  input?: unknown
): Array<Issue> => {
  const byField = new Map<string, Issue>()
  for (const { message, path } of issues) {
    const field = path.join(".")
    // An optional field's second complaint, that it might have been missing, helps nobody.
    if (byField.has(field)) continue
    const given = at(input, path)
    byField.set(field, { field, message, ...(given === undefined ? {} : { given: shortened(given) }) })
  }
  return Array.from(byField.values())
}

/** Issues in a line. */
export const describe = (issues: ReadonlyArray<Issue>): string =>
  issues.map(({ field, message }) => `${field}: ${message}`).join("; ")

/** Decodes outside data, or says what is wrong with it, field by field. */
export const decoderOf = <A, I>(schema: Schema.Schema<A, I>) => {
  // A field that is not known is a typo, and what is taken would say less than its sender thinks.
  const decode = Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })
  return (input: unknown): Either.Either<A, Array<Issue>> =>
    isObject(input)
      ? Either.mapLeft(decode(input), (error) => issuesOf(ParseResult.ArrayFormatter.formatErrorSync(error), input))
      : Either.left([{ field: "body", message: "expected a JSON object", given: shortened(input) }])
}

export const decodeEvent: (input: unknown) => Either.Either<StageEvent, Array<Issue>> = decoderOf(StageEventJson)

const tooLarge = new TooLarge({
  error: `The body is larger than ${maxBodyBytes} bytes`,
  issues: [{ field: "body", message: `expected at most ${maxBodyBytes} bytes` }]
})

// What is over the limit is read and thrown away: a client reads its answer only after it has sent all.
const readText = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.gen(function*() {
    if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes) return yield* tooLarge
    const chunks: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEachChunk(request.stream, (received) =>
      Effect.sync(() => {
        for (const chunk of received) {
          size += chunk.length
          if (size <= maxBodyBytes) chunks.push(chunk)
        }
      })).pipe(Effect.mapError(() => new BadRequest({ error: "The body could not be read to its end" })))
    if (size > maxBodyBytes) return yield* tooLarge
    return Buffer.concat(chunks).toString("utf8")
  })

// Nothing that is taken is half as deep.
const maxDepth = 32

const parseJson = (text: string) =>
  Effect.filterOrFail(jsonOf(text), (value) => !isDeeperThan(value, maxDepth), () =>
    new BadRequest({
      error: "The body is nested too deeply",
      issues: [{ field: "body", message: `expected no more than ${maxDepth} levels`, given: shortened(text) }]
    }))

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

/** `what` the JSON in a request's body says, or what is wrong with it. */
export const bodyOfRequest = <A>(
  request: HttpServerRequest.HttpServerRequest,
  what: string,
  decode: (input: unknown) => Either.Either<A, Array<Issue>>
): Effect.Effect<A, BadRequest | NotJson | TooLarge> =>
  Effect.gen(function*() {
    const type = request.headers["content-type"] ?? ""
    if (!/^application\/json\s*(;|$)/i.test(type)) {
      return yield* new NotJson({
        error: `Expected Content-Type: application/json, was given ${JSON.stringify(type.slice(0, 100))}`
      })
    }
    const input = yield* Effect.flatMap(readText(request), parseJson)
    return yield* Either.mapLeft(
      decode(input),
      (issues) => new BadRequest({ error: `Not ${what}: ${describe(issues)}`, issues })
    )
  })
