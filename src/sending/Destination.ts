import type { ConfigError } from "effect"
import { Context, Duration, Effect, Layer, Redacted, Ref, Schedule } from "effect"
import { backoff } from "../base/Backoff.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import type { Stage } from "../domain/Stage.js"
import type { StageStates, StateId } from "../domain/StageStates.js"
import { Outbox } from "../outbox/Outbox.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import type { PlaneError } from "../plane/PlaneError.js"

/** Whether Plane is being written to. */
export type DestinationStatus =
  | { readonly open: true }
  | { readonly open: false; readonly since: EpochMillis; readonly reason: string }

/** A stage whose state the project in Plane does not have. */
export interface Misfit {
  readonly stage: Stage
  readonly state: StateId
}

/**
 * Plane as a whole. It is open, or closed while Plane is down, misconfigured or refuses the token. Trouble closes it
 * only when a harmless request, the probe, fails too. If the probe succeeds, the trouble is the work item's own. While
 * it is closed, only the probe is sent, no attempts are counted, and nothing is lost.
 *
 * It opens with a first probe. Whenever it opens, the stage table is compared with the project's states.
 */
export class Destination extends Context.Tag("plane-sync/Destination")<Destination, {
  /** Waits until it is open. */
  readonly opened: Effect.Effect<void>
  /** Waits until the first probe has ended, well or not. Until then it is closed only because nobody has asked yet. */
  readonly asked: Effect.Effect<void>
  /**
   * Whether the trouble is Plane's. Ask it after a request failed for a reason that may be Plane's. Ask it without an
   * error after an answer that an archived project gives as well.
   */
  readonly isDown: (error?: PlaneError) => Effect.Effect<boolean>
  /** Tells that Plane has accepted a write, so the token may write. A later 403 is then about one request. */
  readonly wrote: Effect.Effect<void>
  readonly status: Effect.Effect<DestinationStatus>
  /** The stages whose states wait because the project does not have them, as of the last look. */
  readonly misfits: () => ReadonlyArray<Misfit>
  /** Looks at the project's states again: whether this one is there, or undefined if Plane does not tell. */
  readonly hasState: (state: StateId) => Effect.Effect<boolean | undefined>
}>() {
  static readonly layer: Layer.Layer<Destination, ConfigError.ConfigError, PlaneClient | Outbox | Projects> = Layer
    .scoped(
      Destination,
      Effect.suspend(() => make)
    )
}

/** How often the project's states are read while the table does not fit, or could not be compared. */
const misfitsEvery = "5 minutes"

const misfitsOf = (table: StageStates, known: ReadonlySet<StateId>): ReadonlyArray<Misfit> =>
  Array.from(table, ([stage, state]) => ({ stage, state })).filter(({ state }) => !known.has(state))

/** What is wrong with the stage table, in words that tell a person how to mend it. */
export const misfitReason = (misfits: ReadonlyArray<Misfit>, project: string): string =>
  `ORCH_PLANE_STAGE_STATES does not fit: the project ${project} has no state ${
    misfits.map(({ stage, state }) => `${state} (stage ${JSON.stringify(stage)})`).join(", ")
  }. The states of these stages wait, and are set once the table fits; comments are sent`

