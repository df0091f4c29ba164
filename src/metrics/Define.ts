import type { MetricKeyType } from "effect"
import { Effect, Metric, MetricBoundaries, MetricKey, MetricLabel } from "effect"

/** The labels of a metric: for each its values, or in words what they are where they are not known before. */
export type Labels<Label extends string> = Readonly<Record<Label, ReadonlyArray<string> | string>>

/** What docs/metrics.md tells of a metric. */
export interface Definition {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly unit: string
  readonly labels: Labels<string>
  readonly help: string
}

interface Given<Label extends string> {
  readonly unit: string
  readonly labels?: Labels<Label>
  readonly help: string
}

/** Which series of a metric: a value for each of its labels. */
export type Series<Label extends string> = Readonly<Record<Label, string>>

const noTags: ReadonlyArray<never> = []

/** For the bench: whether anything is counted at all. */
export const recording = { isOn: true }

// A tagged Metric looks its series up in the registry at each update, which takes longer than all the rest: so each
// series has a Metric of its own, which is found once.
const bySeries = <Label extends string, Made>(
  labels: Labels<Label>,
  make: (labels: ReadonlyArray<MetricLabel.MetricLabel>) => Made
) => {
  const names: ReadonlyArray<string> = Object.keys(labels)
  const made = new Map<string, Made>()
  return (series: Series<Label>): Made => {
    const given: Readonly<Record<string, string>> = series
    let key = ""
    for (const name of names) key += `${given[name] ?? ""}\n`
    const known = made.get(key)
    if (known !== undefined) return known
    const one = make(names.map((name) => MetricLabel.make(name, given[name] ?? "")))
    made.set(key, one)
    return one
  }
}

/** All series of labels whose values are known; none if those of one are not. */
const knownSeries = (labels: Labels<string>): ReadonlyArray<Series<string>> =>
  Object.entries(labels).reduce<ReadonlyArray<Series<string>>>(
    (before, [name, values]) =>
      typeof values === "string"
        ? []
        : before.flatMap((series) => values.map((value) => ({ ...series, [name]: value }))),
    [{}]
  )

const tagged = <Type extends MetricKeyType.MetricKeyType.Untyped>(
  key: MetricKey.MetricKey<Type>,
  labels: ReadonlyArray<MetricLabel.MetricLabel>
) => Metric.fromMetricKey(MetricKey.taggedWithLabels(key, labels))

/** Something that happens, and only ever becomes more. */
export const counter = <Label extends string = never>(name: string, { help, labels, unit }: Given<Label>) => {
  const all: Labels<string> = labels ?? {}
  const key = MetricKey.counter(name, { description: help, incremental: true })
  const of = bySeries(all, (labels) => tagged(key, labels))
  const definition: Definition = { name, type: "counter", unit, labels: all, help }
  const adder = (series: Series<Label>) => {
    const one = of(series)
    return (by = 1): void => {
      if (recording.isOn) one.unsafeUpdate(by, noTags)
    }
  }
  return {
    definition,
    add: (series: Series<Label>, by = 1): void => adder(series)(by),
    /** What adds to one series, for where it happens very often. */
    adder,
    /** Shows the series that are known before, at 0: what is not there has no rate. */
    show: (): void => {
      for (const series of knownSeries(all)) of(series).unsafeUpdate(0, [])
    }
  }
}

/** Something that is so much at the moment at which it is read. */
export const gauge = <Label extends string = never>(name: string, { help, labels, unit }: Given<Label>) => {
  const all: Labels<string> = labels ?? {}
  const key = MetricKey.gauge(name, { description: help })
  const set = new Set<{ readonly unsafeUpdate: (value: number, tags: ReadonlyArray<never>) => void }>()
  const of = bySeries(all, (labels) => {
    const one = tagged(key, labels)
    set.add(one)
    return one
  })
  const definition: Definition = { name, type: "gauge", unit, labels: all, help }
  return {
    definition,
    /** Sets these series, and those that are not there any more to NaN, which is not shown. */
    set: (rows: ReadonlyArray<readonly [Series<Label>, number]>): void => {
      for (const one of set) one.unsafeUpdate(NaN, [])
      for (const [series, value] of rows) of(series).unsafeUpdate(value, [])
    },
    show: (): void => {}
  }
}

/** How long something takes, in seconds. */
export const histogram = <Label extends string = never>(
  name: string,
  { boundaries, help, labels }: Omit<Given<Label>, "unit"> & { readonly boundaries: ReadonlyArray<number> }
) => {
  const all: Labels<string> = labels ?? {}
  const key = MetricKey.histogram(name, MetricBoundaries.fromIterable(boundaries), help)
  const of = bySeries(all, (labels) => tagged(key, labels))
  const definition: Definition = { name, type: "histogram", unit: "seconds", labels: all, help }
  const observer = (series: Series<Label>) => {
    const one = of(series)
    return (seconds: number): void => {
      // A clock that was set back makes less than nothing of it.
      if (recording.isOn) one.unsafeUpdate(Math.max(0, seconds), noTags)
    }
  }
  /** Measures how long an effect takes that succeeds. */
  const timed = (series: Series<Label>) => {
    const observe = observer(series)
    return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      recording.isOn
        // Each step of an Effect costs a publish more than the whole of an update does: so these are few.
        ? Effect.clockWith((clock) => {
          const begun = clock.unsafeCurrentTimeNanos()
          return Effect.map(effect, (value) => {
            observe(Number(clock.unsafeCurrentTimeNanos() - begun) / 1e9)
            return value
          })
        })
        : effect
  }
  return {
    definition,
    observe: (series: Series<Label>, seconds: number): void => observer(series)(seconds),
    timed,
    show: (): void => {
      // Whoever reads a series makes it.
      for (const series of knownSeries(all)) of(series).unsafeValue([])
    }
  }
}
