import type { Redacted } from "effect"
import { Config, ConfigError, Duration, Either, ParseResult, Redacted as Secret, Schema } from "effect"
import { isReadable } from "./Glob.js"

/** What a setting accepts. */
export interface Accepted<A> {
  /** In words, for documents and for the message about a wrong value: "a whole number from 1 to 256". */
  readonly expected: string
  /** The value of a text that is not empty, or what is wrong with the text. */
  readonly parse: (text: string) => Either.Either<A, string>
}

/** The value of a setting whose default cannot be written as a text, and what that value means in words. */
export interface Unset<A> {
  readonly value: A
  readonly words: string
}

/** The default of a setting whose default is not a text. */
export const unset = <A>(value: A, words = "not set"): Unset<A> => ({ value, words })

/** All that people read about a setting. `.env.example` and docs/settings.md are made from these. */
export interface SettingDefinition {
  readonly name: string
  /** What it does, in plain sentences. */
  readonly about: string
  /** What is accepted, in words. */
  readonly expected: string
  /** The text of the default, empty when there is none. */
  readonly defaultText: string
  /** What applies when the variable is not set, if the default is not a text. */
  readonly defaultWords: string | undefined
  /** Whether its value is never shown. */
  readonly secret: boolean
}

/** A variable of the environment: the Config that layers read, with its definition. */
export interface Setting<out A> extends Config.Config<A> {
  readonly definition: SettingDefinition
}

/**
 * Defines a setting. A variable that is missing or empty has its default. Any other text is parsed, or refused with the
 * variable's name, what was given and what would be right. The parser of a secret must not repeat what was given.
 *
 * @example
 * const attempts = defineSetting({
 *   name: "ORCH_PLANE_MAX_ATTEMPTS",
 *   about: "After this many failed attempts a request becomes a dead letter.",
 *   accepts: integer(1, 1_000),
 *   default: "8"
 * })
 */
export const defineSetting = <A>(
  { about, accepts, default: fallback, name, secret = false }: {
    readonly name: string
    readonly about: string
    readonly accepts: Accepted<A>
    /** A text is parsed like any other. */
    readonly default: string | Unset<A>
    readonly secret?: boolean
  }
): Setting<A> => {
  const { expected, parse } = accepts
  const parsed = (text: string): Either.Either<A, ConfigError.ConfigError> =>
    Either.mapLeft(parse(text), (problem) => ConfigError.InvalidData([name], `${problem}: expected ${expected}`))
  const config = Config.string(name).pipe(
    Config.withDefault(""),
    Config.mapOrFail((raw) => {
      const text = raw.trim()
      if (text !== "") return parsed(text)
      return typeof fallback === "string" ? parsed(fallback) : Either.right(fallback.value)
    })
  )
  const definition: SettingDefinition = {
    name,
    about,
    expected,
    defaultText: typeof fallback === "string" ? fallback : "",
    defaultWords: typeof fallback === "string" ? undefined : fallback.words,
    secret
  }
  return Object.assign(config, { definition })
}

/** A given text for a message: shortened, and quoted, so that blanks and control characters show. */
export const given = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

const notRight = (text: string) => `${given(text)} is not right`

/** A text that matches a pattern. `as` brings it into one form. */
export const matching = (
  pattern: RegExp,
  expected: string,
  as: (text: string) => string = (text) => text
): Accepted<string> => ({
  expected,
  parse: (text) => pattern.test(text) ? Either.right(as(text)) : Either.left(notRight(text))
})

/** A duration as people write it. */
type Written = `${number} ${Duration.Unit}`

/** A duration from `least` to `most`, as people write it: "10 seconds". */
export const duration = (
  least: Written,
  most: Written,
  example: Written = "10 seconds"
): Accepted<Duration.Duration> => ({
  expected: `${least} to ${most}, like "${example}"`,
  parse: (text) => {
    // The type of a duration's text is a template that only parsing can establish.
    const parsed = Schema.decodeUnknownEither(DurationText)(text)
    if (Either.isLeft(parsed)) return Either.left(`${given(text)} is not a duration`)
    // Effect reads a negative duration as zero.
    return !text.startsWith("-") && Duration.between(parsed.right, { minimum: least, maximum: most })
      ? Either.right(parsed.right)
      : Either.left(`${given(text)} is out of range`)
  }
})

const DurationText = Schema.transformOrFail(Schema.String, Schema.DurationFromSelf, {
  strict: true,
  decode: (text, _, ast) => ParseResult.fromOption(Duration.decodeUnknown(text), () => new ParseResult.Type(ast, text)),
  encode: (value) => ParseResult.succeed(Duration.format(value))
})

