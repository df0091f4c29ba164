import { Effect } from "effect"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { linesOf, toldBy } from "./Judge.js"

/** What the demo shows of a comment, and what it judges: more than the lines of events. */

/** Whether it is the comment that shows the stages of a task, and is edited as the task goes on. */
export const isLiving = (html: string): boolean => html.startsWith("<p>Progress")

/** All lines of a comment, those of lists and links as well. */
export const allLinesOf = (html: string): ReadonlyArray<string> =>
  linesOf(
    html.replace(/<a href="[^"<>]*">|<\/a>|<\/?ul>/g, "").replace(/<li>/g, "<p>• ").replace(/<\/li>/g, "</p>")
  )

const itemsOf = (html: string) =>
  allLinesOf(html).flatMap((line) => line.startsWith("• ") ? [line.slice(2).replace(/:.*/, "")] : [])

/** The line by which a comment that shows the stages is judged: each stage with its mark. */
export const progressLine = (stages: ReadonlyArray<string>): string => `the stages: ${stages.join(", ")}`

/** The line by which a receipt is judged: what it has. Its figures are those of the machine. */
export const receiptLine = (rows: ReadonlyArray<string>): string => `a receipt: ${rows.join(", ")}`

/** The lines by which a comment is judged. */
export const judgedLinesOf = (html: string): ReadonlyArray<string> => {
  const items = itemsOf(html)
  if (isLiving(html)) return [progressLine(items)]
  return items.length === 0 ? toldBy(html) : [...toldBy(html), receiptLine(items)]
}

/** The comments that plane-sync has made, and not those of people. */
export const commentsOf = (itemId: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    return (yield* plane.comments(itemId)).filter(({ author }) => author === plane.bot.name)
  })
