import type { DefaultTreeAdapterTypes } from "parse5"
import { parseFragment } from "parse5"

/**
 * What Plane's editor, or anybody by the API, has made of what was written in a comment. Tags are read by an HTML
 * parser, because what is code, hidden or a quote cannot be told by regular expressions.
 */
export interface CommentText {
  /** Its lines. A `gap` stands before what is no plain text, such as code, a quote or an image. */
  readonly text: string
  /** It is longer than what is read. */
  readonly isCut: boolean
}

/** Stands before what is seen, but not said in plain text. */
export const gap = "\uFFFC"

/**
 * How much of a comment's HTML is read, in UTF-16 units: what it takes to read the worst of it grows with the square.
 * The longest text that counts fits, with the tags of forty paragraphs.
 */
export const longestHtml = 8_192

/** More within each other than any editor makes. What is below is not read. */
const deepest = 64

type Node = DefaultTreeAdapterTypes.ChildNode

const plain = new Set(
  "a b big center dd dl dt em font h1 h2 h3 h4 h5 h6 i ins mark ol p div small span strong sub sup u ul".split(" ")
)
/** Seen, but not as plain words: code, what others have said, what is taken back, a bullet. Its text is read. */
const marked = new Set("blockquote code del kbd li pre q s samp strike tt".split(" "))
const blocks = new Set("blockquote dd div dl dt h1 h2 h3 h4 h5 h6 li ol p pre ul".split(" "))

const hiding = /display|visibility|opacity|font-size|position/i

/** A user who is mentioned: the element is empty, and Plane shows a name in its place. */
const mentioned = (attributes: ReadonlyArray<{ readonly name: string; readonly value: string }>) => {
  const id = attributes.find(({ name }) => name === "entity_identifier")?.value ?? ""
  return /^[0-9a-fA-F-]{36}$/.test(id) ? `@${id.toLowerCase()}` : ""
}

const mayBeHidden = (attributes: ReadonlyArray<{ readonly name: string; readonly value: string }>) =>
  attributes.some(({ name, value }) => name === "hidden" || (name === "style" && hiding.test(value)))

const textIn = (nodes: ReadonlyArray<Node>, depth: number, isCode: boolean): string =>
  nodes.map((node) => {
    if (node.nodeName === "#text" && "value" in node) return isCode ? node.value : node.value.replace(/\s+/g, " ")
    if (node.nodeName === "br") return "\n"
    if (node.nodeName === "#comment" || !("tagName" in node)) return ""
    const { attrs, childNodes, tagName } = node
    if (tagName === "mention-component") return gap + mentioned(attrs)
    if (depth >= deepest || mayBeHidden(attrs) || !(plain.has(tagName) || marked.has(tagName))) return gap
    const text = textIn(childNodes, depth + 1, isCode || tagName === "pre")
    const said = marked.has(tagName) ? gap + text : text
    return blocks.has(tagName) ? `\n${said}\n` : said
  }).join("")

/** The text of a comment's HTML. */
export const commentText = (html: string): CommentText => ({
  text: textIn(parseFragment(html.slice(0, longestHtml)).childNodes, 0, false).replace(/[^\S\n]+\n/g, "\n"),
  isCut: html.length > longestHtml
})
