import { Duration } from "effect"
import type { RateLimit } from "../plane/PlaneConfig.js"
import { sendingSettings } from "../plane/PlaneConfig.js"
import type { Finding, Outcome } from "./Finding.js"
import { found, Passed, Skipped, Warned } from "./Finding.js"
import type { Answered } from "./Requests.js"

const { name: setting } = sendingSettings.rateLimit.definition

/** Plane's limit as far as its answers tell: at least so many requests, in so many seconds. */
const limitSeen = (answers: ReadonlyArray<Answered>) => {
  const counted = answers.filter(({ remaining }) => remaining !== undefined)
  const [first] = counted
  if (first === undefined) return undefined
  const { date, remaining = 0, reset } = first
  const seconds = date === undefined || reset === undefined ? 60 : Math.max(1, Math.round(reset - date / 1000))
  // The first answer shows all but one of what is left for this API token.
  return { requests: remaining + 1, seconds }
}

const notAsked = "Plane is not asked now"

/** As much as a command of ours may have used within the window, such as this one. */
const ofCommands = 12

const perWindow = (requests: number, seconds: number) =>
  seconds === 60 ? `${requests}/minute` : `${requests} in ${seconds} s`

/** The rate limit that Plane's answers show, beside that of the setting. */
export const checkRateLimit = (
  answers: ReadonlyArray<Answered>,
  limit: RateLimit,
  isServed: boolean
): Outcome<never> => {
  const seen = limitSeen(answers)
  if (answers.length === 0) return found(Skipped({ why: notAsked }))
  if (seen === undefined) return found(Skipped({ why: "Plane's answers do not tell a rate limit" }))
  const window = Duration.toSeconds(limit.window)
  const ours = limit.requests / window
  const theirs = seen.requests / seen.seconds
  const set = `${setting} is ${perWindow(limit.requests, window)}`
  const told = `Plane left ${perWindow(seen.requests, seen.seconds)} to this API token before doctor asked`
  if (theirs >= ours) {
    return found(Passed({
      seen: theirs > ours
        ? `${told}, and ${set}: it could be more, if the server's API_KEY_RATE_LIMIT is`
        : `${told}, and ${set}, as the server's API_KEY_RATE_LIMIT`
    }))
  }
  if (isServed) {
    return found(Passed({ seen: `${told}; ${set}, and the running plane-sync uses the same API token` }))
  }
  if (limit.requests - theirs * window <= ofCommands) {
    return found(
      Passed({ seen: `${told}, and ${set}: the rest was used a moment ago, or API_KEY_RATE_LIMIT is lower` })
    )
  }
  const perMinute = Math.max(1, Math.floor(theirs * 60))
  return found(Warned({
    seen: `${told}, but ${set}: others use this API token, or the server's API_KEY_RATE_LIMIT is lower`,
    mend:
      `if it stays so a minute later, make plane-sync an API token of its own, or set ${setting}=${perMinute}/minute, as API_KEY_RATE_LIMIT is`
  }))
}

const mostApart = Duration.toMillis("30 seconds")

const apart = (millis: number) => {
  const seconds = Math.round(Math.abs(millis) / 1000)
  return seconds === 0 ? "less than a second" : Duration.format(Duration.seconds(seconds))
}

const clockOf = (difference: number): Finding => {
  const behind = difference > 0 ? "behind" : "ahead of"
  return Math.abs(difference) <= mostApart
    ? Passed({ seen: `Plane's clock and ours differ by ${apart(difference)}` })
    : Warned({
      seen: `our clock is ${apart(difference)} ${behind} Plane's, so the times of comments are wrong, and the order ` +
        "of a person's moves is told less well",
      mend: "set the clocks by NTP (timedatectl set-ntp true), on both machines"
    })
}

/** Plane's clock beside ours. Its answers tell whole seconds, so the least difference of all counts. */
export const checkClock = (answers: ReadonlyArray<Answered>): Outcome<never> => {
  const differences = answers.flatMap(({ answeredAt, date, sentAt }) =>
    date === undefined ? [] : [
      date > answeredAt ? date - answeredAt : date + 1000 < sentAt ? date + 1000 - sentAt : 0
    ]
  )
  if (answers.length === 0) return found(Skipped({ why: notAsked }))
  const [first, ...others] = differences
  return first === undefined
    ? found(Skipped({ why: "Plane's answers do not tell its time" }))
    : found(clockOf(others.reduce((least, each) => Math.abs(each) < Math.abs(least) ? each : least, first)))
}
