import { stripVTControlCharacters } from "node:util"
import { columnsOf, width } from "./Look.js"

/**
 * A picture of what the demo prints in a terminal, as SVG. It has the lines of one task, what is said of Plane, and the
 * end, as they were printed.
 */

const shownKey = "ET-2"
const shownProject = "ET"

const sheet = { column: 8, line: 18, margin: 16, text: 13 }

const foreground = "#e6edf3"

/** The colours by their codes. */
const colours: ReadonlyMap<number, string> = new Map([
  [31, "#ff7b72"],
  [32, "#3fb950"],
  [33, "#d29922"],
  [34, "#58a6ff"],
  [35, "#bc8cff"],
  [36, "#39c5cf"],
  [39, foreground],
  [90, "#8b949e"]
])

interface Style {
  readonly colour: string
  readonly bold: boolean
}

interface Run extends Style {
  readonly text: string
}

const plain: Style = { colour: foreground, bold: false }

const styled = (style: Style, code: number): Style => {
  if (code === 0) return plain
  if (code === 1 || code === 22) return { ...style, bold: code === 1 }
  return { ...style, colour: colours.get(code) ?? style.colour }
}

/** A line as it was printed: its plain text, and the same in parts of one style, with characters of one width. */
interface Line {
  readonly text: string
  readonly runs: ReadonlyArray<Run>
}

/** The lines of the output. A style goes on behind a line's end. */
const linesOf = (output: string): ReadonlyArray<Line> => {
  let style = plain
  return output.split(/\r?\n/).map((line) => {
    const runs: Array<Run> = []
    for (const part of line.split(/(\x1B\[[\d;]*m)/)) {
      if (part.startsWith("\x1B")) {
        for (const code of part.slice(2, -1).split(";")) style = styled(style, Number(code))
        continue
      }
      for (const text of part.split(/(\p{Extended_Pictographic}\uFE0F?| {2,})/u)) {
        if (text !== "") runs.push({ ...style, text })
      }
    }
    return { text: stripVTControlCharacters(line), runs }
  })
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const drawn = ({ runs }: Line, index: number): string => {
  const y = sheet.margin + sheet.line * index + sheet.text
  let column = 0
  return runs.flatMap(({ bold, colour, text }) => {
    const x = sheet.margin + column * sheet.column
    const columns = columnsOf(text)
    column += columns
    if (text.trim() === "") return []
    // With its length each text stays in its columns, whatever font there is.
    const length = ` textLength="${columns * sheet.column}" lengthAdjust="spacingAndGlyphs"`
    const weight = bold ? " font-weight=\"bold\"" : ""
    return [`<text x="${x}" y="${y}"${length} fill="${colour}"${weight}>${escaped(text)}</text>`]
  }).join("")
}

/** What is said of a project. */
const ofProject = /^[!✗] ([A-Z0-9]+): /

/** Whether a line without a key is about Plane, and not the rest of a comment, or about another project. */
const isOfPlane = (text: string) =>
  !["▌", "✎", " "].includes(text.slice(0, 1)) && (ofProject.exec(text)?.[1] ?? shownProject) === shownProject

const hasTime = /^ *\d+\.\d s {2}/

/** The lines that the picture shows. Undefined if the demo has not come to its end, or prints something else by now. */
const shownOf = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> | undefined => {
  const last = lines.findIndex(({ text }) => text.startsWith("  ✔ "))
  const first = lines.findIndex(({ text }) => hasTime.test(text))
  const table = lines.findIndex(({ text }) => text.startsWith("── what Plane shows"))
  if (first < 0 || table < first || last < table) return undefined
  let owner = ""
  let isShown = false
  const story = lines.slice(first, table).filter(({ text }) => {
    if (text.startsWith("──")) return true
    // A line without a time goes on with what is above.
    if (!hasTime.test(text)) return isShown
    const key = text.slice(8, 15).trim()
    if (key !== "") owner = key
    // Without a key it is the rest of what its task was told, or about Plane.
    isShown = owner === shownKey || (key === "" && isOfPlane(text.slice(15)))
    return isShown
  })
  return story.some(({ text }) => text.includes(shownKey)) ? [...story, ...lines.slice(table, last + 1)] : undefined
}

/** The picture of what the demo has printed. */
export const pictureOf = (output: string): string | undefined => {
  const shown = shownOf(linesOf(output))
  if (shown === undefined) return undefined
  const lines = [
    ...linesOf(`$ npm run demo\x1B[90m    # of its three tasks, the lines of ${shownKey}\x1B[39m\n`),
    ...shown
  ]
  const size = { x: 2 * sheet.margin + width * sheet.column, y: 2 * sheet.margin + lines.length * sheet.line }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.x} ${size.y}" width="${size.x}" height="${size.y}"`,
    `  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"`,
    `  font-size="${sheet.text}" xml:space="preserve">`,
    "<title>plane-sync: what npm run demo prints</title>",
    `<rect width="${size.x}" height="${size.y}" rx="8" fill="#0d1117"/>`,
    ...lines.map(drawn).filter((line) => line !== ""),
    "</svg>",
    ""
  ].join("\n")
}
