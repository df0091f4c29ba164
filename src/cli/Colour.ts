import { Console, Effect } from "effect"
import { stripVTControlCharacters } from "node:util"

const plain = (parts: ReadonlyArray<unknown>) =>
  parts.map((part) => typeof part === "string" ? stripVTControlCharacters(part) : part)

/**
 * Removes colour where no terminal shows it, or where `NO_COLOR` is set, because @effect/cli writes help and errors in
 * colour everywhere.
 */
export const withoutColour = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Console.consoleWith(Effect.succeed), (live) => {
    const wanted = (process.env.NO_COLOR ?? "") === ""
    const { error, log } = live
    return Effect.withConsole(effect, {
      ...live,
      ...(wanted && process.stdout.isTTY ? {} : { log: (...parts: ReadonlyArray<unknown>) => log(...plain(parts)) }),
      ...(wanted && process.stderr.isTTY ? {} : { error: (...parts: ReadonlyArray<unknown>) => error(...plain(parts)) })
    })
  })
