import { Array, Order } from "effect"

/** The nearest-rank percentile: the smallest value that at least `share` (0 to 1) of the values do not exceed. */
export const percentile = (values: Array.NonEmptyReadonlyArray<number>, share: number): number => {
  const sorted = Array.sort(values, Order.number)
  const rank = Math.min(Math.max(Math.ceil(share * sorted.length), 1), sorted.length)
  return sorted[rank - 1] ?? sorted[0]
}

/** The middle value. Of an even number of values it is the lower of the two, so that it was really measured. */
export const median = (values: Array.NonEmptyReadonlyArray<number>): number => percentile(values, 0.5)
