/** How wide the text for people is that is wrapped. */
export const columns = 80

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

// Those that a terminal shows in two columns: East Asian ones, and pictures.
const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/u

/** How many columns a terminal shows a text in, as far as that can be told. */
export const widthOf = (text: string): number =>
  Array.from(graphemes.segment(text)).reduce((sum, { segment }) => sum + (wide.test(segment) ? 2 : 1), 0)

/**
 * A text in lines of at most 80 columns, never broken within a word. Its first line follows `first`, and the others are
 * indented as far. A word that is longer than a line has one of its own.
 */
export const wrapped = (first: string, text: string): ReadonlyArray<string> => {
  const indent = " ".repeat(widthOf(first))
  const lines: Array<string> = []
  let line = first
  let isEmpty = true
  for (const word of text.split(" ")) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line)
      line = indent
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}
