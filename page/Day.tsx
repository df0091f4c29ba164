import type { JSX } from "preact"
import type { Bucket } from "./Chart.js"
import { bars, closedRuns, latencyShare, line, niceCeiling } from "./Chart.js"
import type { History } from "./Wire.js"
import { counted, duration, moment, number } from "./Words.js"

const Closed = ({ buckets }: { readonly buckets: ReadonlyArray<Bucket> }): JSX.Element => (
  <>
    {closedRuns(buckets).map(({ count, from }) => (
      <rect key={from} class="closed" x={from} y="0" width={count} height="100" />
    ))}
    {[0, 50, 100].map((at) => <path key={at} class="grid" d={`M0 ${at}H${buckets.length}`} />)}
  </>
)

const sum = (values: ReadonlyArray<number>) => values.reduce((all, one) => all + one, 0)

const middle = (values: ReadonlyArray<number>): number | undefined =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]

const present = (values: ReadonlyArray<number | null>) => values.filter((value) => value !== null)

/** The last 24 hours, or those since the start: what came in, what was told, and how long that took. */
export const Day = ({ history, now }: { readonly history: History; readonly now: number }): JSX.Element => {
  const { bucketSeconds, buckets, since } = history
  const most = niceCeiling(Math.max(...buckets.map(({ events, told }) => Math.max(events, told)), 4))
  const [events, told] = [sum(buckets.map((one) => one.events)), sum(buckets.map((one) => one.told))]
  const p50 = middle(present(buckets.map(({ p50Seconds }) => p50Seconds)))
  const p99 = Math.max(...present(buckets.map(({ p99Seconds }) => p99Seconds)), 0)
  const closed = sum(buckets.map(({ closedSeconds }) => closedSeconds))
  const isDay = buckets.length * bucketSeconds >= 86_000
  const [start, end] = [Date.parse(since), Date.parse(since) + buckets.length * bucketSeconds * 1000]
  const hours = [0, 0.25, 0.5, 0.75].map((part) => moment(new Date(start + part * (end - start)).toISOString(), now))
  const view = `0 0 ${buckets.length} 100`
  return (
    <section id="day" aria-labelledby="h-day">
      <div class="section-head">
        <h2 id="h-day" tabIndex={-1}>
          24 hours{" "}
          <span class="count">
            {isDay ? "" : `since the start at ${moment(since, now)}, `}in steps of {duration(bucketSeconds)}
          </span>
        </h2>
      </div>
      <figure class="panel chart">
        <figcaption>
          <h3>{counted(events, "event", "events")} in, {counted(told, "comment", "comments")} told</h3>
          <span class="key k-in muted">events in</span>
          <span class="key k-told muted">comments told</span>
          {closed === 0 ? null : <span class="key k-closed muted">Plane closed, {duration(closed)} in all</span>}
        </figcaption>
        <div class="scale" aria-hidden="true">
          <span>{number(most)}</span>
          <span>{number(most / 2)}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={view}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${events} events in and ${told} comments told, at most ${
            Math.max(...buckets.map((one) => one.events), 0)
          } events in ${duration(bucketSeconds)}.`}
        >
          <Closed buckets={buckets} />
          <path class="in" d={bars(buckets.map((one) => one.events), most)} />
          <path class="told" d={line(buckets.map((one) => one.told / most))} />
        </svg>
        <figcaption>
          <h3>
            {p50 === undefined
              ? "Nothing was told yet"
              : `Told ${duration(p50)} after it was published; the slowest 1 % took up to ${duration(p99)}`}
          </h3>
          <span class="key k-told muted">half of all (p50)</span>
          <span class="key k-p99 muted">99 of 100 (p99)</span>
        </figcaption>
        <div class="scale" aria-hidden="true">
          <span>30 min</span>
          <span>13 s</span>
          <span>0.1 s</span>
        </div>
        <svg
          viewBox={view}
          preserveAspectRatio="none"
          role="img"
          aria-label={p50 === undefined
            ? "From publish to told: nothing yet."
            : `From publish to told: mostly ${duration(p50)}, at most ${duration(p99)}.`}
        >
          <Closed buckets={buckets} />
          <path class="p99" d={line(buckets.map((one) => latencyShare(one.p99Seconds)))} />
          <path class="p50" d={line(buckets.map((one) => latencyShare(one.p50Seconds)))} />
        </svg>
        <p class="hours" aria-hidden="true">
          {hours.map((hour, index) => <span key={index}>{hour}</span>)}
          <span>now</span>
        </p>
      </figure>
    </section>
  )
}
