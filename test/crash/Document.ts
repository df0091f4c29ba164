import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { machine } from "../../bench/Machine.js"

/** The parts of the document that runs write. */
export type Part = "crash" | "crash-postgres"

const file = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url))

/** The text with `between` as the part of that name. Missing markers are added at the end. */
export const replaced = (text: string, part: Part, between: string): string => {
  const begin = `<!-- ${part}:begin -->`
  const end = `<!-- ${part}:end -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  const written = `${begin}\n${between}\n`
  return from < 0 || to < from
    ? `${text}${text === "" || text.endsWith("\n\n") ? "" : "\n"}${written}${end}\n`
    : `${text.slice(0, from)}${written}${text.slice(to)}`
}

/** What a run has to say. */
interface Results {
  /** The options of `npm run crash`. */
  readonly options: string
  readonly kills: number
  readonly seconds: number
  readonly table: ReadonlyArray<string>
  /** What the table's columns mean. */
  readonly remark: ReadonlyArray<string>
  readonly lines: ReadonlyArray<string>
}

/** Writes the results of a run into `docs/reliability.md`. */
export const write = Effect.fnUntraced(function*(part: Part, results: Results) {
  const { kills, lines, options, remark, seconds, table } = results
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const minutes = (seconds / 60).toFixed(1)
  const each = (seconds / kills).toFixed(2)
  const between = [
    `\`npm run crash -- ${options}\` · ${yield* machine} · ${minutes} minutes, ${each} s a kill`,
    "",
    ...table,
    "",
    ...remark,
    "",
    "```",
    ...lines,
    "```"
  ].join("\n")
  yield* files.makeDirectory(path.dirname(file), { recursive: true })
  const text = (yield* files.exists(file)) ? yield* files.readFileString(file) : "# Reliability\n"
  yield* files.writeFileString(file, replaced(text, part, between))
})
