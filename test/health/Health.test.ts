import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, DateTime, Effect, Either, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Gitea, giteaOf } from "../../src/gitea/GiteaClient.js"
import { Health } from "../../src/health/Health.js"
import type { HealthReport } from "../../src/health/HealthReport.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import type { OutboxStatus } from "../../src/outbox/Queries.js"
import type { Replica } from "../../src/outbox/Replicas.js"
import { DeadNotices } from "../../src/people/DeadNotices.js"
import type { DestinationStatus } from "../../src/sending/Destination.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { Integrity } from "../../src/storage/Integrity.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { Receiver } from "../../src/webhooks/Receiver.js"

const empty: OutboxStatus = { pending: 0, dead: 0, delivered: 0, discarded: 0, oldestAt: Option.none() }
const full = new StorageError({ reason: "Full", where: "x.sqlite", words: "SQLITE_FULL" })

const closed = (reason: string) => ({
  open: false as const,
  since: DateTime.unsafeMake(0),
  reason,
  notLookedAt: false,
  nextProbeAt: Option.none()
})

/** A program whose parts are as the test says. */
const program = {
  destination: { open: true } as DestinationStatus,
  outbox: Effect.succeed(empty) as Effect.Effect<OutboxStatus, StorageError>,
  notStored: 0,
  deadNotices: 0,
  storageFailure: Option.none<StorageError>(),
  standby: undefined as string | undefined,
  elsewhere: false,
  replicas: new Array<Replica>(),
  doubt: undefined as string | undefined,
  misfit: Option.none<string>()
}

const layer = (state: typeof program) =>
  Health.layer.pipe(
    Layer.provide(Layer.succeed(
      PlaneSync,
      PlaneSync.of({
        projects: Effect.sync(() => [{
          identifier: "ET",
          destination: state.destination,
          budget: { limit: 60, used: 3, waiting: 1, pausedUntil: Option.none() },
          misfit: state.misfit
        }]),
        left: Effect.succeed([]),
        probe: Effect.die("nobody asks"),
        outbox: Effect.suspend(() => state.outbox),
        storageFailure: Effect.sync(() => state.storageFailure),
        settled: Effect.dieMessage("nobody waits")
      })
    )),
    Layer.provide(Layer.succeed(
      StageEvents,
      StageEvents.of({
        publish: () => Effect.dieMessage("nobody publishes"),
        publishOrFail: () => Effect.dieMessage("nobody publishes"),
        transact: () => Effect.dieMessage("nobody publishes"),
        stream: () => Stream.dieMessage("nobody reads"),
        notStored: Effect.sync(() => state.notStored)
      })
    )),
    Layer.provide(Layer.succeed(
      DeadNotices,
      DeadNotices.of({
        list: () => Effect.dieMessage("nobody reads"),
        count: Effect.sync(() => state.deadNotices),
        retry: () => Effect.dieMessage("nobody retries"),
        retryAll: Effect.dieMessage("nobody retries"),
        discard: () => Effect.dieMessage("nobody discards"),
        discardAll: Effect.dieMessage("nobody discards"),
        host: Option.none()
      })
    )),
    Layer.provide(Layer.succeed(Gitea, giteaOf(new Map()))),
    Layer.provide(projectsLayer),
    Layer.provide(Layer.succeed(Integrity, Integrity.of({ doubt: Effect.sync(() => state.doubt) }))),
    Layer.provide(Layer.succeed(
      Leadership,
      Leadership.of({
        whileLeading: () => Effect.dieMessage("nobody leads"),
        whileSending: () => Effect.dieMessage("nobody leads"),
        standby: Effect.sync(() => state.standby),
        isElsewhere: () => state.elsewhere,
        replicas: Effect.sync(() => state.replicas)
      })
    )),
    Layer.provide(Layer.succeed(
      Receiver,
      Receiver.of({
        receive: () => Effect.dieMessage("nobody delivers"),
        status: Effect.succeed({
          plane: {
            acceptedAt: Option.some(DateTime.unsafeMake(0)),
            refused: Option.none(),
            refusedSince: 0,
            skipped: []
          },
          gitea: {
            acceptedAt: Option.none(),
            refused: Option.some({ at: DateTime.unsafeMake(0), why: "it is not signed" }),
            refusedSince: 1,
            skipped: [{ kind: "push", count: 12, why: "the event \"push\" moves nothing by itself" }]
          }
        })
      })
    )),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
  )

const withHealth = <A, E>(
  test: (health: Health["Type"], state: typeof program) => Effect.Effect<A, E>
) =>
  Effect.suspend(() => {
    const state = { ...program }
    return Effect.provide(Effect.flatMap(Health, (health) => test(health, state)), layer(state))
  })

