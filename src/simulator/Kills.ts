import * as Schema from "effect/Schema"
import { watch } from "node:fs"
import { FaultMatch } from "./Faults.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** A process to be killed by SIGKILL at a certain moment of a request. */
export const KillSchema = Schema.Struct({
  pid: Schema.Int.pipe(Schema.greaterThan(1)),
  /** It has arrived whole, or its write was made, or its whole answer was handed to the system. */
  when: Schema.Literal("arrival", "applied", "answered"),
  match: optional(FaultMatch),
  /** Of the matching requests the n-th to come so far (default: the first). */
  nth: optional(Schema.Int.pipe(Schema.positive())),
  /** So long after that moment (default: at once, before anything else happens here). */
  afterMillis: optional(Schema.NonNegative),
  /** Not then, but when this file is written to for the first time after that. */
  written: optional(Schema.String)
})
export type Kill = typeof KillSchema.Type

/** What killed: the request's sequence, and the moment in milliseconds since 1970. */
export interface Killed {
  readonly sequence: number
  readonly at: number
}

/**
 * Kills on order, for crash tests: a pipeline is hit exactly between its request and its answer only from here, since it
 * has no failpoints. One order at a time; it is done once.
 */
export interface Kills {
  readonly order: (kill: Kill) => void
  /** Takes the order back, if it was not done yet; what was done. */
  readonly end: () => Killed | undefined
  /** A request that `matches` has come to `when`. Synchronous: the process is gone before this returns. */
  readonly reached: (when: Kill["when"], sequence: number, matches: (match: FaultMatch | undefined) => boolean) => void
}

export const make = (now: () => number): Kills => {
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
      // It has died before: then it was not this that killed it.
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
      // From here on, for to begin watching takes longer than the moment lasts.
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
