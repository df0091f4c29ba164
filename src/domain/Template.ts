import { Either } from "effect"

/** A piece of a template: its own words, a value, or words that are only there if all of their values are. */
type Piece =
  | { readonly _tag: "Words"; readonly words: string }
  | { readonly _tag: "Value"; readonly name: string }
  | { readonly _tag: "Perhaps"; readonly pieces: ReadonlyArray<Piece> }

/** A plain text with places for values. */
export interface Template {
  readonly pieces: ReadonlyArray<Piece>
}

/** The values that a template may name. */
export interface Values {
  /** Those that are always there. */
  readonly always: ReadonlyArray<string>
  /** Those that may be missing: they stand in brackets. */
  readonly perhaps: ReadonlyArray<string>
}

/** The longest template, in characters. */
export const longestTemplate = 500

// Doubled braces and brackets are meant literally.
const tokens = /\{\{|\}\}|\[\[|\]\]|\{[^{}[\]]*\}|[{}[\]]|[^{}[\]]+/gu

const listed = (names: ReadonlyArray<string>) => names.map((name) => `{${name}}`).join(", ")

/**
 * Reads a template: `{agent}` is a value, and `[ (launching {agent})]` is only there if its values are. `{{`, `}}`,
 * `[[` and `]]` are a brace or a bracket. Left: what is wrong with it, and what would be right.
 */
export const parseTemplate = (text: string, { always, perhaps }: Values): Either.Either<Template, string> => {
  if (text.length > longestTemplate) {
    return Either.left(`it has ${text.length} characters: expected at most ${longestTemplate}`)
  }
  if (/[\p{Cc}\u2028\u2029]/u.test(text)) {
    return Either.left("it has a line break, a tab or a control character: expected one line")
  }
  const pieces: Array<Piece> = []
  let inBrackets: Array<Piece> | undefined
  for (const [token] of text.matchAll(tokens)) {
    const add = (piece: Piece) => (inBrackets ?? pieces).push(piece)
    if (["{{", "}}", "[[", "]]"].includes(token)) add({ _tag: "Words", words: token.slice(1) })
    else if (token === "{" || token === "}") {
      return Either.left(
        `its braces are not balanced: expected a value within { and }, or ${token}${token} for a brace`
      )
    } else if (token === "[") {
      if (inBrackets !== undefined) return Either.left("it has brackets within brackets: expected [[ for a bracket")
      inBrackets = []
    } else if (token === "]") {
      if (inBrackets === undefined) return Either.left("its brackets are not balanced: expected ]] for a bracket")
      if (!inBrackets.some(({ _tag }) => _tag === "Value")) {
        return Either.left("its brackets have no value in them: expected one, or [[ and ]] for brackets")
      }
      pieces.push({ _tag: "Perhaps", pieces: inBrackets })
      inBrackets = undefined
    } else if (token.startsWith("{")) {
      const name = token.slice(1, -1)
      if (![...always, ...perhaps].includes(name)) {
        return Either.left(`${token} is no value of it: expected one of ${listed([...always, ...perhaps])}`)
      }
      if (inBrackets === undefined && perhaps.includes(name)) {
        return Either.left(`${token} may be missing: expected it in brackets with its words, like "[ (${token})]"`)
      }
      add({ _tag: "Value", name })
    } else add({ _tag: "Words", words: token })
  }
  if (inBrackets !== undefined) return Either.left("its brackets are not balanced: expected [[ for a bracket")
  // A comment may not be empty, and ours are known again by their letters.
  return pieces.some((piece) => piece._tag === "Words" && /[\p{L}\p{N}]/u.test(piece.words))
    ? Either.right({ pieces })
    : Either.left("it has no words of its own: expected some outside of braces and brackets")
}

/** The text with these values. One that is missing or empty takes the words in its brackets away. */
export const filled = ({ pieces }: Template, values: Readonly<Record<string, string | undefined>>): string => {
  const valueOf = (name: string) => values[name] ?? ""
  const textOf = (piece: Piece): string => {
    switch (piece._tag) {
      case "Words":
        return piece.words
      case "Value":
        return valueOf(piece.name)
      case "Perhaps":
        return piece.pieces.every((one) => one._tag !== "Value" || valueOf(one.name) !== "")
          ? piece.pieces.map(textOf).join("")
          : ""
    }
  }
  return pieces.map(textOf).join("")
}
