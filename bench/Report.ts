import type { Figure } from "./Figure.js"
import { Aim, holds } from "./Figure.js"

/** A number as a person reads it: with thousands apart, and no more digits than mean something. */
export const readable = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 2 })

const limitText = Aim.$match({
  AtMost: ({ limit }) => `≤ ${readable(limit)}`,
  AtLeast: ({ limit }) => `≥ ${readable(limit)}`
})

const aimText = ({ aim }: Figure): string => aim === undefined ? "none" : limitText(aim)

/** A figure as one line of JSON. It has `beside` if something was measured beside it. */
export const jsonLine = (figure: Figure): string =>
  JSON.stringify({
    row: figure.row,
    value: Number(figure.value.toPrecision(6)),
    unit: figure.unit,
    aim: aimText(figure),
    holds: holds(figure),
    ...(figure.beside === undefined
      ? {}
      : { beside: { what: figure.beside.what, value: Number(figure.beside.value.toPrecision(6)) } })
  })

const headings = ["row", "value", "unit", "aim", "holds", "beside it", "what it means"]

const cells = (figure: Figure): ReadonlyArray<string> => [
  figure.row,
  readable(figure.value),
  figure.unit,
  aimText(figure),
  holds(figure) ? "yes" : "NO",
  figure.beside === undefined ? "" : `${readable(figure.beside.value)} ${figure.beside.what}`,
  figure.means
]

/** The figures as an aligned table. */
export const table = (figures: ReadonlyArray<Figure>): string => {
  const lines = [headings, ...figures.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n")
}

/** Says in one line whether all aims hold, and names those that do not. */
export const verdict = (figures: ReadonlyArray<Figure>): string => {
  const missed = figures.filter((figure) => !holds(figure))
  return missed.length === 0
    ? "All aims hold."
    : `Missed: ${missed.map((each) => `${each.row} (${readable(each.value)}, ${aimText(each)})`).join(", ")}`
}

/** The exit code of the run. */
export const exitCode = (figures: ReadonlyArray<Figure>, strict: boolean): 0 | 1 =>
  strict && !figures.every(holds) ? 1 : 0
