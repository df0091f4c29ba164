import { Context, DateTime, Duration, Effect, Layer, Option } from "effect"
import type { EpochMillis, MonotonicMillis } from "../base/Time.js"
import { monotonicMillis, stored } from "../base/Time.js"
import { version } from "../base/Version.js"
import { Health } from "../health/Health.js"
import type { HealthFacts } from "../health/HealthFacts.js"
import { judge } from "../health/Judge.js"
import { metrics } from "../metrics/Metrics.js"
import { prometheusText } from "../metrics/Prometheus.js"
import { DeadCode } from "../outbox/DeadCode.js"
import type { DeadGroup } from "../outbox/DeadGroups.js"
import { readDeadGroups } from "../outbox/DeadGroups.js"
import { WaitReason } from "../people/Wait.js"
import type { WaitCount } from "../people/Waits.js"
import { countOpenWaits } from "../people/Waits.js"
import { awaited } from "../sending/Destination.js"
import { Storage } from "../storage/Storage.js"
import type { EventLoopDelay } from "./EventLoopDelay.js"
import { makeEventLoopDelay } from "./EventLoopDelay.js"

/** The program's metrics, as Prometheus reads them. */
export class Metrics extends Context.Tag("plane-sync/Metrics")<Metrics, {
  /**
   * All of them as text. What is so much at the moment is read when this is asked for, at most once a second. While
   * storage fails, it is what was read last, and `plane_sync_storage_failing` is 1.
   */
  readonly text: Effect.Effect<string>
}>() {
  static readonly layer: Layer.Layer<Metrics, never, Health | Storage> = Layer.scoped(
    Metrics,
    Effect.suspend(() => make)
  )
}

/** The longest time that it waits for storage. Prometheus itself waits for 10 seconds. */
const patience = "2 seconds"

/** What was read so shortly before is good for others who ask. */
const sharedFor = Duration.toMillis("1 second")

interface Stored {
  readonly groups: ReadonlyArray<DeadGroup>
  readonly waits: ReadonlyArray<WaitCount>
  /** It could not be read this time: then it is what was read last. */
  readonly isStale: boolean
}

const flag = (holds: boolean) => holds ? 1 : 0

const secondsSince = (now: EpochMillis, at: EpochMillis) => Math.max(0, now - at) / 1_000

/** How a project is, of those that this process sends for: of the others another one knows. */
const setProjects = ({ elsewhere, now, projects, standby }: HealthFacts) => {
  const isLed = ({ identifier }: HealthFacts["projects"][number]) =>
    standby === undefined && !elsewhere.includes(identifier)
  const led = projects.filter(isLed)
  const each = (
    of: (project: HealthFacts["projects"][number]) => number
  ) => led.map((project) => [{ project: project.identifier }, of(project)] as const)
  metrics.leads.set(projects.map((project) => [{ project: project.identifier }, flag(isLed(project))]))
  metrics.isClosed.set(each(({ destination }) => flag(!destination.open && destination.reason !== awaited)))
  metrics.budgetLeft.set(each(({ budget: { limit, used } }) => Math.max(0, limit - used)))
  metrics.budgetWaiting.set(each(({ budget }) => budget.waiting))
  metrics.pause.set(each(({ budget: { pausedUntil } }) =>
    Option.match(pausedUntil, {
      onNone: () => 0,
      onSome: (until) => Math.max(0, DateTime.toEpochMillis(until) - now) / 1_000
    })
  ))
}

const setGauges = (facts: HealthFacts, { groups, isStale, waits }: Stored, delay: EventLoopDelay) => {
  const { deadNotices, hooks, now, outbox, readFailure, replicas, workerFailure, writeFailure } = facts
  metrics.build.set([[{ version }, 1]])
  metrics.degraded.set([[{}, flag(judge(facts).status === "degraded")]])
  metrics.owed.set([[{}, outbox.pending]])
  metrics.oldest.set([[
    {},
    Option.match(outbox.oldestAt, {
      onNone: () => 0,
      onSome: (at) => secondsSince(now, stored(at))
    })
  ]])
  metrics.dead.set([[{}, outbox.dead]])
  metrics.deadLetters.set(DeadCode.literals.map((code) => [
    { code },
    groups.reduce((sum, group) => group.code === code ? sum + group.letters : sum, 0)
  ]))
  metrics.deadNotices.set([[{}, deadNotices]])
  setProjects(facts)
  const failures = [readFailure, workerFailure, writeFailure]
  metrics.storageFailing.set([[{}, flag(isStale || failures.some((failure) => failure !== undefined))]])
  metrics.hooksRefused.set((["plane", "gitea"] as const).map((source) => [{ source }, hooks[source].refusedSince]))
  metrics.waiting.set(WaitReason.literals.map((reason) => [
    { reason },
    waits.find((count) => count.reason === reason)?.waits ?? 0
  ]))
  metrics.oldestWait.set([[{}, waits.reduce((most, { firstAt }) => Math.max(most, secondsSince(now, firstAt)), 0)]])
  metrics.replicas.set([[{}, replicas.filter(({ alive }) => alive).length]])
  metrics.loopDelay.set([
    [{ of: "median" }, delay.median],
    [{ of: "p99" }, delay.p99],
    [{ of: "longest" }, delay.longest]
  ])
}

const make = Effect.gen(function*() {
  const { facts } = yield* Health
  const { read, sql } = yield* Storage
  const eventLoopDelay = yield* makeEventLoopDelay
  let last: Stored = { groups: [], waits: [], isStale: false }

  const readStored = Effect.gen(function*() {
    const groups = yield* read(readDeadGroups(sql))
    const waits = yield* read(countOpenWaits(sql))
    last = { groups, waits, isStale: false }
  }).pipe(
    Effect.timeout(patience),
    Effect.orElse(() =>
      Effect.sync(() => {
        last = { ...last, isStale: true }
      })
    )
  )

  const text = Effect.gen(function*() {
    yield* readStored
    const known = yield* facts
    const delay = yield* eventLoopDelay
    setGauges(known, last, delay)
    return prometheusText()
  })

  const turn = yield* Effect.makeSemaphore(1)
  let shown: { readonly at: MonotonicMillis; readonly text: string } | undefined

  return Metrics.of({
    text: Effect.gen(function*() {
      const now = yield* monotonicMillis
      if (shown !== undefined && now - shown.at < sharedFor) return shown.text
      shown = { at: now, text: yield* text }
      return shown.text
      // Who has gone away before it was read must not take it from the others.
    }).pipe(turn.withPermits(1))
  })
})
