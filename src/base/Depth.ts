/** Whether a value is nested deeper than so many levels. What walks a value calls itself at each, and may overflow. */
export const isDeeperThan = (value: unknown, levels: number): boolean => {
  let level: Array<unknown> = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap((inner): Array<unknown> =>
      typeof inner === "object" && inner !== null ? Object.values(inner) : []
    )
  }
  return false
}
