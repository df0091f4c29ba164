import type { ConfigError } from "effect"
import { Clock, Context, Duration, Effect, Layer, Redacted, Ref } from "effect"
import { Outbox } from "../outbox/Outbox.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import type { PlaneError } from "../plane/PlaneError.js"
import { backoff } from "../plane/Policy.js"

/** Whether Plane is being written to. Times are milliseconds since 1970, UTC. */
export type DestinationStatus =
  | { readonly open: true }
  | { readonly open: false; readonly since: number; readonly reason: string }

/**
 * Plane as a whole: open, or closed while it is down, misconfigured or refuses the key. Trouble closes it only when a
 * harmless request fails too; one that goes well says that the trouble is the work item's own. While it is closed
 * nothing is sent but that probe, nobody's attempts are spent, and nothing is lost.
 */
export class Destination extends Context.Tag("plane-sync/Destination")<Destination, {
  /** Waits until it is open. */
  readonly opened: Effect.Effect<void>
  /** After a request failed for a reason that may be Plane's: whether it is. */
  readonly isDown: (error: PlaneError) => Effect.Effect<boolean>
  readonly status: Effect.Effect<DestinationStatus>
}>() {
  static readonly layer: Layer.Layer<Destination, ConfigError.ConfigError, PlaneClient | Outbox> = Layer.scoped(
    Destination,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function*() {
  const { apiToken, maxBackoff } = yield* PlaneConfig
  const client = yield* PlaneClient
  const outbox = yield* Outbox
  const scope = yield* Effect.scope
  const latch = yield* Effect.makeLatch(true)
  const status = yield* Ref.make<DestinationStatus>({ open: true })
  const probing = yield* Effect.makeSemaphore(1)

  const waiting = outbox.status.pipe(
    Effect.map(({ pending }) => `${pending} events wait`),
    Effect.orElseSucceed(() => "nothing is lost")
  )

  const close = Effect.fnUntraced(function*(reason: string) {
    yield* latch.close
    yield* Ref.set(status, { open: false, since: yield* Clock.currentTimeMillis, reason })
    yield* Effect.logError(`Nothing is sent to Plane: ${reason}. ${yield* waiting}`)
  })

  const open = Effect.gen(function*() {
    const was = yield* Ref.getAndSet<DestinationStatus>(status, { open: true })
    const since = was.open ? 0 : (yield* Clock.currentTimeMillis) - was.since
    yield* Effect.logInfo(`Plane answers again after ${Duration.format(Duration.millis(since))}. ${yield* waiting}`)
    yield* latch.open
  })

  /** What is wrong has become something else, as a key that was revoked while Plane was away. */
  const stillClosed = Effect.fnUntraced(function*(reason: string) {
    yield* Ref.update(status, (was) => was.open ? was : { ...was, reason })
    yield* Effect.logError(`Nothing is sent to Plane, by now for another reason: ${reason}`)
  })

  const probeUntilBack = Effect.fnUntraced(function*(closedFor: PlaneError) {
    let { reason, retryAfterMillis } = closedFor
    for (let failures = 1;; failures++) {
      yield* Effect.sleep(yield* backoff(failures, { max: maxBackoff, retryAfterMillis }))
      const probe = yield* Effect.either(client.probe)
      if (probe._tag === "Right") return yield* open
      const error = probe.left
      retryAfterMillis = error.retryAfterMillis
      if (error.reason === reason || error.reason === "RateLimited") continue
      reason = error.reason
      yield* stillClosed(error.message)
    }
  })

  const isDown = (error: PlaneError) =>
    Effect.gen(function*() {
      if (!(yield* Ref.get(status)).open) return true
      const probe = yield* Effect.either(client.probe)
      if (probe._tag === "Right") return false
      // What the probe met says what is wrong with Plane; a 429 only says that others use the key.
      if (probe.left.reason === "RateLimited") return true
      yield* close(probe.left.reason === error.reason ? error.message : probe.left.message)
      yield* Effect.forkIn(probeUntilBack(probe.left), scope)
      return true
      // One probe for all who are in trouble at the same time: who comes later sees what it found.
    }).pipe(probing.withPermits(1))

  if (Redacted.value(apiToken) === "") {
    yield* close("ORCH_PLANE_API_TOKEN is not set. Events are kept until it is, and the program started again")
  }

  return Destination.of({ opened: latch.await, isDown, status: Ref.get(status) })
}).pipe(Effect.annotateLogs({ service: "Destination" }))
