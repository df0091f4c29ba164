import type { MetricPair } from "effect"
import { Context, Duration, Effect, Layer, Metric, MetricState } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { earlier, epochMillis, MonotonicMillis, monotonicMillis, utc } from "../base/Time.js"
import { metrics } from "../metrics/Metrics.js"
import { PlaneSync } from "../sending/PlaneSync.js"
import type { History as View } from "./HistoryView.js"
import { quantile } from "./Quantile.js"

/** What happened in the last 24 hours, or since the start, of which only this process knows. */
export class History extends Context.Tag("plane-sync/History")<History, {
  /** In buckets of five minutes. The last one is not over yet. */
  readonly read: Effect.Effect<View>
}>() {
  static readonly layer: Layer.Layer<History, never, PlaneSync> = Layer.scoped(History, Effect.suspend(() => make))
}

const bucketLength = Duration.minutes(5)
const bucketMillis = Duration.toMillis(bucketLength)

/** 24 hours of them, with the one that is not over yet. */
const mostBuckets = 288

/** What the metrics have counted since the process was started. */
interface Counts {
  readonly events: number
  readonly told: number
  /** For each project. */
  readonly closed: ReadonlyMap<string, number>
  /** How many were told within so many seconds. */
  readonly buckets: ReadonlyArray<readonly [upTo: number, count: number]>
}

type Bucket = Omit<View["buckets"][number], "at">

const tagOf = ({ metricKey }: MetricPair.MetricPair.Untyped, name: string) =>
  metricKey.tags.find(({ key }) => key === name)?.value ?? ""

const count = ({ metricState }: MetricPair.MetricPair.Untyped) =>
  MetricState.isCounterState(metricState) ? Number(metricState.count) : 0

const now = (): Counts => {
  const all = Metric.unsafeSnapshot()
  const of = ({ definition: { name } }: { readonly definition: { readonly name: string } }) =>
    all.filter(({ metricKey }) => metricKey.name === name)
  const sum = (pairs: ReadonlyArray<MetricPair.MetricPair.Untyped>) => pairs.reduce((sum, pair) => sum + count(pair), 0)
  const stored = (pair: MetricPair.MetricPair.Untyped) => ["stored", "unfit"].includes(tagOf(pair, "outcome"))
  const isTold = (pair: MetricPair.MetricPair.Untyped) =>
    tagOf(pair, "kind") === "comment" && tagOf(pair, "outcome") === "done"
  return {
    events: sum(of(metrics.events).filter(stored)),
    told: sum(of(metrics.deliveries).filter(isTold)),
    closed: new Map(of(metrics.closed).map((pair) => [tagOf(pair, "project"), count(pair)])),
    buckets: of(metrics.told).flatMap(({ metricState }) =>
      MetricState.isHistogramState(metricState) ? metricState.buckets : []
    )
  }
}

/** What was counted between two moments. */
const between = (before: Counts, after: Counts): Bucket => {
  const told = after.buckets.map(([upTo, count], index) => [upTo, count - (before.buckets[index]?.[1] ?? 0)] as const)
  const closed = Array.from(after.closed, ([project, seconds]) => seconds - (before.closed.get(project) ?? 0))
  return {
    events: after.events - before.events,
    told: after.told - before.told,
    p50Seconds: quantile(told, 0.5),
    p99Seconds: quantile(told, 0.99),
    // To the millisecond, because that is how it was added up.
    closedSeconds: Math.round(Math.max(0, ...closed) * 1_000) / 1_000
  }
}

const nothing: Bucket = { events: 0, told: 0, p50Seconds: null, p99Seconds: null, closedSeconds: 0 }

const make = Effect.gen(function*() {
  const { projects } = yield* PlaneSync
  // Whether a project is closed is asked first, because then it counts for how long it has been.
  const counted = Effect.map(projects, now)

  let before = yield* counted
  /** When the bucket that is not over yet has begun. */
  let begun: MonotonicMillis = yield* monotonicMillis
  let over: ReadonlyArray<Bucket> = []

  const keep = (buckets: ReadonlyArray<Bucket>) => {
    over = [...over, ...buckets].slice(1 - mostBuckets)
  }

  const endBucket = Effect.gen(function*() {
    const after = yield* counted
    const passed = Math.floor(((yield* monotonicMillis) - begun) / bucketMillis)
    if (passed === 0) return
    // A process that was stopped for longer has done nothing meanwhile.
    keep([between(before, after), ...Array.from({ length: Math.min(passed, mostBuckets) - 1 }, () => nothing)])
    before = after
    begun = later(begun, passed)
  })

  const untilOver = Effect.flatMap(monotonicMillis, (now) => Effect.sleep(Math.max(1, begun + bucketMillis - now)))
  yield* Effect.forkScoped(Effect.forever(Effect.zipRight(untilOver, endBucket)))

  const read = Effect.gen(function*() {
    yield* endBucket
    const present = between(before, yield* counted)
    const at: EpochMillis = earlier(yield* epochMillis, (yield* monotonicMillis) - begun)
    const buckets = [...over, present]
    const startOf = (index: number) => utc(earlier(at, (buckets.length - 1 - index) * bucketMillis))
    return {
      since: startOf(0),
      bucketSeconds: Duration.toSeconds(bucketLength),
      buckets: buckets.map((bucket, index) => ({ at: startOf(index), ...bucket }))
    }
  })

  return History.of({ read })
})

const later = (begun: MonotonicMillis, buckets: number): MonotonicMillis =>
  MonotonicMillis(begun + buckets * bucketMillis)
