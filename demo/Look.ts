import { styleText } from "node:util"

/** How the demo's output looks: in colour on a terminal or with FORCE_COLOR, plain in a pipe or with NO_COLOR. */

const isSet = (name: string) => (process.env[name] ?? "") !== ""

const coloured = (process.stdout.isTTY || isSet("FORCE_COLOR")) && !isSet("NO_COLOR")

type Format = Parameters<typeof styleText>[0]
export type Paint = (text: string) => string

const paint = (format: Format): Paint => coloured ? (text) => styleText(format, text) : (text) => text

export const plain: Paint = (text) => text
export const dim = paint("gray")
export const bold = paint("bold")
export const good = paint(["bold", "green"])
export const bad = paint(["bold", "red"])
export const warn = paint("yellow")
export const keys: ReadonlyArray<Paint> = [paint("cyan"), paint("magenta"), paint("blue")]

const states: Readonly<Record<string, Paint>> = {
  "In Progress": paint("yellow"),
  "Done": paint("green")
}

/** A state's name in the colour of its column. */
export const state = (name: string): string => (states[name.trimEnd()] ?? dim)(name)

/** The width of the widest line: that of a terminal that nobody has made wider. */
export const width = 80

/** How many columns a text takes: an emoji takes two. */
export const columnsOf = (text: string): number =>
  Array.from(text.replace(/\uFE0F/g, "")).reduce(
    (sum, one) => sum + (/\p{Extended_Pictographic}/u.test(one) ? 2 : 1),
    0
  )

/** Breaks a text between its words, so that it fits behind an indentation. */
export const folded = (text: string, indentation: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`
    if (line !== "" && columnsOf(longer) > width - indentation) {
      lines.push(line)
      line = word
    } else {
      line = longer
    }
  }
  return [...lines, line]
}

/** A paragraph behind two blanks. */
export const paragraph = (text: string): string => folded(text, 2).map((line) => `  ${line}`).join("\n")

/** A line across the output, with a title in it. */
export const rule = (title: string, as: Paint): string =>
  as(`── ${title} ${"─".repeat(Math.max(0, width - title.length - 4))}`)

/** A time since the start, in a column of eight. */
export const time = (millis: number): string => dim(`${(millis / 1000).toFixed(1).padStart(4)} s  `)
