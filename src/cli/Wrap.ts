/** The columns of a terminal that nobody has made wider. */
const columns = 80

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

// Those that a terminal shows in two columns: East Asian ones, and pictures.
const wide =
  /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]/u

/** How many columns a terminal shows a text in, as far as that can be told. */
export const widthOf = (text: string): number =>
  Array.from(graphemes.segment(text)).reduce((sum, { segment }) => sum + (wide.test(segment) ? 2 : 1), 0)

/** Puts words into lines of at most 80 columns. Words are never broken; each line but the last ends in `end`. */
const filled = (words: ReadonlyArray<string>, first: string, next: string, end = ""): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = first
  let isEmpty = true
  for (const word of words) {
    const longer = isEmpty ? line + word : `${line} ${word}`
    if (isEmpty || widthOf(longer + end) <= columns) {
      line = longer
      isEmpty = false
    } else {
      lines.push(line + end)
      line = next + word
    }
  }
  return isEmpty ? lines : [...lines, line]
}

/** A text in lines of at most 80 columns. The first begins with `first`, the others with `next`. */
export const wrapped = (text: string, first: string, next = first): ReadonlyArray<string> =>
  filled(text.split(/\s+/).filter((word) => word !== ""), first, next)

/** A text in lines of at most 80 columns. The first begins with `first`, and the others are indented as far. */
export const hanging = (first: string, text: string): ReadonlyArray<string> =>
  wrapped(text, first, " ".repeat(widthOf(first)))

// What belongs together: something in brackets, an option with its value, a text in quotes.
const parts = (line: string): ReadonlyArray<string> =>
  line.match(/\[[^\]]*\]|--\S+ (?:"[^"]*"|[^-<[\s]\S*)|"[^"]*"|\S+/g) ?? []

/** How a command is written, in lines of at most 80 columns. */
export const wrappedUsage = (line: string, first: string, next: string): ReadonlyArray<string> =>
  filled(parts(line), first, next)

/** A command line to copy, in lines of at most 80 columns, which a shell joins again. */
export const wrappedCommand = (line: string, first: string, next: string): ReadonlyArray<string> =>
  filled(parts(line), first, next, " \\")
