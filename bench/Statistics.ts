import { Array, Order } from "effect"

/** The smallest of the values that at least `share` (0 to 1) of them do not exceed: the nearest-rank percentile. */
export const percentile = (values: Array.NonEmptyReadonlyArray<number>, share: number): number => {
  const sorted = Array.sort(values, Order.number)
  const rank = Math.min(Math.max(Math.ceil(share * sorted.length), 1), sorted.length)
  return sorted[rank - 1] ?? sorted[0]
}

/** The middle value; of an even number the lower of the two, so that it is one that was measured. */
export const median = (values: Array.NonEmptyReadonlyArray<number>): number => percentile(values, 0.5)
