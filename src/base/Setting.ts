import type { Redacted } from "effect"
import { Config, ConfigError, Duration, Either, ParseResult, Redacted as Secret, Schema } from "effect"

/** What was given, shortened for a message; quoted, so that blanks and control characters show. */
export const given = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** A variable: one that is missing or empty has its default; any other text is parsed or refused in words. */
export const setting = <A>(
  name: string,
  fallback: A,
  parse: (text: string) => Either.Either<A, string>
): Config.Config<A> =>
  Config.string(name).pipe(
    Config.withDefault(""),
    Config.mapOrFail((raw) => {
      const text = raw.trim()
      return text === ""
        ? Either.right(fallback)
        : Either.mapLeft(parse(text), (message) => ConfigError.InvalidData([name], message))
    })
  )

/** Text of a pattern; `expected` says what would be right. */
export const matching = (pattern: RegExp, expected: string, as: (text: string) => string) => (text: string) =>
  pattern.test(text) ? Either.right(as(text)) : Either.left(`${given(text)} is not right: expected ${expected}`)

/** A duration as people write it. */
type Written = `${number} ${Duration.Unit}`

/** A duration from `least` to `most`, as people write it: "10 seconds". */
export const duration = (least: Written, most: Written) => (text: string) => {
  // The type of a duration's text is a template that only parsing can establish.
  const parsed = Schema.decodeUnknownEither(DurationText)(text)
  const expected = `expected ${least} to ${most}, like "10 seconds"`
  if (Either.isLeft(parsed)) return Either.left(`${given(text)} is not a duration: ${expected}`)
  // Effect reads what is less than nothing as nothing.
  return !text.startsWith("-") && Duration.between(parsed.right, { minimum: least, maximum: most })
    ? Either.right(parsed.right)
    : Either.left(`${given(text)} is out of range: ${expected}`)
}

const DurationText = Schema.transformOrFail(Schema.String, Schema.DurationFromSelf, {
  strict: true,
  decode: (text, _, ast) => ParseResult.fromOption(Duration.decodeUnknown(text), () => new ParseResult.Type(ast, text)),
  encode: (value) => ParseResult.succeed(Duration.format(value))
})

/** A whole number from `least` to `most`. */
export const integer = (least: number, most: number) => (text: string) => {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= least && value <= most
    ? Either.right(value)
    : Either.left(`${given(text)} is not right: expected a whole number from ${least} to ${most}`)
}

/** One of a few words. */
export const oneOf = <A extends string>(...choices: ReadonlyArray<A>) => (text: string): Either.Either<A, string> =>
  Either.fromNullable(
    choices.find((choice) => choice === text),
    () => `${given(text)} is not right: expected ${choices.join(" or ")}`
  )

const apiPath = /\/api(\/v1)?$/

/** Where `whose` API answers, without the API's path and without a slash at the end. */
export const address = (whose: string, example: string) => (text: string): Either.Either<string, string> => {
  const expected = `expected ${whose}'s address, like "${example}"`
  if (!URL.canParse(text)) return Either.left(`${given(text)} is not a URL: ${expected}`)
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") {
    // The text is not repeated: it holds a password.
    return Either.left(`the URL carries a user name or a password: ${expected}`)
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return Either.left(`${given(text)} is neither http nor https: ${expected}`)
  }
  if (url.search !== "" || url.hash !== "") return Either.left(`${given(text)} has a query or a fragment: ${expected}`)
  return Either.right(url.origin + url.pathname.replace(/\/+$/, "").replace(apiPath, "").replace(/\/+$/, ""))
}

/** A token of `whose` API. It is never repeated. */
export const token = (whose: string) => (text: string): Either.Either<Redacted.Redacted, string> =>
  // It goes into a header, where a line feed would begin another one.
  /^[\x21-\x7E]+$/.test(text)
    ? Either.right(Secret.make(text))
    : Either.left(`the token has blanks or characters other than visible ASCII: expected it as ${whose} shows it`)
