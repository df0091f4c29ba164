import { Console, Effect } from "effect"
import { stripVTControlCharacters } from "node:util"
import { visible } from "../base/Text.js"

// A terminal that does UTF-8 obeys these like a sequence that begins with ESC. No colour has them.
const other = /[\u0080-\u009F]/g

const isColour = /^\u001b\[[0-9;]*m$/

/** What a terminal may show: colours stay, and all else that it would obey is escaped. */
const coloured = (text: string) =>
  text.split(/(\u001b\[[0-9;]*m)/).map((part) => isColour.test(part) ? part : visible(part)).join("")

/** The same without colours, which @effect/cli writes everywhere. */
const plain = (text: string) => visible(stripVTControlCharacters(text.replace(other, visible)))

type Write = (...parts: ReadonlyArray<unknown>) => void

/**
 * Writes only what a terminal may show, whoever the text is from: output, messages and log lines. It removes colour
 * where no terminal shows it, or where `NO_COLOR` is set.
 */
export const forTerminal = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Console.consoleWith(Effect.succeed), (live) => {
    const wanted = (process.env.NO_COLOR ?? "") === ""
    const writing = (write: Write, isTerminal: boolean): Write => {
      const clean = wanted && isTerminal ? coloured : plain
      return (...parts) => write(...parts.map((part) => typeof part === "string" ? clean(part) : part))
    }
    const log = writing(live.unsafe.log, process.stdout.isTTY)
    const error = writing(live.unsafe.error, process.stderr.isTTY)
    return Effect.withConsole(effect, {
      ...live,
      log: (...parts: ReadonlyArray<unknown>) => Effect.sync(() => log(...parts)),
      error: (...parts: ReadonlyArray<unknown>) => Effect.sync(() => error(...parts)),
      // Loggers write by these.
      unsafe: { ...live.unsafe, log, error }
    })
  })
