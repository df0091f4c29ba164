import type { ClockMillis } from "./Moment.js"
import type { Settings } from "./Options.js"

/**
 * Plane's throttle: for each API token a sliding log of the moments at which requests *arrived*. A slot becomes free
 * exactly one window after its arrival. Refused requests are not logged. `Reset` is always now + window, as in Plane.
 */
export interface RateLog {
  readonly admit: (token: string, now: ClockMillis) => Admission
}

/** Whether a request is let through. */
export type Admission =
  | { readonly admitted: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly admitted: false; readonly retryAfterSeconds: number }

/** A queue whose head moves, so that forgetting old arrivals costs next to nothing. */
interface Log {
  times: Array<ClockMillis>
  head: number
}

const headers = (remaining: number, resetMillis: number) => ({
  "X-RateLimit-Remaining": String(remaining),
  "X-RateLimit-Reset": String(Math.floor(resetMillis / 1000))
})

export const make = (setting: Settings["rateLimit"], limitOf: (token: string, limit: number) => number): RateLog => {
  if (setting === "off") {
    return { admit: (_token, now) => ({ admitted: true, headers: headers(1_000_000, now + 60_000) }) }
  }
  const { limit, windowMillis } = setting
  const logs = new Map<string, Log>()
  return {
    admit: (token, now) => {
      const log = logs.get(token) ?? { times: [], head: 0 }
      logs.set(token, log)
      for (let oldest = log.times[log.head]; oldest !== undefined && oldest <= now - windowMillis;) {
        oldest = log.times[++log.head]
      }
      if (log.head > 1024) {
        log.times = log.times.slice(log.head)
        log.head = 0
      }
      const allowed = limitOf(token, limit)
      const used = log.times.length - log.head
      if (used >= allowed) {
        const oldest = log.times[log.head] ?? now
        return { admitted: false, retryAfterSeconds: Math.ceil((oldest + windowMillis - now) / 1000) }
      }
      log.times.push(now)
      return { admitted: true, headers: headers(allowed - used - 1, now + windowMillis) }
    }
  }
}
