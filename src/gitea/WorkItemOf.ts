/** What a pull request says about itself, as far as it can name a work item. */
export interface PullRequestText {
  readonly branch: string
  readonly title: string
  readonly body: string
}

/** The work item that a pull request is about, canonical ("ET-2"). */
export type WorkItemOf =
  | { readonly _tag: "Named"; readonly key: string }
  | { readonly _tag: "Unnamed" }
  /** Several are named at the same level: a guess could move the wrong task. */
  | { readonly _tag: "Ambiguous"; readonly keys: ReadonlyArray<string> }

const closing = "(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)"
// What stands before or after makes another word of it: "ET-2" is in neither "BET-2" nor "ET-20".
const before = "(?<![\\p{L}\\p{N}_])"
const after = "(?![\\p{L}\\p{N}_])"
const draft = /^\s*(?:\[WIP\]|WIP:)\s*/i

/**
 * Reads the work item of a pull request: its branch first, then its title without the mark of a draft, then its body, but
 * that only in brackets or after a closing word, for a body mentions others too. The first level that names any decides.
 */
export const workItemReader = (identifier: string) => {
  // An identifier is letters and digits, so it is a pattern of itself.
  const key = `${identifier}-0*([1-9][0-9]{0,9})`
  const anywhere = new RegExp(`${before}${key}${after}`, "giu")
  const marked = new RegExp(`\\[${key}\\]|${before}${closing}:?\\s+${key}${after}`, "giu")

  const keysIn = (text: string, pattern: RegExp) =>
    new Set(Array.from(text.matchAll(pattern), ([, one, other]) => `${identifier}-${one ?? other ?? ""}`))

  return ({ body, branch, title }: PullRequestText): WorkItemOf => {
    const levels = [keysIn(branch, anywhere), keysIn(title.replace(draft, ""), anywhere), keysIn(body, marked)]
    const [first, ...others] = levels.find(({ size }) => size > 0) ?? []
    if (first === undefined) return { _tag: "Unnamed" }
    return others.length === 0 ? { _tag: "Named", key: first } : { _tag: "Ambiguous", keys: [first, ...others] }
  }
}
