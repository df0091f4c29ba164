/** What one work item must show in Plane when all is told: its lines, in the order in which they were published. */
export interface Expected {
  readonly workItem: string
  readonly lines: ReadonlyArray<string>
  /** The name of its state. */
  readonly state: string
  /** The links that were asked for, in that order: of each kind the last one must be there, and nothing else. */
  readonly links?: ReadonlyArray<ExpectedLink>
}

export interface ExpectedLink {
  readonly kind: string
  readonly url: string
}

/** What Plane shows of a work item. */
export interface Shown {
  readonly lines: ReadonlyArray<string>
  readonly state: string
  /** The addresses of its links. */
  readonly links?: ReadonlyArray<string>
}

/** What is wrong, each finding in words. If all lists are empty, nothing is wrong. */
export interface Findings {
  readonly lost: ReadonlyArray<string>
  readonly doubled: ReadonlyArray<string>
  readonly outOfOrder: ReadonlyArray<string>
  readonly wrongState: ReadonlyArray<string>
  /** Lines that nobody published. A text that was changed on its way is one of these, and also a lost one. */
  readonly unexpected: ReadonlyArray<string>
  readonly links: ReadonlyArray<string>
}

/** How many findings there are. */
export const countFindings = ({ doubled, links, lost, outOfOrder, unexpected, wrongState }: Findings): number =>
  lost.length + doubled.length + outOfOrder.length + wrongState.length + unexpected.length + links.length

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: "\"", "#39": "'" }

/**
 * A comment's lines as a reader of Plane sees them. A character that should have been escaped and was not is marked. So
 * its line differs from the expected one, even if a browser would have guessed what was meant. The list of a receipt is
 * left out: its figures are no event's.
 */
export const linesOf = (html: string): Array<string> =>
  html
    .replace(/<\/p><ul>(<li>[^<>]*<\/li>)+<\/ul>/g, "\n")
    .replace(/<br>|<\/p>/g, "\n")
    .replace(/<p>/g, "")
    .replace(/[<>]|&(?!(amp|lt|gt|quot|#39);)/g, "[not escaped: $&]")
    .replace(/&(amp|lt|gt|quot|#39);/g, (entity, name: string) => entities[name] ?? entity)
    .split("\n")
    .filter((line) => line !== "")

const ownTime = / · \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC$/

/** A line of a comment that tells several events, without the time that each of them has behind it. */
export const withoutOwnTime = (line: string): string => line.replace(ownTime, "")
const counted = /^(.*) \(failed (\d+) times, last at \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\)$/

/**
 * The events that a comment tells, each by its line. A comment that tells several events has the time of each behind
 * its line. That time was not published, so it is taken away; a line without it is not the expected one. A comment that
 * counts a gate's failures tells as many events.
 */
export const toldBy = (html: string): Array<string> => {
  const lines = linesOf(html)
  return lines.length === 1
    ? lines.flatMap((line) => {
      const [, once, failures] = counted.exec(line) ?? []
      return once === undefined ? [line] : Array.from({ length: Number(failures) }, () => once)
    })
    : lines.map((line) => ownTime.test(line) ? withoutOwnTime(line) : `${line} (when?)`)
}

/** Two kinds may have the same address, which then is one link. */
const judgeLinks = ({ links = [], workItem }: Expected, shown: ReadonlyArray<string>): ReadonlyArray<string> => {
  const newest = new Map(links.map(({ kind, url }) => [kind, url]))
  const wanted = new Set(newest.values())
  const kindOf = (url: string) => links.findLast((link) => link.url === url)?.kind
  return [
    ...Array.from(newest).flatMap(([kind, url]) =>
      shown.includes(url) ? [] : [`${workItem} has no ${kind}, expected ${url}`]
    ),
    ...shown.flatMap((url, index) => {
      const kind = kindOf(url)
      if (kind === undefined) return [`${workItem} has what nobody asked for: ${url}`]
      if (!wanted.has(url)) return [`${workItem} still has ${kind}, which another one has replaced: ${url}`]
      return shown.indexOf(url) < index ? [`${workItem} has ${kind} twice: ${url}`] : []
    })
  ]
}

/**
 * Compares what Plane shows with what it must show. It knows nothing of the pipeline, only what was published and what
 * Plane has. The n-th time that a line is shown is the n-th time that it was published. One more is doubled.
 */
export const judge = (expected: Expected, shown: Shown): Findings => {
  const told = (line: string) => `${expected.workItem}: ${line}`
  const places = new Map<string, Array<number>>()
  for (const [place, line] of expected.lines.entries()) places.set(line, [...(places.get(line) ?? []), place])

  const doubled: Array<string> = []
  const unexpected: Array<string> = []
  const outOfOrder: Array<string> = []
  let latest = -1
  for (const line of shown.lines) {
    const left = places.get(line)
    const place = left?.shift()
    if (left === undefined) unexpected.push(told(line))
    else if (place === undefined) doubled.push(told(line))
    else if (place < latest) outOfOrder.push(told(line))
    else latest = place
  }

  return {
    lost: expected.lines.filter((line, place) => places.get(line)?.includes(place) === true).map(told),
    doubled,
    outOfOrder,
    wrongState: shown.state === expected.state ? [] : [told(`is ${shown.state}, expected ${expected.state}`)],
    unexpected,
    links: judgeLinks(expected, shown.links ?? [])
  }
}

/** The findings of several work items together. */
export const together = (all: ReadonlyArray<Findings>): Findings => ({
  lost: all.flatMap((each) => each.lost),
  doubled: all.flatMap((each) => each.doubled),
  outOfOrder: all.flatMap((each) => each.outOfOrder),
  wrongState: all.flatMap((each) => each.wrongState),
  unexpected: all.flatMap((each) => each.unexpected),
  links: all.flatMap((each) => each.links)
})
