import { Either, ParseResult, Schema } from "effect"
import type { Issue } from "./Issue.js"
import { isObject, issuesOf, shortened } from "./Issue.js"

/** Decodes data from outside, or says what is wrong with it, field by field. */
export type Decoder<A> = (input: unknown) => Either.Either<A, Array<Issue>>

/**
 * The decoder of an object's schema. It reports all wrong fields together, and refuses fields that it does not know.
 */
export const decoderOf = <A, I>(schema: Schema.Schema<A, I>): Decoder<A> => {
  // An unknown field is a typo: if it were ignored, the sender would believe that it was taken.
  const decode = Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })
  return (input) =>
    isObject(input)
      ? Either.mapLeft(decode(input), (error) => issuesOf(ParseResult.ArrayFormatter.formatErrorSync(error), input))
      : Either.left([{ field: "body", message: "expected a JSON object", given: shortened(input) }])
}
