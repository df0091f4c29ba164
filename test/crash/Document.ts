import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { machine } from "../../bench/Machine.js"
import { table } from "./Report.js"
import type { Ended } from "./Run.js"

const begin = "<!-- crash:begin -->"
const end = "<!-- crash:end -->"

const file = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url))

/** The text with `part` between the markers. Missing markers are added at the end. */
export const replaced = (text: string, part: string): string => {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  const between = `${begin}\n${part}\n`
  return from < 0 || to < from
    ? `${text}${text === "" || text.endsWith("\n\n") ? "" : "\n"}${between}${end}\n`
    : `${text.slice(0, from)}${between}${text.slice(to)}`
}

/** Writes the results of the run into `docs/reliability.md`. */
export const write = Effect.fnUntraced(
  function*(ended: Ended, options: { readonly kills: number; readonly seed: number }) {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const minutes = (ended.seconds / 60).toFixed(1)
    const each = (ended.seconds / options.kills).toFixed(2)
    const part = [
      `\`npm run crash -- --kills ${options.kills} --seed ${options.seed}\` · ${yield* machine} · ${minutes} minutes, ` +
      `${each} s a kill`,
      "",
      ...table(ended.result.rows),
      "",
      "The columns from “not yet leader” on count the kills of a row that met such a thing: what the file that was left and",
      "the simulator's records say, not what was aimed at. A kill can meet several things, or nothing.",
      "",
      "```",
      ...ended.lines,
      "```"
    ].join("\n")
    yield* files.makeDirectory(path.dirname(file), { recursive: true })
    const text = (yield* files.exists(file)) ? yield* files.readFileString(file) : "# Reliability\n"
    yield* files.writeFileString(file, replaced(text, part))
  }
)