/** A whole number from `least` to `most`. */
export const integer = (least: number, most: number): Accepted<number> => ({
  expected: `a whole number from ${least} to ${most}`,
  parse: (text) => {
    const value = Number(text)
    return /^\d+$/.test(text) && value >= least && value <= most ? Either.right(value) : Either.left(notRight(text))
  }
})

const listed = (words: ReadonlyArray<string>) => `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`

/** One of a few words. With `anyCase` the choices are lower case, and letters of either case are accepted. */
export const oneOf = <const A extends string>(
  choices: ReadonlyArray<A>,
  { anyCase = false }: { readonly anyCase?: boolean } = {}
): Accepted<A> => ({
  expected: listed(choices),
  parse: (text) => {
    const word = anyCase ? text.toLowerCase() : text
    return Either.fromNullable(choices.find((choice) => choice === word), () => notRight(text))
  }
})

const apiPath = /\/api(\/v1)?$/

const StringsText = Schema.parseJson(Schema.Array(Schema.String))

/** The parts of a text between commas; none if a comma stands within brackets, because it may be a part of a name. */
const partsOf = (text: string): ReadonlyArray<string> | undefined => {
  const inBrackets = /\([^)]*,[^)]*\)|\[[^\]]*,[^\]]*\]|\{[^}]*,[^}]*\}/u
  return inBrackets.test(text) ? undefined : text.split(",")
}

const beginsAsJson = /^\[\s*"/

/**
 * A list of `what`: texts with commas between, or a JSON array of texts for those that have commas themselves. One that
 * does not match `item` is refused.
 */
export const listOf = (what: string, example: string, item = /./su): Accepted<ReadonlyArray<string>> => ({
  expected: `${what} with commas between, like "${example}", or a JSON array, like ${
    JSON.stringify(example.split(", "))
  }`,
  parse: (text) => {
    const json = Schema.decodeEither(StringsText)(text)
    if (Either.isLeft(json) && beginsAsJson.test(text)) return Either.left(`${given(text)} is no JSON array of texts`)
    const parts = Either.isRight(json) ? json.right : partsOf(text)
    if (parts === undefined) {
      return Either.left(`${given(text)} has a comma within brackets, which could be a part of a name: write JSON`)
    }
    const items = parts.map((part) => part.trim())
    if (items.includes("")) return Either.left(`${given(text)} has an empty name in it`)
    const wrong = items.find((one) => !item.test(one))
    return wrong === undefined ? Either.right(items) : Either.left(notRight(wrong))
  }
})

/** A list of globs of `what`. One that cannot be read as a glob is refused. */
export const globsOf = (what: string, example: string, item?: RegExp): Accepted<ReadonlyArray<string>> => {
  const list = listOf(what, example, item)
  return {
    expected: list.expected,
    parse: (text) =>
      Either.filterOrLeft(
        list.parse(text),
        (globs) => globs.every(isReadable),
        () => `${given(text)} has a glob that cannot be read, because of what stands in its brackets: write \\[ for [`
      )
  }
}

/** The address of `whose` API; the value is without the API's path and without a slash at the end. */
export const address = (whose: string, example: string): Accepted<string> => ({
  expected: `${whose}'s address, like "${example}"`,
  parse: (text) => {
    if (!URL.canParse(text)) return Either.left(`${given(text)} is not a URL`)
    const url = new URL(text)
    // The text is not repeated, because it holds a password.
    if (url.username !== "" || url.password !== "") return Either.left("the URL carries a user name or a password")
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return Either.left(`${given(text)} is neither http nor https`)
    }
    if (url.search !== "" || url.hash !== "") return Either.left(`${given(text)} has a query or a fragment`)
    return Either.right(url.origin + url.pathname.replace(/\/+$/, "").replace(apiPath, "").replace(/\/+$/, ""))
  }
})

/** A secret that goes into a header, where a line feed would begin another header. It is never repeated. */
export const token = (expected: string): Accepted<Redacted.Redacted> => ({
  expected,
  parse: (text) =>
    /^[\x21-\x7E]+$/.test(text)
      ? Either.right(Secret.make(text))
      : Either.left("it has blanks or characters other than visible ASCII")
})

/** A secret that may be any text. */
export const anySecret: Accepted<Redacted.Redacted> = {
  expected: "any text",
  parse: (text) => Either.right(Secret.make(text))
}
