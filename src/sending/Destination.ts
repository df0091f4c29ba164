import type { Scope } from "effect"
import { Context, DateTime, Duration, Effect, Layer, Option, Redacted, Ref } from "effect"
import { backoff } from "../base/Backoff.js"
import { makeSignal } from "../base/Signal.js"
import { counted } from "../base/Text.js"
import { EpochMillis, epochMillis, later, MonotonicMillis, monotonicMillis, utc } from "../base/Time.js"
import type { StateId } from "../domain/StageStates.js"
import { metrics } from "../metrics/Metrics.js"
import { makeStopwatch } from "../metrics/Stopwatch.js"
import { Outbox } from "../outbox/Outbox.js"
import { CurrentProject } from "../plane/CurrentProject.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import { makeStageTableFit } from "./StageTableFit.js"

/** Whether Plane is being written to. `notLookedAt`: no probe has ended yet, so nobody knows. */
export type DestinationStatus =
  | { readonly open: true }
  | {
    readonly open: false
    readonly since: DateTime.Utc
    readonly reason: string
    readonly notLookedAt: boolean
    /** Plane's answer for which it is closed. None while nobody has asked, or nobody can without a token. */
    readonly error: Option.Option<PlaneError>
    /** When the probe is sent next. None while nobody knows, or it is being sent for the first time. */
    readonly nextProbeAt: Option.Option<DateTime.Utc>
  }

/** Why it is closed until the first probe has ended. */
export const awaited = "Plane is not looked at yet: its first answer is awaited"

/**
 * Plane as a whole. It is open, or closed while Plane is down, misconfigured or refuses the token. Trouble closes it
 * only when a harmless request, the probe, fails too. If the probe succeeds, the trouble is the work item's own. While
 * it is closed, only the probe is sent, no attempts are counted, and nothing is lost.
 *
 * Only who sends to it looks at it (`watch`). It opens with a first probe. Whenever it opens, the stage table is compared
 * with the project's states. While nothing is sent, the probe is repeated every 5 minutes, so that trouble is not found
 * only by the next event.
 */
export class Destination extends Context.Tag("plane-sync/Destination")<Destination, {
  /**
   * Looks at Plane, and goes on looking, until the scope closes. Until then, and from then on, it is closed because
   * nobody looks.
   */
  readonly watch: Effect.Effect<void, never, Scope.Scope>
  /** Waits until it is open. */
  readonly opened: Effect.Effect<void>
  /** Waits until the first probe has ended, well or not. Until then it is closed only because nobody has asked yet. */
  readonly asked: Effect.Effect<void>
  /**
   * Whether the trouble is Plane's. Ask it after a request failed for a reason that may be Plane's. Ask it without an
   * error after an answer that an archived project gives as well.
   */
  readonly isDown: (error?: PlaneError) => Effect.Effect<boolean>
  /**
   * Whether the project's keys begin with the identifier that is set, for an event published at `since` whose key
   * begins with another one. None: they do, so the key is wrong. Otherwise when the key is to be looked at again: the
   * setting may be wrong, and a person can mend it. The probe tells. It is asked at most once a minute, and what it has
   * said of an identifier holds for this minute.
   */
  readonly unlessIdentifierHolds: (other: string, since: EpochMillis) => Effect.Effect<Option.Option<EpochMillis>>
  /** Tells that Plane has accepted a write, so the token may write. A later 403 is then about one request. */
  readonly wrote: Effect.Effect<void>
  /** When Plane has last accepted a write, since the start. */
  readonly wroteAt: Effect.Effect<Option.Option<DateTime.Utc>>
  readonly status: Effect.Effect<DestinationStatus>
  /** Sends the probe now, and tells what is known of Plane after it. */
  readonly probeNow: Effect.Effect<DestinationStatus>
  /** What is wrong with the stage table, or why it could not be compared, in words. None while it fits. */
  readonly misfit: Effect.Effect<Option.Option<string>>
  /** Looks at the project's states again: whether this one is there; none if Plane does not tell. */
  readonly hasState: (state: StateId) => Effect.Effect<Option.Option<boolean>>
}>() {
  static readonly layer: Layer.Layer<Destination, never, PlaneClient | Outbox | CurrentProject> = Layer
    .scoped(
      Destination,
      Effect.suspend(() => make)
    )
}

/**
 * How often the project's states are read while the table does not fit, and the probe is sent while nothing else is.
 */
const lookEvery = Duration.minutes(5)

/** How often the project's states are read while they could not be. */
const compareEvery = Duration.seconds(30)

/** How often the probe is asked about keys that do not begin with the identifier that is set, at most. */
const identifierEvery = Duration.toMillis("1 minute")

/** Of how many such identifiers is remembered what it has said, because each takes memory. */
const mostOthers = 1_000

