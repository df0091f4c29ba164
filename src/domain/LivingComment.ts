import { escapeHtml } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import { momentWords, paragraph } from "./Comment.js"
import type { CommentTexts } from "./CommentTexts.js"
import { textOf } from "./CommentTexts.js"
import type { Link } from "./Link.js"
import type { LivingFacts } from "./LivingFacts.js"
import { timeWords } from "./ReceiptLines.js"
import type { Stage } from "./Stage.js"
import { StageEvent } from "./StageEvent.js"

/** How many stages that are to come are named. */
const mostToCome = 20

interface Visited {
  /** In whole seconds, over all entries that were left again. Undefined if none that is known was. */
  readonly took: number | undefined
  /** Who took the task out of it whatever its gates said, the last time. */
  readonly overruledBy: string | undefined
}

/** What is known of each stage, by the order in which they were entered last. */
const visitedOf = ({ ends, entries }: LivingFacts): Map<Stage, Visited> => {
  const visited = new Map<Stage, Visited>()
  const visit = (stage: Stage, seconds: number | undefined, overruledBy: string | undefined) => {
    const before = visited.get(stage)
    visited.delete(stage)
    visited.set(stage, {
      took: seconds === undefined ? before?.took : (before?.took ?? 0) + seconds,
      overruledBy: overruledBy ?? before?.overruledBy
    })
  }
  entries.forEach((entry, index) => {
    // Where the task came from at first was entered before anything was known.
    if (index === 0) visit(entry.from, undefined, entry.overruledBy)
    const next = entries[index + 1]
    const end = next ?? ends.at(-1)
    // Clocks of several machines differ.
    const seconds = end === undefined ? undefined : Math.max(0, Math.floor((end.at - entry.at) / 1_000))
    visit(entry.to, seconds, next?.overruledBy)
  })
  return visited
}

const itemOf = (mark: string, stage: Stage, parts: ReadonlyArray<string | undefined>) => {
  const known = parts.filter((part) => part !== undefined)
  return `<li>${escapeHtml(`${mark} ${stage}${known.length === 0 ? "" : `: ${known.join(", ")}`}`)}</li>`
}

const moment = (at: EpochMillis) => momentWords(utc(at))

const tookWords = ({ took }: Visited) => took === undefined || took === 0 ? undefined : timeWords(took)

const overruledWords = ({ overruledBy }: Visited) =>
  overruledBy === undefined ? undefined : `overruled by ${overruledBy}`

const doneItem = (stage: Stage, visited: Visited) => itemOf("✅", stage, [tookWords(visited), overruledWords(visited)])

const toComeItem = (stage: Stage, visited: Visited | undefined) => {
  const before = visited && tookWords(visited)
  return itemOf("⬜", stage, [before && `${before} so far`])
}

/** The stages as the items of a list: done, present, to come. */
const stageItems = (facts: LivingFacts, pipeline: ReadonlyArray<Stage>): ReadonlyArray<string> => {
  const { ends, entries } = facts
  const visited = visitedOf(facts)
  const done = (stages: ReadonlyArray<Stage>) =>
    stages.flatMap((stage) => {
      const known = visited.get(stage)
      return known === undefined ? [] : [doneItem(stage, known)]
    })
  const last = entries.at(-1)
  const seen = Array.from(visited.keys())
  if (last === undefined) return []
  if (ends.length > 0) return done(seen)
  const present = itemOf("🔄", last.to, [`since ${moment(last.at)}`, last.agent])
  const place = pipeline.indexOf(last.to)
  const others = seen.filter((stage) => stage !== last.to && (place < 0 || !pipeline.includes(stage)))
  const toCome = place < 0 ? [] : pipeline.slice(place + 1)
  return [
    ...done(others),
    ...done(pipeline.slice(0, Math.max(0, place))),
    present,
    ...toCome.slice(0, mostToCome).map((stage) => toComeItem(stage, visited.get(stage)))
  ]
}

const failureLine = (texts: CommentTexts, { failure }: LivingFacts): string => {
  if (failure === null) return ""
  const { at, check, reason, stage, workItem } = failure
  const words = textOf(texts, StageEvent.QualityGateFailed({ workItem, stage, check, reason }))
  return paragraph(`${words} · ${moment(at)}`)
}

/** Of http and https alone, and without a secret: others are no links. */
const linkItem = ({ kind, title, url }: Link) =>
  `<a href="${escapeHtml(url)}">${escapeHtml(title === "" ? kind : title)}</a>`

const linksLine = (links: ReadonlyArray<Link>) =>
  links.length === 0 ? "" : `<p>Links: ${links.map(linkItem).join(", ")}</p>`

/**
 * The HTML of the living comment: the stages of a task that are done, with how long they took, the present one with its
 * agent and since when, and those to come; the last failure of a gate; and links. `pipeline`: the stages of its tasks in
 * order, as far as they are known. All of it is escaped and bounded, and the same facts give the same bytes.
 */
export const livingHtml = (
  texts: CommentTexts,
  facts: LivingFacts,
  pipeline: ReadonlyArray<Stage>,
  links: ReadonlyArray<Link> = []
): string => {
  const { cut, ends } = facts
  const end = ends.at(-1)
  const items = stageItems(facts, pipeline)
  const list = items.length === 0 ? "" : `<ul>${items.join("")}</ul>`
  const head = end === undefined ? "Progress" : `Progress: completed at ${moment(end.at)}`
  return paragraph(head) + list + (cut > 0 ? paragraph("Older changes of stages are left out.") : "") +
    failureLine(texts, facts) + linksLine(links)
}
