import { Cause, Duration, Effect, Option } from "effect"
import { backoff } from "../base/Backoff.js"
import { epochMillis, later, monotonicMillis } from "../base/Time.js"
import type { Later } from "../outbox/Outcome.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { SendContext } from "./SendContext.js"

/** What an outcome tells of a failed request. */
export const said = ({ message, status }: PlaneError) => ({ reason: message, answer: Option.getOrUndefined(status) })

/** When a failed request was sent; one that does not tell counts as sent now. */
export const sentAtOf = ({ sentAt }: PlaneError) =>
  Option.match(sentAt, { onNone: () => monotonicMillis, onSome: Effect.succeed })

/** How much of the quiet time is left after a failed request. */
export const quietLeft = ({ config }: SendContext, error: PlaneError): Effect.Effect<Duration.Duration> =>
  Effect.zipWith(
    sentAtOf(error),
    monotonicMillis,
    (sentAt, now) => Duration.subtract(config.quiet, Duration.millis(now - sentAt))
  )

/** Nothing was sent, because the quiet time is not over. */
export const tooEarly = (left: Duration.Duration) =>
  Effect.map(epochMillis, (now): Later => ({
    _tag: "Later",
    dueAt: later(now, left),
    counted: false,
    unsent: true,
    reason: "Plane may still be executing what was sent before"
  }))

/** A person's change may still be under way, and would be undone, or undo ours: both save the whole row. */
export const tooSoon = (left: Duration.Duration) =>
  Effect.map(epochMillis, (now): Later => ({
    _tag: "Later",
    dueAt: later(now, left),
    counted: false,
    unsent: true,
    reason: "a person has changed the work item within the last second"
  }))

/**
 * When to repeat a request whose failure says nothing about its event; none when this was the last of its attempts. If
 * the first may still be executing, that is not before the quiet time is over.
 */
export const retry = Effect.fnUntraced(function*(context: SendContext, error: PlaneError, attempts: number) {
  const { config, destination } = context
  const counted = error.reason !== "RateLimited" && !(yield* destination.isDown(error))
  if (counted && attempts >= config.maxAttempts) return Option.none<Later>()
  const now = yield* epochMillis
  // Uncounted, the budget or the destination holds it back, not the lane.
  const pause = counted
    ? yield* backoff(attempts, { max: config.maxBackoff, retryAfter: Option.getOrUndefined(error.retryAfter) })
    : Duration.zero
  const quiet = error.sent === "unknown" ? yield* quietLeft(context, error) : Duration.zero
  return Option.some<Later>({
    _tag: "Later",
    dueAt: later(now, Duration.max(pause, quiet)),
    counted,
    ...said(error)
  })
})

/**
 * A write that was refused is sent once more before the refusal is believed, and not within its quiet time, because
 * Plane has been seen to execute a write and answer 4xx all the same: docs/reliability.md, *What Plane refuses*.
 */
export const askOnceMore = (context: SendContext, error: PlaneError): Effect.Effect<Later> =>
  Effect.zipWith(epochMillis, quietLeft(context, error), (now, quiet) => ({
    _tag: "Later",
    dueAt: later(now, quiet),
    counted: true,
    maybeDone: true,
    refused: true,
    ...said(error)
  }))

/**
 * A bug of ours in a job is that job's own trouble: it must neither end the worker nor keep the lane. The request may
 * have been sent, so it is repeated only after the quiet time, as after a time-out.
 */
export const survive = <Outcome>(
  outcome: Effect.Effect<Outcome>,
  { config }: SendContext,
  attempts: number,
  dead: (reason: string) => Outcome
): Effect.Effect<Outcome | Later> =>
  Effect.catchAllDefect(outcome, (defect) =>
    Effect.gen(function*() {
      const reason = `a bug in plane-sync: ${String(defect)}`
      yield* Effect.logError(reason, Cause.die(defect))
      if (attempts >= config.maxAttempts) return dead(reason)
      const pause = Duration.max(config.quiet, yield* backoff(attempts, { max: config.maxBackoff }))
      const now = yield* epochMillis
      return { _tag: "Later" as const, dueAt: later(now, pause), counted: true, reason }
    }))
