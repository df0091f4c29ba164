import { Cause, ConfigError, Console, Effect } from "effect"
import { wrongSettings } from "../base/WrongSettings.js"
import { WrongUse } from "./WrongUse.js"

const hasMessage = (error: unknown): error is { readonly message: string } =>
  typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"

const linesOf = (error: unknown): ReadonlyArray<string> => {
  if (ConfigError.isConfigError(error)) return wrongSettings(error).map(({ message, name }) => `${name}: ${message}`)
  return [hasMessage(error) ? error.message : String(error)]
}

/** Tells a person why the program failed: on standard error, a line for each problem. */
export const explain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  if (Cause.isDie(cause)) return Console.error(`plane-sync: a bug\n${Cause.pretty(cause)}`)
  const error = Cause.squash(cause)
  if (error instanceof WrongUse) return Effect.void
  const lines = Array.from(new Set(linesOf(error)))
  return Effect.forEach(lines, (line) => Console.error(`plane-sync: ${line}`), { discard: true })
}
