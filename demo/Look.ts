import { styleText } from "node:util"

/** How the demo's output looks: in colour on a terminal, plain in a pipe or with NO_COLOR. */

const coloured = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === ""

type Format = Parameters<typeof styleText>[0]
export type Paint = (text: string) => string

const paint = (format: Format): Paint => coloured ? (text) => styleText(format, text) : (text) => text

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

/** The width of the widest line. */
export const width = 104

/** A line across the output, with a title in it. */
export const rule = (title: string, as: Paint): string => as(`──── ${title} ${"─".repeat(width - title.length - 6)}`)

/** Cuts a text so that it fits behind an indentation. */
export const fit = (text: string, indentation: number): string =>
  text.length <= width - indentation ? text : `${text.slice(0, width - indentation - 1)}…`

/** A time since the start, in a column. */
export const time = (millis: number): string => dim(`${(millis / 1000).toFixed(2).padStart(6)} s`)
