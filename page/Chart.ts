import type { History } from "./Wire.js"

// A chart is a hundred units high, and one wide for each bucket. Everything is an attribute of SVG, because the page's
// policy permits no styles in the markup.

export type Bucket = History["buckets"][number]

/** Up to the next number that reads well: 1, 2, 5, 10, 20, 50 … */
export const niceCeiling = (most: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)))
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= most) ?? power
}

const y = (share: number) => (100 - 100 * Math.min(1, Math.max(0, share))).toFixed(1)

/** A bar for each bucket. */
export const bars = (values: ReadonlyArray<number>, most: number): string =>
  values.map((value, x) => value === 0 ? "" : `M${x + 0.1} 100V${y(value / most)}h.8V100z`).join("")

/** A line through the middles of the buckets, which is broken where there is no value. */
export const line = (shares: ReadonlyArray<number | null>): string =>
  shares.map((share, x) => {
    if (share === null) return ""
    const isFirst = (shares[x - 1] ?? null) === null
    // A value that stands alone is a short stroke.
    return `${isFirst ? "M" : "L"}${isFirst ? x + 0.3 : x + 0.5} ${y(share)}${isFirst ? `L${x + 0.6} ${y(share)}` : ""}`
  }).join("")

/** From 0.1 s to half an hour, by the power of ten. */
const fastest = Math.log10(0.1)
const slowest = Math.log10(1_800)

/** How high a latency stands on the logarithmic scale. */
export const latencyShare = (seconds: number | null): number | null =>
  seconds === null ? null : (Math.log10(Math.max(0.1, seconds)) - fastest) / (slowest - fastest)

/** Runs of buckets in which Plane was closed: where they begin, and how long they are. */
export const closedRuns = (
  buckets: ReadonlyArray<Bucket>
): ReadonlyArray<{ readonly from: number; readonly count: number }> =>
  buckets.reduce<Array<{ from: number; count: number }>>((runs, { closedSeconds }, x) => {
    const last = runs.at(-1)
    if (closedSeconds === 0) return runs
    if (last !== undefined && last.from + last.count === x) last.count += 1
    else runs.push({ from: x, count: 1 })
    return runs
  }, [])
