import { Effect } from "effect"
import { readFileSync } from "node:fs"

/** What Linux counts a process's time in, a second. */
const ticks = 100

/** The computing time that a process has used, in seconds. */
export const cpuSeconds = (pid: number): Effect.Effect<number> =>
  Effect.sync(() => {
    // After the name, which may have blanks: the 12th and 13th are the time of the program and that of the system.
    const [, fields = ""] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? []
    const [user = NaN, system = NaN] = fields.split(" ").slice(11, 13).map(Number)
    return (user + system) / ticks
  })

/** All the memory that the machine gives a process, in MB. */
export const residentSet = (pid: number): Effect.Effect<number> =>
  Effect.sync(() => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024)
