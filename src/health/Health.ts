import type { ConfigError } from "effect"
import { Context, Effect, Either, Layer, Option, Ref, Schedule } from "effect"
import { EpochMillis, epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { StageEvents } from "../events/StageEvents.js"
import { Gitea } from "../gitea/GiteaClient.js"
import { Leadership } from "../outbox/Leadership.js"
import { DeadNotices } from "../people/DeadNotices.js"
import { Silence } from "../repair/Silence.js"
import { PlaneSync } from "../sending/PlaneSync.js"
import { Integrity } from "../storage/Integrity.js"
import type { StorageError } from "../storage/StorageError.js"
import { Receiver } from "../webhooks/Receiver.js"
import { heardSources } from "../webhooks/Secrets.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import type { HealthFacts } from "./HealthFacts.js"
import type { HealthReport } from "./HealthReport.js"
import { healthReport } from "./HealthReport.js"

/** The longest time that a report waits for storage. After that it shows what was read last. */
const patience = "100 millis"

/** Gathers the facts about the program's health, and reports on them. */
export class Health extends Context.Tag("plane-sync/Health")<Health, {
  /** What a report is made from, within 0.1 seconds, whatever storage does. It waits for nothing else. */
  readonly facts: Effect.Effect<HealthFacts>
  /** A report on them, as soon. */
  readonly report: Effect.Effect<HealthReport>
  /** Notes how a write ended, because a full disk can still be read without an error. */
  readonly noteWrite: (outcome: Either.Either<unknown, StorageError>) => Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<
    Health,
    ConfigError.ConfigError,
    DeadNotices | Gitea | Integrity | Leadership | PlaneSync | Projects | StageEvents | Receiver
  > = Layer
    .scoped(
      Health,
      Effect.suspend(() => make)
    )
}

const make = Effect.gen(function*() {
  const plane = yield* PlaneSync
  const events = yield* StageEvents
  const { isElsewhere, replicas, standby } = yield* Leadership
  const { doubt } = yield* Integrity
  const notices = yield* DeadNotices
  const receiver = yield* Receiver
  const { troubles } = yield* Gitea
  const heard = heardSources(yield* WebhookConfig, yield* Projects)
  // A host may do without.
  const silence = yield* Effect.serviceOption(Silence)

  const lastRead = yield* Ref.make<Pick<HealthFacts, "deadNotices" | "outbox" | "readFailure">>({
    deadNotices: 0,
    outbox: { pending: 0, dead: 0, delivered: 0, discarded: 0, oldestAt: Option.none() },
    readFailure: undefined
  })
  const writeFailure = yield* Ref.make<HealthFacts["writeFailure"]>(undefined)
  const notStored = yield* Ref.make<HealthFacts["notStored"]>({ count: 0, at: EpochMillis(0) })

  const readOutbox = Effect.flatMap(
    Effect.either(Effect.all({ outbox: plane.outbox, deadNotices: notices.count })),
    (read) =>
      Ref.update(lastRead, (before) =>
        Either.match(read, {
          onLeft: (readFailure) => ({ ...before, readFailure }),
          onRight: (read) => ({ ...read, readFailure: undefined })
        }))
  )

  const countNotStored = Effect.gen(function*() {
    const count = yield* events.notStored
    const at = yield* epochMillis
    yield* Ref.update(notStored, (before) => count > before.count ? { count, at } : before)
  })

  yield* Effect.forkScoped(Effect.repeat(Effect.zipRight(countNotStored, readOutbox), Schedule.spaced("2 seconds")))

  const facts: Effect.Effect<HealthFacts> = Effect.gen(function*() {
    yield* Effect.timeoutOption(readOutbox, patience)
    yield* countNotStored
    const projects = yield* plane.projects
    return {
      now: yield* epochMillis,
      projects,
      left: yield* plane.left,
      standby: yield* standby,
      elsewhere: projects.map(({ identifier }) => identifier).filter(isElsewhere),
      replicas: yield* Effect.orElseSucceed(replicas, () => []),
      integrity: yield* doubt,
      ...(yield* Ref.get(lastRead)),
      workerFailure: Option.getOrUndefined(yield* plane.storageFailure),
      writeFailure: yield* Ref.get(writeFailure),
      notStored: yield* Ref.get(notStored),
      gitea: yield* troubles,
      heard,
      silent: yield* Option.match(silence, { onNone: () => Effect.succeed([]), onSome: ({ silent }) => silent }),
      hooks: yield* receiver.status
    }
  })

  return Health.of({
    facts,
    report: Effect.map(facts, healthReport),
    noteWrite: Either.match({
      onRight: () => Ref.set(writeFailure, undefined),
      onLeft: (error) => Effect.flatMap(epochMillis, (at) => Ref.set(writeFailure, { at, error }))
    })
  })
})
