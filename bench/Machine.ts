import { DateTime, Effect } from "effect"
import { availableParallelism, cpus, loadavg } from "node:os"

/** The machine that the figures were measured on, and when. The load at the start tells how quiet it was. */
export const machine: Effect.Effect<string> = Effect.map(DateTime.now, (now) => {
  const cores = availableParallelism()
  return [
    cpus()[0]?.model.trim() ?? "unknown processor",
    `${cores} ${cores === 1 ? "core" : "cores"}`,
    `node ${process.version}`,
    process.platform,
    DateTime.formatIsoDateUtc(now),
    `load ${loadavg()[0]?.toFixed(1) ?? "?"}`
  ].join(" · ")
})
