import { Cause, Exit } from "effect"
import { WrongUse } from "./WrongUse.js"

/**
 * How the program ended: 0 done; 1 failed because of a setting, the address, storage or Plane; 2 the command line was
 * wrong.
 */
export type ExitCode = 0 | 1 | 2

/** The exit code. SIGTERM and SIGINT are ordinary ends. */
export const exitCode = (exit: Exit.Exit<unknown, unknown>): ExitCode => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  return Cause.squash(exit.cause) instanceof WrongUse ? 2 : 1
}
