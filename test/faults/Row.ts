import type { PlaneSimulatorOptions } from "../../src/simulator/PlaneSimulator.js"
import type { Script, Seen } from "./Scene.js"

/** A fault, how it is brought about, and what shows that it was there. */
export interface Row {
  readonly name: string
  readonly shows: string
  /** It is one of those that every change runs. */
  readonly ci?: boolean
  readonly settings?: Readonly<Record<string, string>>
  readonly plane?: PlaneSimulatorOptions
  /** How fast the pipeline's clock runs. */
  readonly speed?: number
  /** The database is on a disk that can be filled. */
  readonly smallDisk?: boolean
  /** After so many seconds what is there is judged. */
  readonly deadlineSeconds?: number
  /** How many events must be dead letters. */
  readonly dead?: number
  readonly script: Script
  /** How often the fault was met. A row whose fault met nothing has shown nothing, and fails. */
  readonly met: (seen: Seen) => number
}

/**
 * Times are a tenth of those in earnest, so that the order of what happens is the same: a client gives up, Plane applies,
 * the quiet time ends. The backoff begins at one second as ever, and is cut.
 */
export const settings: Readonly<Record<string, string>> = {
  ORCH_PLANE_TIMEOUT: "1 seconds",
  ORCH_PLANE_QUIET: "3 seconds",
  ORCH_PLANE_MAX_BACKOFF: "500 millis",
  ORCH_PLANE_RATE_LIMIT: "1000/second"
}

/** What is told about the scaling. */
export const scaling =
  "Times are a tenth of the defaults: a request's deadline 1 s (10 s), the quiet time 3 s (30 s), applied late 1.5 s after " +
  "the client gave up (15 s); longest backoff 0.5 s (60 s), rate limit 1,000 a second (60 a minute), unless a row says " +
  "otherwise."

/** When a request that is applied late is applied, after its arrival: 1.5 s after the client gave up. */
export const lateMillis = 2_500