const degradedBy = ({ reasons, status }: HealthReport, reason: RegExp) => {
  assert.deepStrictEqual([status, reasons.length], ["degraded", 1])
  assert.match(reasons.join(), reason)
}

describe("Health", () => {
  it.effect("is ok when all goes well", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.outbox = Effect.succeed({ ...empty, pending: 2, oldestAt: Option.some(DateTime.unsafeMake(0)) })
        yield* TestClock.adjust("90 seconds")
        assert.deepStrictEqual(yield* report, {
          live: true,
          status: "ok",
          reasons: [],
          waits: [],
          plane: { state: "open", rateLimit: { limit: 60, used: 3, waiting: 1 } },
          projects: [{ project: "ET", state: "open", rateLimit: { limit: 60, used: 3, waiting: 1 } }],
          replicas: [],
          outbox: { pending: 2, dead: 0, oldestSeconds: 90 },
          notices: { dead: 0 },
          webhooks: {
            plane: { lastAccepted: DateTime.unsafeMake(0), lastRefused: null, skipped: [] },
            gitea: {
              lastAccepted: null,
              lastRefused: { at: DateTime.unsafeMake(0), why: "it is not signed" },
              skipped: [{ kind: "push", count: 12, why: "the event \"push\" moves nothing by itself" }]
            }
          }
        })
      })
    ))

  it.effect("is degraded while a notice that was given up is left", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.deadNotices = 2
        const given = yield* report
        degradedBy(
          given,
          /^2 notices were given up, so somebody may not know that a task waits: plane-sync notices list /
        )
        assert.deepStrictEqual([given.notices, given.waits], [{ dead: 2 }, []])
        state.deadNotices = 0
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("row 46: is degraded as soon as Plane is away, and lives all the same", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.destination = closed("connection refused")
        const away = yield* report
        degradedBy(away, /^connection refused\. Nothing has been sent to Plane since 1970-01-01T00:00:00.000Z/)
        assert.deepStrictEqual([away.live, away.plane.state], [true, "closed"])
        state.destination = { open: true }
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("row 46: is degraded until the last dead letter is retried or discarded", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.outbox = Effect.succeed({ ...empty, dead: 3 })
        degradedBy(yield* report, /^3 events are dead letters/)
        state.outbox = Effect.succeed({ ...empty, discarded: 3 })
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("is degraded without a token, at once", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        const reason = "ORCH_PLANE_API_TOKEN is not set: events are kept, and nothing is sent to Plane"
        state.destination = { ...closed(reason), notLookedAt: true }
        degradedBy(yield* report, new RegExp(`^${reason}$`))
      })
    ))

  it.effect("is degraded while storage cannot be read, and tells what was known last", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.outbox = Effect.succeed({ ...empty, pending: 7 })
        yield* report
        state.outbox = full
        const failing = yield* report
        degradedBy(failing, /no space left/)
        assert.strictEqual(failing.outbox.pending, 7)
        state.outbox = Effect.succeed(empty)
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("is degraded while the workers cannot store what they do, though reading goes well", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.storageFailure = Option.some(full)
        degradedBy(yield* report, /no space left/)
        state.storageFailure = Option.none()
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("row 74: is degraded until the database file was checked", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.doubt = "Storage x.sqlite: the file is being checked"
        degradedBy(yield* report, /being checked/)
        state.doubt = undefined
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("row 75: is degraded while another process sends in its place", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.standby = "process 1 on elsewhere sends from this file"
        degradedBy(yield* report, /^process 1 on elsewhere sends/)
      })
    ))

  it.effect("is degraded after a write that failed, until one succeeds or 5 minutes are over", () =>
    withHealth(({ noteWrite, report }) =>
      Effect.gen(function*() {
        yield* noteWrite(Either.left(full))
        degradedBy(yield* report, /no space left/)
        yield* noteWrite(Either.right(undefined))
        assert.strictEqual((yield* report).status, "ok")
        yield* noteWrite(Either.left(full))
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("is degraded for 5 minutes after an event could not be stored", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.notStored = 2
        yield* TestClock.adjust("2 seconds")
        degradedBy(yield* report, /^2 events could not be stored/)
        yield* TestClock.adjust("5 minutes")
        assert.strictEqual((yield* report).status, "ok")
      })
    ))

  it.effect("does not wait for storage that does not answer", () =>
    withHealth(({ report }, state) =>
      Effect.gen(function*() {
        state.outbox = Effect.succeed({ ...empty, pending: 7 })
        yield* report
        state.outbox = Effect.never
        const fiber = yield* Effect.fork(report)
        yield* TestClock.adjust("100 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).outbox.pending, 7)
      })
    ))
})
