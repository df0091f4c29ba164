import type { Expected, Findings } from "../../demo/Judge.js"
import { judge, linesOf, toldBy, withoutOwnTime } from "../../demo/Judge.js"

/** What happened to a task, as it was published. `line` is that of a comment of its own. */
export type Turn =
  | { readonly _tag: "Entered"; readonly from: string; readonly to: string; readonly agent: string }
  | { readonly _tag: "Failed"; readonly line: string }
  | { readonly _tag: "Completed"; readonly line: string }

type Entered = Extract<Turn, { readonly _tag: "Entered" }>

/** A work item whose changes of stages are told by one comment, and what it must show when all is told. */
export interface ExpectedLiving extends Omit<Expected, "lines"> {
  /** In the order in which they were published. */
  readonly turns: ReadonlyArray<Turn>
}

/** What Plane shows of it: its comments as HTML. */
interface ShownLiving {
  readonly comments: ReadonlyArray<string>
  readonly state: string
  readonly links?: ReadonlyArray<string>
}

/** How many changes of stages the comment tells, as docs/written.md says. */
const mostTold = 30

interface Run {
  readonly entered: ReadonlyArray<Entered>
  readonly failure: string | undefined
  readonly failedSinceEnd: boolean
  readonly completed: boolean
}

/** A stage that is entered after the end begins another run. */
const lastRun = (turns: ReadonlyArray<Turn>): Run =>
  turns.reduce<Run>((run, turn) => {
    switch (turn._tag) {
      case "Entered":
        return run.completed
          ? { ...run, entered: [turn], failure: run.failedSinceEnd ? run.failure : undefined, completed: false }
          : { ...run, entered: [...run.entered, turn] }
      case "Failed":
        return { ...run, failure: turn.line, failedSinceEnd: run.completed }
      case "Completed":
        return { ...run, completed: true, failedSinceEnd: false }
    }
  }, { entered: [], failure: undefined, failedSinceEnd: false, completed: false })

/** The lines of the comment, without moments and lengths of time. */
const expectedLines = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> => {
  const { completed, entered, failure } = lastRun(turns)
  const told = entered.slice(-mostTold)
  const last = told.at(-1)
  // A stage that was entered again stands where it was entered last.
  const order = told.flatMap(({ from, to }, index) => index === 0 ? [from, to] : [to])
  const stages = order.filter((stage, index) => order.lastIndexOf(stage) === index)
  return [
    completed ? "Progress: completed" : "Progress",
    ...stages.filter((stage) => completed || stage !== last?.to).map((stage) => `✅ ${stage}`),
    ...(completed || last === undefined ? [] : [`🔄 ${last.to}, ${last.agent}`]),
    ...(entered.length > mostTold ? ["Older changes of stages are left out."] : []),
    ...(failure === undefined ? [] : [failure])
  ]
}

const moment = String.raw`\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC`
const completedAt = new RegExp(`^Progress: completed at ${moment}$`)
const present = new RegExp(`^(🔄 [^:]+): since ${moment}`)
const done = /^(✅ [^:]+): \d.*$/

const shownLines = (html: string): ReadonlyArray<string> =>
  linesOf(
    html.replace(/<p>Links: .*?<\/p>/, "").replace(/<\/?ul>/g, "").replaceAll("<li>", "<p>").replaceAll("</li>", "</p>")
  )
    .map((line) =>
      completedAt.test(line)
        ? "Progress: completed"
        : withoutOwnTime(line.replace(present, "$1").replace(done, "$1"))
    )

/** Whether a comment is the living one, by how it begins. */
export const isLiving = (html: string): boolean => html.startsWith("<p>Progress")

/**
 * Compares what Plane shows with what it must show, where one comment is edited: that comment is there once, and tells
 * all of the last run of the task, to its last stage; each failure and each end has a comment of its own, once and in
 * order. It knows nothing of the pipeline.
 */
export const judgeLiving = (expected: ExpectedLiving, shown: ShownLiving): Findings => {
  const { turns, workItem } = expected
  const own = turns.flatMap((turn) => turn._tag === "Entered" ? [] : [turn.line])
  const findings = judge({ ...expected, lines: own }, {
    ...shown,
    lines: shown.comments.filter((html) => !isLiving(html)).flatMap(toldBy)
  })
  const [living, ...more] = shown.comments.filter(isLiving).map((html) => shownLines(html).join(" | "))
  const wanted = turns.length === 0 ? undefined : expectedLines(turns).join(" | ")
  return {
    ...findings,
    lost: living === wanted
      ? findings.lost
      : [...findings.lost, `${workItem}: the living comment is “${living ?? ""}”, expected “${wanted ?? ""}”`],
    doubled: [...findings.doubled, ...more.map((text) => `${workItem}: a second living comment, “${text}”`)]
  }
}
