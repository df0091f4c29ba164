import { Schedule } from "effect"

/** Nobody waits longer than this for another process's transaction; each of ours takes milliseconds. */
export const whileBusy = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.upTo("5 seconds")
)