const make = Effect.gen(function*() {
  const { apiToken, maxBackoff } = yield* PlaneConfig
  const { project } = yield* Projects
  const client = yield* PlaneClient
  const outbox = yield* Outbox
  const scope = yield* Effect.scope
  const latch = yield* Effect.makeLatch(false)
  const asked = yield* Effect.makeLatch(false)
  const status = yield* Ref.make<DestinationStatus>({
    open: false,
    since: yield* epochMillis,
    reason: "Plane has not answered yet"
  })
  const probing = yield* Effect.makeSemaphore(1)
  let misfits: ReadonlyArray<Misfit> = []
  // Whether the last comparison of the stage table had an answer.
  let compared = false
  // How many writes in a row were forbidden while the probe succeeded, with no accepted write in between.
  let forbidden = 0
  let hasWritten = false

  const waiting = outbox.status.pipe(
    Effect.map(({ pending }) => `${pending} events wait`),
    Effect.orElseSucceed(() => "nothing is lost")
  )

  /**
   * Plane's states, or undefined if they are not known: an empty list is an archived project's, and an error says
   * nothing of the table.
   */
  const readTable = client.states.pipe(
    Effect.map((states) => states.length === 0 ? undefined : new Set(states.map(({ id }) => id))),
    Effect.catchAll((error) =>
      Effect.as(
        Effect.logWarning(`The stage table could not be compared with Plane's states: ${error.message}`),
        undefined
      )
    )
  )

  const compareTable = Effect.tap(readTable, (known) =>
    Effect.suspend(() => {
      compared = known !== undefined
      if (known === undefined) return Effect.void
      const before = misfits
      misfits = misfitsOf(project.states, known)
      const isSame = JSON.stringify(before) === JSON.stringify(misfits)
      if (isSame) return Effect.void
      return misfits.length === 0
        ? Effect.logInfo("ORCH_PLANE_STAGE_STATES fits the project's states again")
        : Effect.logError(misfitReason(misfits, project.identifier))
    }))

  const close = Effect.fnUntraced(function*(reason: string) {
    yield* latch.close
    yield* Ref.set(status, { open: false, since: yield* epochMillis, reason })
    yield* Effect.logError(`Nothing is sent to Plane: ${reason}. ${yield* waiting}`)
  })

  const open = Effect.gen(function*() {
    const was = yield* Ref.getAndSet<DestinationStatus>(status, { open: true })
    const since = was.open ? 0 : (yield* epochMillis) - was.since
    yield* Effect.logInfo(`Plane answers again after ${Duration.format(Duration.millis(since))}. ${yield* waiting}`)
    yield* latch.open
  })

  /** It stays closed, now because of another reason, as when the token was revoked while Plane was away. */
  const stillClosed = Effect.fnUntraced(function*(reason: string) {
    yield* Ref.update(status, (was) => was.open ? was : { ...was, reason })
    yield* Effect.logError(`Nothing is sent to Plane, by now for another reason: ${reason}`)
  })

  const probeUntilBack = Effect.fnUntraced(function*(closedFor: PlaneError, failuresBefore: number) {
    let { reason, retryAfter } = closedFor
    for (let failures = failuresBefore + 1;; failures++) {
      yield* Effect.sleep(yield* backoff(failures, { max: maxBackoff, retryAfter }))
      const probe = yield* Effect.either(client.probe)
      if (probe._tag === "Right") {
        yield* compareTable
        return yield* open
      }
      const error = probe.left
      retryAfter = error.retryAfter
      if (error.reason === reason || error.reason === "RateLimited") continue
      reason = error.reason
      yield* stillClosed(error.message)
    }
  })

  /** A 403 on a write although the probe succeeds is about what the token may do, unless other writes are accepted. */
  const isForbidden = (error: PlaneError | undefined): error is PlaneError =>
    error?.reason === "PermissionDenied" && error.method !== "GET"

  const isDown = (error?: PlaneError) =>
    Effect.gen(function*() {
      if (!(yield* Ref.get(status)).open) return true
      const probe = yield* Effect.either(client.probe)
      if (probe._tag === "Left") {
        // The probe's error says what is wrong with Plane. A 429 only says that others use the token.
        if (probe.left.reason === "RateLimited") return true
        yield* close(error !== undefined && probe.left.reason === error.reason ? error.message : probe.left.message)
        yield* Effect.forkIn(probeUntilBack(probe.left, 0), scope)
        return true
      }
      if (!isForbidden(error)) return false
      if (hasWritten) {
        hasWritten = false
        return false
      }
      yield* close(error.message)
      yield* Effect.forkIn(probeUntilBack(error, forbidden), scope)
      forbidden += 1
      return true
      // One probe serves all requests that are in trouble at the same time: the later ones see its result.
    }).pipe(probing.withPermits(1))

  const firstLook: Effect.Effect<void> = Effect.gen(function*() {
    const probe = yield* Effect.either(client.probe)
    if (probe._tag === "Right") {
      yield* compareTable
      yield* Ref.set<DestinationStatus>(status, { open: true })
      yield* asked.open
      return yield* latch.open
    }
    if (probe.left.reason === "RateLimited") {
      yield* Effect.sleep(probe.left.retryAfter ?? Duration.zero)
      return yield* firstLook
    }
    yield* close(probe.left.message)
    yield* asked.open
    yield* probeUntilBack(probe.left, 0)
  })

  if (Redacted.value(apiToken) === "") {
    yield* close("ORCH_PLANE_API_TOKEN is not set. Events are kept until it is, and the program started again")
    yield* asked.open
  } else {
    yield* Effect.forkIn(firstLook, scope)
    const compareAgain = Effect.flatMap(
      Ref.get(status),
      ({ open }) => open && (misfits.length > 0 || !compared) ? compareTable : Effect.void
    )
    yield* compareAgain.pipe(
      Effect.schedule(Schedule.spaced(misfitsEvery)),
      Effect.forkIn(scope)
    )
  }

  return Destination.of({
    opened: latch.await,
    asked: asked.await,
    isDown,
    wrote: Effect.sync(() => {
      hasWritten = true
      forbidden = 0
    }),
    status: Ref.get(status),
    misfits: () => misfits,
    hasState: (state) => Effect.map(compareTable, (known) => known?.has(state))
  })
}).pipe(Effect.annotateLogs({ service: "Destination" }))
