const escapeForPattern = (text: string) => text.replace(/[.+^$()|{}[\]\\]/g, "\\$&")

// `[abc]`, `[!a]`, `{one,two}`, `\x`, `**`, `*`, `?`, and every other character.
const pieces = /\[(!|\^)?((?:\\.|[^\]\\])+)\]|\{([^{}]*)\}|\\(.)|(\*+)|(\?)|(.)/gsu

/**
 * The pattern of a glob as Gitea reads those of its branch protection: `*` is any text, also with slashes, because the
 * names of checks are full of them; `?` is one character, `[abc]` one of these, and `{one,two}` one of these texts. All
 * else stands for itself. (Libraries for the globs of files treat slashes, dots and parentheses in ways of their own.)
 */
export const globPattern = (glob: string): RegExp => new RegExp(`^${sourceOf(glob)}$`, "su")

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

/** Whether a text means something else than itself as a glob. */
export const isGlob = (text: string): boolean => /[*?[{\\]/.test(text)

/** Whether a text matches one of these globs. */
export const matchesAny = (globs: ReadonlyArray<string>) => {
  const patterns = globs.map(globPattern)
  return (text: string): boolean => patterns.some((pattern) => pattern.test(text))
}
