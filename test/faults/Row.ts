import type { Effect } from "effect"
import type { PlaneSimulatorOptions } from "../../src/simulator/PlaneSimulator.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import type { NoticeAnswer } from "../support/NoticeReceiver.js"
import type { Script, Seen } from "./Scene.js"

/** A fault: what it does, and what shows that it was met. */
export interface Row {
  readonly name: string
  readonly shows: string
  /** Whether every change runs it. */
  readonly ci?: boolean
  readonly settings?: Readonly<Record<string, string>>
  readonly plane?: PlaneSimulatorOptions
  /** Makes the database as it is before the pipeline opens it. */
  readonly prepare?: (database: string) => Effect.Effect<void, StorageError>
  /** How many times as fast as real time the pipeline's clock runs. */
  readonly speed?: number
  /** Whether Plane's webhooks reach the program. */
  readonly webhooks?: boolean
  /** Whether tasks ask, and who is asked is assigned. */
  readonly waits?: boolean
  /** What the receiver of notices does with the first ones; then it takes them. Without it there are no notices. */
  readonly notices?: ReadonlyArray<NoticeAnswer>
  /**
   * Whether the database is a Postgres of the row's own. Its publishers repeat what was not stored, under the same id.
   * Where the machine has no Postgres, the row is skipped.
   */
  readonly postgres?: boolean
  /** Whether the database is on a disk that can be filled. */
  readonly smallDisk?: boolean
  /** After how many seconds the result is judged, complete or not. */
  readonly deadlineSeconds?: number
  /** How many events must be dead letters. */
  readonly dead?: number
  readonly script: Script
  /** How often the fault was met. A row whose fault was never met has shown nothing, so it fails. */
  readonly met: (seen: Seen) => number
}

/**
 * Times are a tenth of the defaults, so that things happen in the same order: a client stops waiting, Plane applies,
 * the quiet time ends. The backoff begins at one second as usual, and is cut.
 */
export const settings: Readonly<Record<string, string>> = {
  ORCH_PLANE_TIMEOUT: "1 seconds",
  ORCH_PLANE_QUIET: "3 seconds",
  ORCH_PLANE_MAX_BACKOFF: "500 millis",
  ORCH_PLANE_RATE_LIMIT: "1000/second"
}

/** What readers are told about the scaling. */
export const scaling =
  "Times are a tenth of the defaults: a request's deadline 1 s (10 s), the quiet time 3 s (30 s), applied late 1.5 s after " +
  "the client gave up (15 s); longest backoff 0.5 s (60 s), rate limit 1,000 a second (60 a minute), unless a row says " +
  "otherwise."

/** How long after its arrival a late request is applied: 1.5 s after the client has stopped waiting. */
export const lateMillis = 2_500
