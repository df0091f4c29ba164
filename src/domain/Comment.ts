import { DateTime } from "effect"
import { escapeHtml, unescapeHtml } from "../base/Text.js"
import type { CommentTexts } from "./CommentTexts.js"
import { defaultTexts, textOf } from "./CommentTexts.js"
import { receiptLines } from "./ReceiptLines.js"
import type { ToldEvent } from "./StageEvent.js"
import type { TaskReceipt } from "./TaskReceipt.js"
import { withUsage } from "./TaskReceipt.js"
import type { UsageSum } from "./Usage.js"

/** An event and when it happened. */
export interface DatedEvent {
  readonly event: ToldEvent
  readonly occurredAt: DateTime.Utc
}

const paragraph = (line: string) => `<p>${escapeHtml(line).replace(/\n/g, "<br>")}</p>`

const utc = (moment: DateTime.Utc) => `${DateTime.formatIso(moment).slice(0, 19).replace("T", " ")} UTC`

const noReceipt: TaskReceipt = { stages: [], pullRequests: [], usage: [] }

/**
 * What is known of a task at its end, as a list below the line that tells it; nothing of other events. The event's own
 * usage is in `used`.
 */
const receiptHtml = (event: ToldEvent, used: ReadonlyArray<UsageSum>): string => {
  if (event._tag !== "TaskCompleted") return ""
  const lines = receiptLines(withUsage(event.receipt ?? noReceipt, used))
  return lines.length === 0 ? "" : `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`
}

/**
 * The HTML of the comment that tells an event. All of it is escaped, the project's own words as well, because Plane
 * does not sanitise comments. `used`: what the events of the work item have used, this one included; an end shows it.
 */
export const commentHtml = (texts: CommentTexts, event: ToldEvent, used: ReadonlyArray<UsageSum> = []): string =>
  paragraph(textOf(texts, event)) + receiptHtml(event, used)

/** The HTML of one comment that tells several events: each has a line with its own time. */
export const joinedHtml = (texts: CommentTexts, moments: ReadonlyArray<DatedEvent>): string =>
  moments.map(({ event, occurredAt }) => paragraph(`${textOf(texts, event)} · ${utc(occurredAt)}`)).join("")

const linesOf = (html: string): ReadonlyArray<string> =>
  html.split(/<\/(?:p|li)>/i).map((paragraph) =>
    unescapeHtml(paragraph.replace(/<br\s*\/?>/gi, "\n").replace(/<[^>]*>/g, ""))
  )

/** The text of a comment's HTML, in one line. */
export const plainText = (html: string): string =>
  linesOf(html).map((line) => line.replace(/\s+/g, " ").trim()).filter((line) => line !== "").join("; ")

// Editors and cleaners of HTML change spaces, marks and symbols of what they keep.
const lettersOf = (text: string) => text.normalize("NFKC").replace(/[^\p{L}\p{N}]+/gu, "").toLowerCase()

const counted = /^failed\d+timeslastat/
const endsCounted = /failed\d+timeslastat\d+utc$/

/** Stands for a reason. No text of an event has it, because they are cleaned. */
const anyReason = "\u0000"

/** How the line of a failure begins and ends that may be counted under the newest words of the same failure. */
const aroundReason = (texts: CommentTexts, event: ToldEvent) => {
  if (event._tag !== "QualityGateFailed" || event.sameAs === undefined) return undefined
  const parts = textOf(texts, { ...event, reason: anyReason }).split(anyReason)
  const [before = ""] = parts
  return { before: lettersOf(before), after: parts.length === 1 ? "" : lettersOf(parts.at(-1) ?? "") }
}

const tellsBy = (texts: CommentTexts, { event, occurredAt }: DatedEvent) => {
  const line = lettersOf(textOf(texts, event))
  const dated = line + lettersOf(utc(occurredAt))
  const around = aroundReason(texts, event)
  return (told: string) =>
    told === line || told === dated || (told.startsWith(line) && counted.test(told.slice(line.length))) ||
    (around !== undefined && told.startsWith(around.before) && endsCounted.test(told) &&
      told.slice(around.before.length).replace(endsCounted, "").endsWith(around.after))
}

/**
 * Whether the HTML of a comment has a line that tells an event: alone, with its time, or with a count; in the project's
 * words, or in those that it has without any. Letters and numbers are compared, because what Plane keeps of the rest
 * differs between versions.
 */
export const tells = (texts: CommentTexts, html: string, moment: DatedEvent): boolean => {
  const isTold = [tellsBy(texts, moment), tellsBy(defaultTexts, moment)]
  return linesOf(html).map(lettersOf).some((told) => isTold.some((isIt) => isIt(told)))
}

/** Whether two comments say the same, as far as Plane keeps it. */
export const saysSame = (one: string, other: string): boolean => {
  // An editor puts a paragraph into each item of a list, which leaves empty lines.
  const [words, others] = [one, other].map((html) =>
    linesOf(html).map(lettersOf).filter((line) => line !== "").join("\n")
  )
  return words === others
}

/** The HTML of the comment that tells how often the same gate has failed, and when it failed last. */
export const countedHtml = (texts: CommentTexts, last: DatedEvent, failures: number): string =>
  paragraph(`${textOf(texts, last.event)} (failed ${failures} times, last at ${utc(last.occurredAt)})`)
