import { Option } from "effect"

const escapeForPattern = (text: string) => text.replace(/[.*+?^$()|{}[\]\\]/g, "\\$&")

// `[abc]`, `[!a]`, `{one,two}`, `\x`, `**`, `*`, `?`, and every other character.
const pieces = /\[(!|\^)?((?:\\.|[^\]\\])+)\]|\{([^{}]*)\}|\\(.)|(\*+)|(\?)|(.)/gsu

const sourceOf = (glob: string): string =>
  glob.replace(
    pieces,
    (whole: string, not?: string, set?: string, choices?: string, escaped?: string, any?: string, one?: string) => {
      if (set !== undefined) return `[${not === undefined ? "" : "^"}${set.replace(/[\^[\]\\]/g, "\\$&")}]`
      if (choices !== undefined) return `(?:${choices.split(",").map(sourceOf).join("|")})`
      if (escaped !== undefined) return escapeForPattern(escaped)
      if (any !== undefined) return ".*"
      return one !== undefined ? "." : escapeForPattern(whole)
    }
  )

const compiled = Option.liftThrowable((glob: string) => new RegExp(`^${sourceOf(glob)}$`, "su"))

/** Whether a text can be read as a glob: "ci [linux-amd64]" cannot, because "x-a" is no range of characters. */
export const isReadable = (glob: string): boolean => Option.isSome(compiled(glob))

/**
 * The pattern of a glob as Gitea reads those of its branch protection: `*` is any text, also with slashes, because the
 * names of checks are full of them; `?` is one character, `[abc]` one of these, and `{one,two}` one of these texts. All
 * else stands for itself, and so does the whole of what cannot be read as a glob. (Libraries for the globs of files
 * treat slashes, dots and parentheses in ways of their own.)
 */
export const globPattern = (glob: string): RegExp =>
  Option.getOrElse(compiled(glob), () => new RegExp(`^${escapeForPattern(glob)}$`, "su"))

/** Whether a text means something else than itself as a glob. */
export const isGlob = (text: string): boolean => /[*?[{\\]/.test(text) && isReadable(text)

/** Whether a text matches one of these globs, or is one of them: "test [20]" is also the name of a check. */
export const matchesAny = (globs: ReadonlyArray<string>) => {
  const patterns = globs.map(globPattern)
  return (text: string): boolean => globs.includes(text) || patterns.some((pattern) => pattern.test(text))
}
