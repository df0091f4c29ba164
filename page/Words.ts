/** A space at which no line is broken: between a number and its unit. */
const nb = "\u00a0"

/** How long something takes, in its two largest units. */
export const duration = (seconds: number): string => {
  if (seconds < 0.95) return `${Math.max(0, seconds).toFixed(1)}${nb}s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}${nb}s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}${nb}min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours}${nb}h` : `${hours}${nb}h ${minutes % 60}${nb}min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 ? `${days}${nb}d` : `${days}${nb}d ${hours % 24}${nb}h`
}

/** How long a request took. */
export const latency = (millis: number): string =>
  millis < 1000 ? `${Math.max(0, Math.round(millis))}${nb}ms` : `${(millis / 1000).toFixed(1)}${nb}s`

const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const
const toMinute = new Intl.DateTimeFormat("en-GB", hour)
const toSecond = new Intl.DateTimeFormat("en-GB", { ...hour, second: "2-digit" })
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" })
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })

const isToday = (at: Date, now: number) => at.toDateString() === new Date(now).toDateString()

/** A moment in the browser's zone: the time today, otherwise the day too. `now` in milliseconds. */
export const moment = (iso: string, now: number, seconds = false): string => {
  const at = new Date(iso)
  const time = (seconds ? toSecond : toMinute).format(at)
  return isToday(at, now) ? time : `${day.format(at)}, ${time}`
}

/** The same in full, for who points at it. */
export const inFull = (iso: string): string => whole.format(new Date(iso))

/** How many seconds ago a moment was. */
export const secondsSince = (iso: string, now: number): number => (now - Date.parse(iso)) / 1000

/** "12 s ago". */
export const ago = (iso: string, now: number): string => {
  const seconds = secondsSince(iso, now)
  return seconds < 1.5 ? "just now" : `${duration(seconds)} ago`
}

/** "in 38 s", or "now" when the moment has come. */
export const until = (iso: string, now: number): string => {
  const seconds = Math.ceil(-secondsSince(iso, now))
  return seconds < 1 ? "now" : `in ${duration(seconds)}`
}

const grouped = new Intl.NumberFormat("en-GB")

/** "1,204 letters", "1 letter". */
export const counted = (count: number, one: string, many: string): string =>
  `${grouped.format(count)} ${count === 1 ? one : many}`

/** A number as people read it. */
export const number = (count: number): string => grouped.format(count)

/** Why a delivery is a dead letter, by its code. */
export const codeWords: Readonly<Record<string, string>> = {
  unfit: "can never be told",
  wrong_project: "of another project",
  ambiguous: "several have the key",
  not_found: "nobody has the key",
  gone: "deleted or archived",
  refused: "refused by Plane",
  ignored: "ignored by Plane",
  attempts: "all attempts failed"
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: "\"", apos: "'", nbsp: nb }

/**
 * The text of a comment, of which only the ends of its lines are kept. It is not parsed by the browser, which would
 * look at what somebody has written in it.
 */
export const textOf = (html: string): string =>
  html.replace(/<br\s*\/?>|<\/(p|li|h\d)>/gi, "\n").replace(/<[^>]*>/g, "")
    .replace(/&(#x?)?(\w+);/g, (all: string, coded: string | undefined, name: string) =>
      coded === undefined
        ? entities[name] ?? all
        : String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(name, coded === "#" ? 10 : 16) || 0xfffd)))
    .trim()
