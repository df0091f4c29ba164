import { Effect } from "effect"
import { textLimit, visibleLine } from "../base/Text.js"
import { commandsOf, subcommandsOf } from "./Help.js"
import type { Commands } from "./HelpText.js"
import { optionsWithValue } from "./HelpText.js"
import { wrongUse } from "./WrongUse.js"

const ofParser = ["--help", "-h", "--version", "--completions"]
const levels = ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"]

const shown = (word: string) => visibleLine(word, textLimit)

// All behind `--` is a value.
const beforeValues = (args: ReadonlyArray<string>) => {
  const end = args.indexOf("--")
  return end === -1 ? args : args.slice(0, end)
}

export const asksHelp = (args: ReadonlyArray<string>): boolean =>
  beforeValues(args).some((word) => word === "--help" || word === "-h")

/**
 * Refuses what @effect/cli would take for something else, or would refuse with words that lead nowhere: it names no
 * mistyped command, leaves out a repeated option that lacks its value, and has a mode that asks without a terminal.
 */
export const checkWords = (commands: Commands, args: ReadonlyArray<string>) => {
  const all = beforeValues(args)
  if (all.includes("--wizard")) return wrongUse("--wizard: there is no such option, see plane-sync --help")
  const level = all[0] === "--log-level" ? all[1] : /^--log-level=(.*)$/s.exec(all[0] ?? "")?.[1]
  const isLevel = level !== undefined || all[0] === "--log-level"
  if (isLevel && !levels.includes(level ?? "")) {
    return wrongUse(`--log-level ${shown(level ?? "")}: expected one of ${levels.join(", ")}`)
  }
  const words = all.slice(!isLevel ? 0 : all[0] === "--log-level" ? 2 : 1)
  const [group, word, ...others] = words
  if (group === undefined || ofParser.some((option) => group === option || group.startsWith(`${option}=`))) {
    return Effect.void
  }
  if (!commandsOf([]).some(([name]) => name === group)) {
    const what = group.startsWith("-") ? "option" : "command"
    return wrongUse(`${shown(group)}: there is no such ${what}, see plane-sync --help`)
  }
  if (asksHelp(args) && (word === undefined || word.startsWith("-"))) return Effect.void
  const below = subcommandsOf(group)
  if (below.length > 0 && (word === undefined || !below.includes(word))) {
    const wrong = word === undefined || word.startsWith("-")
      ? "what?"
      : `${shown(word)}: there is no such command,`
    return wrongUse(`${group} ${wrong} expected ${group} ${below.join(" | ")}`)
  }
  const last = others.at(-1) ?? word
  if (last !== undefined && all.length === args.length && optionsWithValue(commands, words).includes(last)) {
    return wrongUse(
      `${last} needs a value, see plane-sync ${group}${below.length === 0 ? "" : ` ${word ?? ""}`} --help`
    )
  }
  return Effect.void
}