const make = Effect.gen(function*() {
  const { config: { apiToken, maxBackoff }, identifiers, place, project } = yield* CurrentProject
  const { names } = project
  // Where there is only one, its name tells nothing.
  const about = identifiers.length === 1 ? "" : `${project.identifier}: `
  const client = yield* PlaneClient
  const outbox = yield* Outbox
  const table = makeStageTableFit(client, place, project)
  const probes = yield* makeSignal
  const hurry = yield* Effect.makeLatch(false)
  // What goes on looking ends with the watch that it is part of.
  let scope = yield* Effect.scope
  const latch = yield* Effect.makeLatch(false)
  const asked = yield* Effect.makeLatch(false)
  const notLookedAt = Effect.map(DateTime.now, (since): DestinationStatus => ({
    open: false,
    since,
    reason: awaited,
    notLookedAt: true,
    error: Option.none(),
    nextProbeAt: Option.none()
  }))
  const status = yield* Ref.make(yield* notLookedAt)
  const probing = yield* Effect.makeSemaphore(1)
  const askingIdentifier = yield* Effect.makeSemaphore(1)
  // When Plane was last known to be well, and when the last probe that said so was sent.
  let wellAt = MonotonicMillis(-Infinity)
  let probedAt = EpochMillis(-Infinity)
  // When the probe was last asked about a key that begins otherwise.
  let identifierAskedAt = MonotonicMillis(-Infinity)
  // The identifiers that are not the project's, as of that probe.
  const others = new Set<string>()
  // How many writes in a row were forbidden while the probe succeeded, with no accepted write in between.
  let forbidden = 0
  let hasWritten = false
  let wroteAt = Option.none<DateTime.Utc>()
  const closedTime = makeStopwatch((seconds) => metrics.closed.add({ project: project.identifier }, seconds))

  const waiting = outbox.status.pipe(
    Effect.map(({ pending }) => counted(pending, "event waits", "events wait")),
    Effect.orElseSucceed(() => "nothing is lost")
  )

  const well = Effect.map(monotonicMillis, (now) => {
    wellAt = now
  })

  const probe = Effect.flatMap(epochMillis, (at) =>
    Effect.either(Effect.tap(client.probe, () =>
      Effect.sync(() => {
        probedAt = at
      }).pipe(Effect.zipRight(well)))))

  const close = Effect.fnUntraced(function*(reason: string, error: Option.Option<PlaneError>) {
    yield* latch.close
    yield* closedTime.start
    yield* Ref.set(status, {
      open: false,
      since: yield* DateTime.now,
      reason,
      notLookedAt: false,
      error,
      nextProbeAt: Option.none()
    })
    yield* Effect.logError(`${about}${reason}. Nothing is sent to Plane: ${yield* waiting}`)
  })

  const open = Effect.gen(function*() {
    const was = yield* Ref.getAndSet<DestinationStatus>(status, { open: true })
    yield* closedTime.stop
    const since = was.open ? 0 : (yield* epochMillis) - was.since.epochMillis
    yield* Effect.logInfo(
      `${about}Plane answers again after ${Duration.format(Duration.millis(since))}. ${yield* waiting}`
    )
    yield* latch.open
  })

  /** It stays closed, maybe by now for another reason, as when the token was revoked while Plane was away. */
  const stillClosed = (reason: string, error: PlaneError) =>
    Ref.update(status, (was) => was.open ? was : { ...was, reason, error: Option.some(error) })

  const probesAt = (nextProbeAt: EpochMillis) =>
    Ref.update(status, (was) => was.open ? was : { ...was, nextProbeAt: Option.some(utc(nextProbeAt)) })

  const probeUntilBack = Effect.fnUntraced(function*(closedFor: PlaneError, failuresBefore: number) {
    let { reason, retryAfter } = closedFor
    for (let failures = failuresBefore + 1;; failures++) {
      const pause = yield* backoff(failures, { max: maxBackoff, retryAfter: Option.getOrUndefined(retryAfter) })
      yield* probesAt(later(yield* epochMillis, pause))
      yield* Effect.raceFirst(Effect.sleep(pause), hurry.await)
      yield* hurry.close
      const probed = yield* probe
      if (probed._tag === "Right") {
        yield* table.compare
        yield* open
        return yield* probes.notify
      }
      const error = probed.left
      retryAfter = error.retryAfter
      if (error.reason !== "RateLimited") yield* stillClosed(error.message, error)
      yield* probes.notify
      if (error.reason === "RateLimited") continue
      if (error.reason === reason) continue
      reason = error.reason
      yield* Effect.logError(`${about}${error.message}. By now this is why nothing is sent to Plane`)
    }
  })

  /** A 403 on a write although the probe succeeds is about what the token may do, unless other writes are accepted. */
  const isForbidden = (error: PlaneError | undefined): error is PlaneError =>
    error?.reason === "PermissionDenied" && error.method !== "GET"

  const isDown = (error?: PlaneError) =>
    Effect.gen(function*() {
      if (!(yield* Ref.get(status)).open) return true
      const probed = yield* probe
      if (probed._tag === "Left") {
        // The probe's error says what is wrong with Plane. A 429 only says that others use the token.
        if (probed.left.reason === "RateLimited") return true
        yield* close(probed.left.message, Option.some(probed.left))
        yield* Effect.forkIn(probeUntilBack(probed.left, 0), scope)
        return true
      }
      if (!isForbidden(error)) return false
      if (hasWritten) {
        hasWritten = false
        return false
      }
      yield* close(error.message, Option.some(error))
      yield* Effect.forkIn(probeUntilBack(error, forbidden), scope)
      forbidden += 1
      return true
      // One probe serves all requests that are in trouble at the same time: the later ones see its result.
    }).pipe(probing.withPermits(1))

  const firstLook: Effect.Effect<void> = Effect.gen(function*() {
    const probed = yield* probe
    if (probed._tag === "Right") {
      yield* table.compare
      yield* Ref.set<DestinationStatus>(status, { open: true })
      yield* asked.open
      return yield* latch.open
    }
    const { message, reason, retryAfter } = probed.left
    if (reason === "RateLimited") {
      yield* stillClosed(`Plane is not looked at yet: ${message}`, probed.left)
      yield* Effect.sleep(Option.getOrElse(retryAfter, () => Duration.zero))
      return yield* firstLook
    }
    yield* close(message, Option.some(probed.left))
    yield* asked.open
    yield* probeUntilBack(probed.left, 0)
  })

  /** Looks at Plane while nothing is sent, and at the project's states until the table fits. */
  const lookOn = Effect.gen(function*() {
    for (;;) {
      yield* Effect.sleep(table.isCompared() ? lookEvery : compareEvery)
      if (!(yield* Ref.get(status)).open) continue
      if ((yield* monotonicMillis) - wellAt >= Duration.toMillis(lookEvery) && (yield* isDown())) continue
      if (!table.isFit()) yield* table.compare
    }
  })

  const hasToken = Redacted.value(apiToken) !== ""

  /** While it is closed, the probe that is waited for is sent now. */
  const probeNow = Effect.gen(function*() {
    if (!hasToken) return yield* Ref.get(status)
    yield* asked.await
    if ((yield* Ref.get(status)).open) yield* isDown()
    else {
      const mark = yield* probes.mark
      yield* hurry.open
      yield* probes.since(mark)
    }
    return yield* Ref.get(status)
  })

  const unlessIdentifierHolds = (other: string, since: EpochMillis) =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      if (!(yield* Ref.get(status)).open) return Option.some(now)
      const passed = (yield* monotonicMillis) - identifierAskedAt
      if (passed < identifierEvery) {
        const isKnown = others.has(other) || probedAt >= since
        if (isKnown && others.size < mostOthers) others.add(other)
        return isKnown ? Option.none() : Option.some(later(now, identifierEvery - passed))
      }
      identifierAskedAt = yield* monotonicMillis
      others.clear()
      if (yield* isDown()) return Option.some(now)
      others.add(other)
      return Option.none()
    }).pipe(askingIdentifier.withPermits(1))

  if (!hasToken) {
    yield* close(
      `${names.apiToken} is not set. Events are kept until it is, and the program started again`,
      Option.none()
    )
    const reason = `${names.apiToken} is not set: events are kept, and nothing is sent to Plane`
    yield* Ref.update(status, (was) => was.open ? was : { ...was, reason, notLookedAt: true })
    yield* asked.open
  }

  const forget = Effect.gen(function*() {
    yield* latch.close
    yield* closedTime.stop
    yield* asked.close
    yield* Ref.set(status, yield* notLookedAt)
  })

  const watch = Effect.gen(function*() {
    scope = yield* Effect.scope
    yield* Effect.addFinalizer(() => forget)
    yield* Effect.forkIn(firstLook, scope)
    yield* Effect.forkIn(lookOn, scope)
  })

  return Destination.of({
    watch: hasToken ? watch : Effect.void,
    opened: latch.await,
    asked: asked.await,
    isDown,
    unlessIdentifierHolds,
    wrote: Effect.zipRight(
      well,
      Effect.map(DateTime.now, (now) => {
        hasWritten = true
        forbidden = 0
        wroteAt = Option.some(now)
      })
    ),
    wroteAt: Effect.sync(() => wroteAt),
    status: Effect.zipRight(closedTime.lap, Ref.get(status)),
    probeNow,
    misfit: Effect.map(Ref.get(status), ({ open }) => Option.fromNullable(table.problem(open))),
    hasState: (state) => Effect.map(table.compare, (known) => Option.fromNullable(known?.has(state)))
  })
}).pipe(Effect.annotateLogs({ service: "Destination" }))
