import { Schedule } from "effect"
import type { StorageError } from "./StorageError.js"

/** Nobody waits longer than this for another process's transaction; each of ours takes milliseconds. */
export const whileBusy = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.upTo("5 seconds")
)

export const isBusy = (error: StorageError): boolean => error.reason === "Busy"
