import * as Schema from "effect/Schema"
import { watch } from "node:fs"
import { FaultMatch } from "./Faults.js"
import type { ClockMillis } from "./Moment.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** A process that is to be killed by SIGKILL at a certain moment of a request. */
export const KillSchema = Schema.Struct({
  pid: Schema.Int.pipe(Schema.greaterThan(1)),
  /** When the request has arrived whole, when its write was made, or when its whole answer was handed to the system. */
  when: Schema.Literal("arrival", "applied", "answered"),
  match: optional(FaultMatch),
  /** Which of the matching requests from now on (default: the first). */
  nth: optional(Schema.Int.pipe(Schema.positive())),
  /** How long after that moment (default: at once, before anything else happens here). */
  afterMillis: optional(Schema.NonNegative),
  /** Wait after that moment until this file is written to for the first time. */
  written: optional(Schema.String)
})
export type Kill = typeof KillSchema.Type

/** The kill that was done: the request's sequence, and the moment. */
export interface Killed {
  readonly sequence: number
  readonly at: ClockMillis
}

/**
 * Kills on order, for crash tests. plane-sync has no failpoints, so only from here can it be hit exactly between a
 * request and its answer. There is one order at a time, and it is carried out once.
 */
export interface Kills {
  readonly order: (kill: Kill) => void
  /** Takes the order back if it was not carried out yet. Returns the kill that was done, if any. */
  readonly end: () => Killed | undefined
  /** Tells that a request which `matches` has come to `when`. Synchronous: the process is gone before this returns. */
  readonly reached: (when: Kill["when"], sequence: number, matches: (match: FaultMatch | undefined) => boolean) => void
}

export const make = (now: () => ClockMillis): Kills => {
  let ordered: Kill | undefined
  let left = 0
  let killed: Killed | undefined
  let order = 0
  let written = (): void => undefined
  let unwatch = (): void => undefined

  const kill = (pid: number, sequence: number) => {
    ordered = undefined
    killed = { sequence, at: now() }
    unwatch()
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      // The process had died before, so this did not kill it.
      killed = undefined
    }
  }

  return {
    order: (given) => {
      unwatch()
      ordered = given
      left = given.nth ?? 1
      killed = undefined
      order += 1
      written = () => undefined
      if (given.written === undefined) return
      // The watcher starts here, because starting one later takes longer than the moment lasts.
      const watcher = watch(given.written, () => written())
      unwatch = () => watcher.close()
    },
    end: () => {
      ordered = undefined
      order += 1
      unwatch()
      const done = killed
      killed = undefined
      return done
    },
    reached: (when, sequence, matches) => {
      if (ordered?.when !== when || left <= 0 || !matches(ordered.match)) return
      left -= 1
      if (left > 0) return
      const { afterMillis = 0, pid } = ordered
      if (ordered.written !== undefined) {
        written = () => {
          written = () => undefined
          kill(pid, sequence)
        }
        return
      }
      if (afterMillis === 0) return kill(pid, sequence)
      const mine = order
      setTimeout(() => {
        if (mine === order) kill(pid, sequence)
      }, afterMillis)
    }
  }
}
