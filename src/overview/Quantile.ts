/**
 * The value that a share (0 to 1) of what was observed does not exceed, by the buckets of a histogram: how many were at
 * most so much, in order. Within a bucket they are taken to be spread evenly. Null if nothing was observed. What is
 * beyond the last bound counts as this bound.
 */
export const quantile = (
  buckets: ReadonlyArray<readonly [upTo: number, count: number]>,
  share: number
): number | null => {
  const all = buckets.at(-1)?.[1] ?? 0
  if (all === 0) return null
  const rank = share * all
  const at = buckets.findIndex(([, count]) => count >= rank)
  const [upTo, count] = buckets[at] ?? [0, 0]
  const [from, below] = buckets[at - 1] ?? [0, 0]
  return upTo === Infinity ? from : from + (upTo - from) * ((rank - below) / (count - below))
}
