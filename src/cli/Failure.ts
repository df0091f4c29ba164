import { Cause, ConfigError, Console, Data, Effect, Exit } from "effect"

/**
 * How the program ends: 0 done, 1 it could not be done (a setting, the address, storage, Plane), 2 the command line was
 * wrong.
 */
export type ExitCode = 0 | 1 | 2

/** The command line was wrong, which has been said. */
export class WrongUse extends Data.TaggedError("WrongUse") {}

/** A wrong setting, a line each: the variable's name and what is wrong with it. */
export const configLines = (error: ConfigError.ConfigError): ReadonlyArray<string> => {
  switch (error._op) {
    case "And":
      return [...configLines(error.left), ...configLines(error.right)]
    // The environment's own complaint: the file was only asked because the environment had nothing.
    case "Or":
      return configLines(error.left)
    default:
      return [`${error.path.join("_")}: ${error.message}`]
  }
}

const hasMessage = (error: unknown): error is { readonly message: string } =>
  typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"

const linesOf = (error: unknown): ReadonlyArray<string> => {
  if (ConfigError.isConfigError(error)) return configLines(error)
  return [hasMessage(error) ? error.message : String(error)]
}

/** Says, on standard error and in a line per problem, why the program could not do what it was asked to. */
export const explain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  if (Cause.isDie(cause)) return Console.error(`plane-sync: a bug\n${Cause.pretty(cause)}`)
  const error = Cause.squash(cause)
  if (error instanceof WrongUse) return Effect.void
  const lines = Array.from(new Set(linesOf(error)))
  return Effect.forEach(lines, (line) => Console.error(`plane-sync: ${line}`), { discard: true })
}

/** SIGTERM and SIGINT are ordinary ends. */
export const exitCode = (exit: Exit.Exit<unknown, unknown>): ExitCode => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  return Cause.squash(exit.cause) instanceof WrongUse ? 2 : 1
}

/** Wrong use of a command, found after its line was parsed. */
export const wrongUse = (message: string): Effect.Effect<never, WrongUse> =>
  Effect.zipRight(Console.error(`plane-sync: ${message}`), new WrongUse())
