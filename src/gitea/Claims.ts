import { CanonicalKey } from "../domain/WorkItemKey.js"
import { gap, proseOf } from "./Prose.js"

/** What a pull request says about itself, as far as it can be about a work item. */
export interface PullRequestText {
  /** Its own branch, without the owner. */
  readonly branch: string
  readonly title: string
  /** Markdown. */
  readonly body: string
}

/** A pull request is about a work item, or takes back what was done for it. */
export interface Claim {
  readonly key: CanonicalKey
  readonly kind: "about" | "reverts"
}

/** The longest title that is read, in UTF-16 units. Gitea's have up to 255 characters. */
const longestTitle = 1_024

/** The most work items that one pull request can be about, because each costs. */
const mostClaims = 100

/** What Gitea puts before the title of a draft. */
export const draftPrefix = /^(?:\s*(?:\[WIP\]|WIP:))+\s*/i

// A word next to a key makes it another word: "ET-2" is not in "BET-2" or "ET-20". In "et-2.1.0" it is a version.
const before = "(?<![\\p{L}\\p{N}])"
const after = "(?![\\p{L}\\p{N}]|\\.\\p{N})"
const between = "(?:\\s*[,;&+/]\\s*(?:and\\s+)?|\\s+and\\s+|\\s+)"
const closing = "(?<![\\p{L}\\p{N}_-])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)"
const negation =
  /(?:n['’]t|(?:do|does|did|wo|ca|is|should|would|could)nt|(?<!\p{L})(?:not(?! only\b)|never|cannot|without|neither|nor|nothing|no longer))(?!\p{L})/iu
const clauseEnd = new RegExp(`[.!?;]\\s|${gap}|(?<!\\p{L})but(?!\\p{L})`, "giu")

/** The branch that Gitea makes for taking a change back, also below a prefix. */
const revertBranch = /^revert-|\/revert-[0-9]+-/i

// Each opening mark, and those that may close it.
const quotes: Readonly<Record<string, string>> = {
  "\"": "\"”",
  "“": "”\"",
  "„": "“”\"",
  "«": "»",
  "'": "'’",
  "‘": "’'",
  "`": "`"
}
const reverting = /(?<![\p{L}\p{N}])revert(?:s|ed)?:?\s*(["“„«'‘`])/isu

/** `Revert "…"` with what comes before and after it, as Gitea and git title what takes a change back. */
const revertOf = (title: string) => {
  const found = reverting.exec(title)
  if (found === null) return undefined
  const marks = quotes[found[1] ?? ""] ?? ""
  const before = title.slice(0, found.index)
  const inside = title.slice(found.index + found[0].length)
  // The last mark closes. Without one the title was cut.
  const end = Math.max(...Array.from(marks, (mark) => inside.lastIndexOf(mark)))
  return end < 0
    ? { before, inside, rest: "" }
    : { before, inside: inside.slice(0, end), rest: inside.slice(end + 1) }
}

/** What a title says is done, and what it says is taken back. Taken back twice, it is done again. */
const readTitle = (title: string): { readonly done: string; readonly reverted: string } => {
  const plain = title.replace(draftPrefix, "")
  const revert = revertOf(plain)
  if (revert === undefined) return { done: plain, reverted: "" }
  const inner = readTitle(revert.inside)
  return { done: `${revert.before} ${inner.reverted} ${revert.rest}`.trim(), reverted: inner.done }
}

/**
 * Whether a sentence denies what follows this text: "this does not …". A closing word with a capital letter at the
 * beginning of a line begins a sentence, though the line before has no full stop.
 */
const isDenied = (text: string, word: string) => {
  if (/\n\s*$/.test(text) && /^\p{Lu}\p{Ll}/u.test(word)) return false
  const start = Array.from(text.matchAll(clauseEnd)).at(-1)
  return negation.test(start === undefined ? text : text.slice(start.index + start[0].length))
}

/**
 * Reads which work items of these projects a pull request is about. Three places add up: its branch, the keys that its title begins with,
 * and in its body those directly after a closing word ("Closes ET-24 and ET-25") or in brackets ("[ET-26]"). A key
 * elsewhere in the title counts only if none of these names any, because titles mention other work items too.
 */
export const claimReader = (
  identifiers: ReadonlyArray<string>
): (text: PullRequestText) => ReadonlyArray<Claim> => {
  if (identifiers.length === 0) return () => []
  // An identifier has only letters and digits, so it needs no escaping.
  const any = `(${identifiers.join("|")})`
  const key = `${before}${any}-0*([1-9][0-9]{0,9})${after}`
  const keys = new RegExp(key, "giu")
  const anyOrder = `[\\[(]*${key}[\\])]*`
  // The groups are those of the first key, which is read again with the others.
  const beginning = new RegExp(`^\\s*${anyOrder}(?:${between}?${anyOrder})*`, "iu")
  const closed = new RegExp(`${closing}:?\\s+(${anyOrder}(?:${between}${anyOrder})*)`, "giu")
  const bracketed = new RegExp(`\\[${key}\\]`, "giu")
  const mentioned = new RegExp(`${any}-[0-9]`, "iu")

  /** The project's identifier, in whichever letters it is written. */
  const identifierOf = (written: string) =>
    identifiers.find((one) => new RegExp(`^${one}$`, "iu").test(written)) ?? written

  const keysIn = (text: string) =>
    Array.from(text.matchAll(keys), ([, written = "", number]) => CanonicalKey(`${identifierOf(written)}-${number}`))

  const inProse = (text: string) =>
    Array.from(text.matchAll(closed)).flatMap((found) =>
      isDenied(text.slice(0, found.index), found[0]) ? [] : keysIn(found[1] ?? "")
    ).concat(Array.from(text.matchAll(bracketed)).flatMap(([found]) => keysIn(found)))

  const inBody = (body: string) =>
    // Most bodies name none, and need not be parsed.
    mentioned.test(body) ? proseOf(body).flatMap(inProse) : []

  return ({ body, branch, title }) => {
    const { done, reverted } = readTitle(title.slice(0, longestTitle))
    const named = [
      ...(revertBranch.test(branch) ? [] : keysIn(branch)),
      ...keysIn(beginning.exec(done)?.[0] ?? ""),
      ...inBody(body)
    ]
    const about = new Set(named.length > 0 ? named : keysIn(done))
    const reverts = new Set(keysIn(beginning.exec(reverted)?.[0] ?? reverted))
    return [
      ...Array.from(about, (key): Claim => ({ key, kind: "about" })),
      ...Array.from(reverts).filter((key) => !about.has(key)).map((key): Claim => ({ key, kind: "reverts" }))
    ].slice(0, mostClaims)
  }
}
