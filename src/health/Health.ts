import type { ConfigError } from "effect"
import { Clock, Context, DateTime, Duration, Effect, Either, Layer, Redacted, Ref, Schedule, Schema } from "effect"
import { StageEvents } from "../events/StageEvents.js"
import type { OutboxStatus } from "../outbox/Queries.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { PlaneSync } from "../sending/PlaneSync.js"
import type { StorageError } from "../storage/StorageError.js"
import type { SourceStatus } from "../webhooks/Receiver.js"
import { Receiver } from "../webhooks/Receiver.js"

const WebhookSource = Schema.Struct({
  lastAccepted: Schema.NullOr(Schema.DateTimeUtc),
  lastRefused: Schema.NullOr(Schema.Struct({ at: Schema.DateTimeUtc, why: Schema.String }))
}).annotations({ identifier: "WebhookSource", description: "the deliveries of a sender since the program was started" })

/** `GET /health`. */
export const HealthReport = Schema.Struct({
  status: Schema.Literal("ok", "degraded"),
  reasons: Schema.Array(Schema.String).annotations({ description: "why it is degraded, for people" }),
  plane: Schema.Struct({
    state: Schema.Literal("open", "closed").annotations({ description: "closed: nothing is sent, everything is kept" }),
    since: Schema.optionalWith(Schema.DateTimeUtc, { exact: true }),
    reason: Schema.optionalWith(Schema.String, { exact: true }),
    rateLimit: Schema.Struct({
      limit: Schema.Number,
      used: Schema.Number.annotations({ description: "requests that count at this moment" }),
      waiting: Schema.Number.annotations({ description: "requests that wait for their turn" })
    })
  }),
  outbox: Schema.Struct({
    pending: Schema.Number,
    dead: Schema.Number,
    oldestSeconds: Schema.Number.annotations({ description: "how long the oldest event has been waiting" })
  }),
  webhooks: Schema.Struct({ plane: WebhookSource, gitea: WebhookSource })
}).annotations({ identifier: "Health" })
export type HealthReport = typeof HealthReport.Type

/** Plane may be away for so long before anybody is alarmed. */
const closedTooLong = Duration.seconds(60)
/** For how long an event that was lost to the log, or a write that failed with none after it, is worth an alarm. */
const recent = Duration.minutes(5)
/** Nobody who asks waits longer for storage: then the last that is known is told. */
const patience = "100 millis"

/** How the program is, at any moment, waiting at most 0.1 s for storage and for nothing else. */
export class Health extends Context.Tag("plane-sync/Health")<Health, {
  readonly report: Effect.Effect<HealthReport>
  /** What became of a write: a full disk is still read without a complaint. */
  readonly noteWrite: (outcome: Either.Either<unknown, StorageError>) => Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<Health, ConfigError.ConfigError, PlaneSync | StageEvents | Receiver> = Layer
    .scoped(
      Health,
      Effect.suspend(() => make)
    )
}

interface Known {
  readonly outbox: OutboxStatus
  readonly readFailure: StorageError | undefined
}

interface Trouble {
  readonly at: number
  readonly error: StorageError
}

const sourceView = ({ acceptedAt, refused }: SourceStatus): typeof WebhookSource.Type => ({
  lastAccepted: acceptedAt === undefined ? null : DateTime.unsafeMake(acceptedAt),
  lastRefused: refused === undefined ? null : { at: DateTime.unsafeMake(refused.at), why: refused.why }
})

const make = Effect.gen(function*() {
  const { apiToken } = yield* PlaneConfig
  const plane = yield* PlaneSync
  const events = yield* StageEvents
  const receiver = yield* Receiver
  const hasToken = Redacted.value(apiToken) !== ""

  const known = yield* Ref.make<Known>({
    outbox: { pending: 0, dead: 0, delivered: 0, discarded: 0, oldestAt: null },
    readFailure: undefined
  })
  const writeFailure = yield* Ref.make<Trouble | undefined>(undefined)
  const lost = yield* Ref.make({ count: 0, at: 0 })

  const refresh = Effect.flatMap(
    Effect.either(plane.outbox),
    (read) =>
      Ref.update(known, (before): Known =>
        Either.match(read, {
          onLeft: (readFailure) => ({ ...before, readFailure }),
          onRight: (outbox) => ({ outbox, readFailure: undefined })
        }))
  )

  const countLost = Effect.gen(function*() {
    const count = yield* events.notStored
    const at = yield* Clock.currentTimeMillis
    yield* Ref.update(lost, (before) => count > before.count ? { count, at } : before)
  })

  yield* Effect.forkScoped(Effect.repeat(Effect.zipRight(countLost, refresh), Schedule.spaced("2 seconds")))

  const report = Effect.gen(function*() {
    yield* Effect.timeoutOption(refresh, patience)
    yield* countLost
    const now = yield* Clock.currentTimeMillis
    const { outbox, readFailure } = yield* Ref.get(known)
    const written = yield* Ref.get(writeFailure)
    const losses = yield* Ref.get(lost)
    const destination = yield* plane.destination
    const budget = yield* plane.budget
    const webhooks = yield* receiver.status
    const { storageFailure, takenOver } = yield* plane.workers
    const within = (at: number) => now - at < Duration.toMillis(recent)

    const reasons: Array<string> = []
    if (!hasToken) {
      reasons.push("ORCH_PLANE_API_TOKEN is not set: events are kept, and nothing is sent to Plane")
    } else if (!destination.open && now - destination.since > Duration.toMillis(closedTooLong)) {
      reasons.push(
        `Nothing has been sent to Plane since ${
          DateTime.formatIso(DateTime.unsafeMake(destination.since))
        }: ${destination.reason}`
      )
    }
    const misfit = yield* plane.misfit
    if (misfit !== undefined) reasons.push(misfit)
    if (takenOver) {
      reasons.push("Another process has taken over this database and sends from it: nothing is sent from here")
    }
    // Each is what storage says now; which of them says it matters to nobody.
    const failure = readFailure ?? storageFailure ??
      (written !== undefined && within(written.at) ? written.error : undefined)
    if (failure !== undefined) reasons.push(failure.message)
    if (losses.count > 0 && within(losses.at)) {
      reasons.push(`${losses.count} events could not be stored and are in the log only, the latest of them just now`)
    }

    return {
      status: reasons.length === 0 ? "ok" : "degraded",
      reasons,
      plane: {
        ...(destination.open
          ? { state: "open" }
          : { state: "closed", since: DateTime.unsafeMake(destination.since), reason: destination.reason }),
        rateLimit: { limit: budget.limit, used: budget.used, waiting: budget.waiting }
      },
      outbox: {
        pending: outbox.pending,
        dead: outbox.dead,
        oldestSeconds: outbox.oldestAt === null ? 0 : Math.max(0, Math.floor((now - outbox.oldestAt) / 1000))
      },
      webhooks: { plane: sourceView(webhooks.plane), gitea: sourceView(webhooks.gitea) }
    } satisfies HealthReport
  })

  const noteWrite = (outcome: Either.Either<unknown, StorageError>) =>
    Either.match(outcome, {
      onRight: () => Ref.set(writeFailure, undefined),
      onLeft: (error) => Effect.flatMap(Clock.currentTimeMillis, (at) => Ref.set(writeFailure, { at, error }))
    })

  return Health.of({ report, noteWrite })
})
