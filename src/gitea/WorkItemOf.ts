import { CanonicalKey } from "../domain/WorkItemKey.js"

/** What a pull request says about itself, as far as it can name a work item. */
export interface PullRequestText {
  readonly branch: string
  readonly title: string
  readonly body: string
}

/** Which work item a pull request is about. */
export type WorkItemOf =
  | { readonly _tag: "Named"; readonly key: CanonicalKey }
  | { readonly _tag: "Unnamed" }
  /** Several are named in the same place: a guess could move the wrong task. */
  | { readonly _tag: "Ambiguous"; readonly keys: ReadonlyArray<CanonicalKey> }

const closing = "(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)"
// A letter or digit before or after makes it another word: "ET-2" is not in "BET-2" or "ET-20".
const before = "(?<![\\p{L}\\p{N}_])"
const after = "(?![\\p{L}\\p{N}_])"
const draft = /^\s*(?:\[WIP\]|WIP:)\s*/i

/**
 * Reads which work item a pull request is about: from its branch, then from its title without the mark of a draft, then
 * from its body. In the body a key counts only in brackets or after a closing word, because a body mentions other work
 * items too. The first of these that names any decides.
 */
export const workItemReader = (identifier: string) => {
  // An identifier has only letters and digits, so it needs no escaping.
  const key = `${identifier}-0*([1-9][0-9]{0,9})`
  const anywhere = new RegExp(`${before}${key}${after}`, "giu")
  const marked = new RegExp(`\\[${key}\\]|${before}${closing}:?\\s+${key}${after}`, "giu")

  const keysIn = (text: string, pattern: RegExp) =>
    new Set(Array.from(text.matchAll(pattern), ([, one, other]) => CanonicalKey(`${identifier}-${one ?? other ?? ""}`)))

  return ({ body, branch, title }: PullRequestText): WorkItemOf => {
    const levels = [keysIn(branch, anywhere), keysIn(title.replace(draft, ""), anywhere), keysIn(body, marked)]
    const [first, ...others] = levels.find(({ size }) => size > 0) ?? []
    if (first === undefined) return { _tag: "Unnamed" }
    return others.length === 0 ? { _tag: "Named", key: first } : { _tag: "Ambiguous", keys: [first, ...others] }
  }
}
