import { DateTime } from "effect"
import { escapeHtml, unescapeHtml } from "../base/Text.js"
import { StageEvent } from "./StageEvent.js"

/** An event and when it happened. */
export interface DatedEvent {
  readonly event: StageEvent
  readonly occurredAt: DateTime.Utc
}

const aside = (words: string, what: string | undefined) =>
  what === undefined || what === "" ? "" : ` (${words} ${what})`

const text: (event: StageEvent) => string = StageEvent.$match({
  StageChanged: ({ agent, from, overruledBy, to }) =>
    `🔄 Stage: ${from} → ${to}${aside("launching", agent)}${aside("overruled by", overruledBy)}`,
  QualityGateFailed: ({ check, reason, stage }) => `⚠️ QG failed at ${stage}: ${check} — ${reason}`,
  TaskCompleted: () => "✅ Task completed! PR merged and deployed."
})

const paragraph = (line: string) => `<p>${escapeHtml(line).replace(/\n/g, "<br>")}</p>`

const utc = (moment: DateTime.Utc) => `${DateTime.formatIso(moment).slice(0, 19).replace("T", " ")} UTC`

/**
 * The HTML of the comment that tells an event. All texts of the event are escaped, because Plane does not sanitise
 * comments.
 */
export const commentHtml = (event: StageEvent): string => paragraph(text(event))

/** The HTML of one comment that tells several events: each has a line with its own time. */
export const joinedHtml = (moments: ReadonlyArray<DatedEvent>): string =>
  moments.map(({ event, occurredAt }) => paragraph(`${text(event)} · ${utc(occurredAt)}`)).join("")

const linesOf = (html: string): ReadonlyArray<string> =>
  html.split(/<\/p>/i).map((paragraph) => unescapeHtml(paragraph.replace(/<br\s*\/?>/gi, "\n").replace(/<[^>]*>/g, "")))

/** The text of a comment's HTML, in one line. */
export const plainText = (html: string): string =>
  linesOf(html).map((line) => line.replace(/\s+/g, " ").trim()).filter((line) => line !== "").join("; ")

// Editors and cleaners of HTML change spaces, marks and symbols of what they keep.
const lettersOf = (text: string) => text.normalize("NFKC").replace(/[^\p{L}\p{N}]+/gu, "").toLowerCase()

const counted = /^failed\d+timeslastat/
const endsCounted = /failed\d+timeslastat\d+utc$/

/** How the line of a failure begins that may be counted under the newest words of the same failure. */
const beginningOf = (event: StageEvent): string | undefined =>
  event._tag === "QualityGateFailed" && event.sameAs !== undefined
    ? lettersOf(text({ ...event, reason: "" }))
    : undefined

/**
 * Whether the HTML of a comment has a line that tells an event: alone, with its time, or with a count. Letters and
 * numbers are compared, because what Plane keeps of the rest differs between versions.
 */
export const tells = (html: string, { event, occurredAt }: DatedEvent): boolean => {
  const line = lettersOf(text(event))
  const dated = line + lettersOf(utc(occurredAt))
  const beginning = beginningOf(event)
  return linesOf(html).map(lettersOf).some((told) =>
    told === line || told === dated || (told.startsWith(line) && counted.test(told.slice(line.length))) ||
    (beginning !== undefined && told.startsWith(beginning) && endsCounted.test(told))
  )
}

/** The HTML of the comment that tells how often the same gate has failed, and when it failed last. */
export const countedHtml = (last: DatedEvent, failures: number): string =>
  paragraph(`${text(last.event)} (failed ${failures} times, last at ${utc(last.occurredAt)})`)
