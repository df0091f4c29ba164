/** Whether a value is nested deeper than `levels`. Code that walks a value recursively may overflow the stack. */
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
