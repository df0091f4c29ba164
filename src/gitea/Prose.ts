import type { Nodes } from "mdast"
import { fromMarkdown } from "mdast-util-from-markdown"
import { gfmFromMarkdown } from "mdast-util-gfm"
import { gfm } from "micromark-extension-gfm"

/**
 * What a description may have of that for which micromark takes the square of the time, or the stack: anybody who opens
 * a pull request chooses its text, and people write far less of it.
 */
const mostBrackets = 1_000
const mostTildes = 500
const mostLines = 1_000
const mostNested = 16

/** A line that begins with more quotes and lists within each other than anybody writes. */
const nestedLine = new RegExp(`^(?:[ \\t]*(?:>|(?:[*+-]|[0-9]{1,9}[.)])(?=[ \\t]))){${mostNested + 1}}`, "m")

const countOf = (pattern: RegExp, text: string) => text.match(pattern)?.length ?? 0

const isTooIntricate = (text: string) =>
  countOf(/[[\]]/g, text) > mostBrackets || countOf(/~/g, text) > mostTildes ||
  countOf(/\n|\r/g, text) > mostLines || nestedLine.test(text)

/** Stands in prose for what people do not say there: code, quoted or struck text, an image, a tag. */
export const gap = "\uFFFC"

/** The longest text that is read, in UTF-16 units. What comes after it is not: pull requests are described in less. */
const longest = 16_384

// What is between these tags is hidden, quoted or struck, as between their Markdown counterparts.
const hiding = /<(\/?)(?:blockquote|code|del|kbd|pre|q|s|samp|script|strike|style|template|textarea|title)\b[^>]*>/giu

// Micromark takes the square of the text's length to pair the marks of emphasis, and prose is the same without them.
const withoutEmphasis = { disable: { null: ["attention"] } }
const emphasis = /\*+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu

/**
 * The prose of a Markdown text, a string for each paragraph, heading or cell. Comments, code, quotes, struck text and
 * images are no prose, and a `gap` stands for them. A link is its text.
 *
 * Read by micromark with GitHub's extensions, as Gitea renders it, because what is a comment or a block of code cannot
 * be told by regular expressions. A text that is too intricate to be read has no prose.
 */
export const proseOf = (markdown: string): ReadonlyArray<string> => {
  let hidden = 0
  const passTags = (html: string) => {
    for (const [, closes] of html.matchAll(hiding)) hidden = closes === "" ? hidden + 1 : Math.max(0, hidden - 1)
  }

  const inline = (node: Nodes): string => {
    switch (node.type) {
      case "text":
        return hidden > 0 ? gap : node.value.replace(emphasis, "")
      case "break":
        return "\n"
      case "html":
        passTags(node.value)
        return gap
      case "link":
      case "linkReference":
        // Brackets within a link are the link's.
        return node.children.map(inline).join("").replace(/[[\]]/g, "")
      default:
        return gap
    }
  }

  const blocks = (node: Nodes): ReadonlyArray<string> => {
    switch (node.type) {
      case "heading":
      case "paragraph":
      case "tableCell":
        return [node.children.map(inline).join("")]
      case "html":
        passTags(node.value)
        return []
      case "list":
      case "listItem":
      case "root":
      case "table":
      case "tableRow":
      case "footnoteDefinition":
        return node.children.flatMap(blocks)
      default:
        return []
    }
  }

  const text = markdown.slice(0, longest)
  if (isTooIntricate(text)) return []
  return blocks(fromMarkdown(text, {
    extensions: [gfm(), withoutEmphasis],
    mdastExtensions: [gfmFromMarkdown()]
  }))
}
