import { cleanText, reasonLimit } from "../base/Text.js"
import { commentText, gap, longestHtml } from "./CommentText.js"

/** What a command does, for people; and whether it needs words behind it, with an example. */
interface Explained {
  readonly does: string
  readonly needs?: string
}

/** All commands, in the order in which they are shown. */
const explained = {
  approve: { does: "lets the task leave this stage, as far as the gate `human` is concerned" },
  reject: { does: "fails the gate `human` of this stage", needs: "the error page is missing" },
  answer: { does: "answers the question that is open", needs: "use Postgres" },
  retry: { does: "launches this stage's agent once more" },
  pause: { does: "launches no more agents for this task" },
  resume: { does: "launches them again" },
  cancel: { does: "stops the task; its state in Plane is left to you" },
  status: { does: "says where the task is" },
  help: { does: "says this" }
} satisfies Readonly<Record<string, Explained>>

export type CommandWord = keyof typeof explained

const details: Readonly<Record<CommandWord, Explained>> = explained

const isWord = (text: string): text is CommandWord => Object.hasOwn(explained, text)

/** A command that a comment begins with. */
export interface Command {
  readonly word: CommandWord
  /** What stands behind it, up to 4,000 characters; empty if nothing does. */
  readonly text: string
  /** The user whom it begins by mentioning, lower case. It is a command only if that is ours. */
  readonly to?: string
  /** Why it cannot be done as it stands, and what would be right. */
  readonly wrong?: string
}

// What is there and not seen: blanks, and characters without a width.
const unseen = /^[\s\u200B-\u200D\u2060\uFEFF]+/u

/** Who is mentioned at the beginning: Plane shows the name, which is not in the text. */
const address = new RegExp(`^${gap}@([0-9a-f-]{36})`)

/**
 * The word, and what may end it. A question mark does not: "/approve?" asks. A dot, a colon or an exclamation mark must
 * have a blank behind it, or nothing.
 */
const begin = /^\/([a-z]{1,20})(?:[.:!](?=\s|$)|(?=\s|$))/iu

/** What every comment that begins with a command has in its HTML: most others need no parser. */
const mayBegin = /^(?:[\s\u200B-\u200D\u2060\uFEFF]|&nbsp;|<[^>]*>)*[/&]/u

const wrongOf = (word: CommandWord, text: string, isCut: boolean): string | undefined => {
  const { needs } = details[word]
  if (isCut || text.length > reasonLimit) {
    return `the comment is too long: expected at most ${reasonLimit.toLocaleString("en-US")} characters`
  }
  return needs !== undefined && text === "" ? `it needs words behind it, like: /${word} ${needs}` : undefined
}

/**
 * The command that a comment begins with, if it does: the first thing that is seen in it is the command, in plain text.
 * Code, quotes, lists, pictures and what is hidden are none, and so is a comment that begins with them. It may begin with
 * a mention, because people address who they talk to.
 */
export const commandIn = (html: string): Command | undefined => {
  if (!mayBegin.test(html.slice(0, longestHtml))) return undefined
  const read = commentText(html)
  const whoAndWhat = read.text.replace(unseen, "")
  const [mention, to] = address.exec(whoAndWhat) ?? []
  const text = whoAndWhat.slice(mention?.length ?? 0).replace(unseen, "")
  const [whole, given = ""] = begin.exec(text) ?? []
  const word = given.toLowerCase()
  if (whole === undefined || !isWord(word)) return undefined
  const rest = text.slice(whole.length).replaceAll(gap, "").replace(/\n(?:[^\S\n]*\n)+/g, "\n").trim()
  const wrong = wrongOf(word, rest, read.isCut)
  return {
    word,
    text: cleanText(rest, reasonLimit),
    ...(to === undefined ? {} : { to }),
    ...(wrong === undefined ? {} : { wrong })
  }
}

/** What `/help` says. It does not begin like a command. */
export const helpText: string = [
  "Commands, each at the beginning of a comment of its own:",
  ...Object.entries(details).map(([word, { does, needs }]) => `/${word}${needs === undefined ? "" : " …"} – ${does}`)
].join("\n")
