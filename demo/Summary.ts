import { Console, Effect } from "effect"
import type { RecordedRequest } from "../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import type { Done } from "./Actors.js"
import { commentsOf, judgedLinesOf } from "./Comments.js"
import type { Findings } from "./Judge.js"
import { judge, together } from "./Judge.js"
import * as Look from "./Look.js"
import type { Task } from "./Story.js"
import { expectedOf } from "./Story.js"
import type { Placed } from "./Timeline.js"

/** How many requests a task of eight events takes if each state and each comment is a look-up and a write. */
const directWay = 32

/**
 * How many requests a task may need at most; six of them are looks, each before an agent is launched. One that waits for
 * somebody twice has that person assigned and taken out again: each time a look, a PATCH, and a look back.
 */
const mostRequestsOf = ({ steps }: Task) =>
  13 + 6 + (steps.some(({ does }) => does._tag === "Question") ? 2 * 2 * 3 : 0)

/** Judges what Plane shows now, by the simulator's data and nothing else. */
export const findingsOf = (placed: ReadonlyArray<Placed>): Effect.Effect<Findings, never, PlaneSimulator> =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    return together(
      yield* Effect.forEach(placed, ({ item, task }) =>
        Effect.gen(function*() {
          const { state } = yield* plane.workItem(item.id)
          const lines = (yield* commentsOf(item.id)).flatMap(({ html }) => judgedLinesOf(html))
          return judge(expectedOf(task), { lines, state: state.name })
        }))
    )
  })

/** Whether a request was made for this task: to find its work item, or to write to it. */
const isFor = ({ item, task }: Placed) => ({ kind, path, query }: RecordedRequest) =>
  path.includes(item.id) ||
  (kind === "search" && new URLSearchParams(query).get("search") === task.key) ||
  (kind === "identifier" && path.endsWith(`/${task.key}/`))

const columns = [8, 27, 6, 10, 10, 10, 0] as const

const row = (cells: ReadonlyArray<string>, paint: ReadonlyArray<Look.Paint> = []) =>
  // Padded before it is painted, because the codes of colours have no width.
  `  ${cells.map((cell, index) => (paint[index] ?? String)(cell.padEnd(columns[index] ?? 0))).join("")}`.trimEnd()

const keyPaint = (task: Task, placed: ReadonlyArray<Placed>) =>
  Look.keys[placed.findIndex((each) => each.task === task)] ?? Look.bold

/** Prints the end of the demo: a table, then what is wrong. Returns whether all is right. */
export const print = (options: {
  readonly placed: ReadonlyArray<Placed>
  readonly done: ReadonlyArray<Done>
  readonly outage: { readonly from: number; readonly until: number }
  readonly tookMillis: number
}) =>
  Effect.gen(function*() {
    const { done, outage, placed, tookMillis } = options
    const plane = yield* PlaneSimulator
    const requests = yield* plane.requests
    const findings = yield* findingsOf(placed)

    yield* Console.log(`\n${Look.rule("what Plane shows now", Look.bold)}`)
    yield* Console.log(
      row(["task", "work item in Plane", "state", "lines", "comments", "requests", "direct*"], [
        Look.dim,
        Look.dim,
        Look.dim,
        Look.dim,
        Look.dim,
        Look.dim,
        Look.dim
      ])
    )
    for (const each of placed) {
      const { key, name, state } = yield* plane.workItem(each.item.id)
      const comments = yield* commentsOf(each.item.id)
      const expected = expectedOf(each.task).lines.length
      yield* Console.log(row([
        each.task.key,
        `${key} ${name}`,
        state.name,
        `${comments.flatMap(({ html }) => judgedLinesOf(html)).length} of ${expected}`,
        String(comments.length),
        String(requests.filter(isFor(each)).length),
        String(directWay)
      ], [keyPaint(each.task, placed), String, Look.state]))
    }
    const others = requests.filter((request) => !placed.some((each) => isFor(each)(request)))
    yield* Console.log(row(["", "others: probes, states", "", "", "", String(others.length)], [String, Look.dim]))
    yield* Console.log(row(
      ["", "together", "", "", "", String(requests.length), String(directWay * placed.length)],
      [String, Look.bold, String, String, String, Look.bold]
    ))
    yield* Console.log(Look.dim(Look.paragraph(
      "* requests of a program that looks up and writes each state and each comment of eight events, without an " +
        "outage. Plane's limit is 60 requests a minute for each API token."
    )))

    const answered = done.flatMap(({ at, took }) => took === undefined ? [] : [{ at, took }])
    const during = answered.filter(({ at }) => at >= outage.from && at < outage.until)
    const events = done.flatMap(({ isEvent, took }) => isEvent && took !== undefined ? [took] : [])
    const longest = (all: ReadonlyArray<{ readonly took: number }>) =>
      Math.max(0, ...all.map(({ took }) => took)).toFixed(1)
    const median = events.toSorted((one, other) => one - other)[Math.floor(events.length / 2)] ?? 0
    const echoes = (yield* plane.hooks).length
    yield* Console.log("")
    yield* Console.log(Look.paragraph(
      `A publish (POST /api/events, on disk before it is answered) took ${median.toFixed(1)} ms in the median of ` +
        `${events.length}, by a process that was warm.`
    ))
    yield* Console.log(Look.paragraph(
      `${answered.length} reports, hooks and events were taken, the slowest in ${longest(answered)} ms; ` +
        `${during.length} of them while Plane was away, the slowest in ${longest(during)} ms.`
    ))
    yield* Console.log(
      Look.paragraph(`Plane sent ${echoes} webhooks, also about our own changes: those moved nothing.`)
    )

    const refused = requests.filter(({ status }) => status === 429).length
    const problems = [
      ...findings.lost.map((line) => `missing       ${line}`),
      ...findings.doubled.map((line) => `doubled       ${line}`),
      ...findings.outOfOrder.map((line) => `out of order  ${line}`),
      ...findings.wrongState.map((line) => `wrong state   ${line}`),
      ...findings.unexpected.map((line) => `not expected  ${line}`),
      ...(refused > 0 ? [`429           Plane's limit was exceeded ${refused} times`] : []),
      // Without this, the run would show nothing about an outage.
      ...(requests.some(({ fault }) => fault !== null) ? [] : ["no outage     no request met it"]),
      ...(during.length > 0 ? [] : ["no outage     nothing happened while Plane was away"]),
      ...placed.filter((each) => requests.filter(isFor(each)).length > mostRequestsOf(each.task))
        .map(({ task }) => `requests      ${task.key} needed more than ${mostRequestsOf(task)}`)
    ]
    const right = problems.length === 0
    const total = placed.reduce((sum, { task }) => sum + expectedOf(task).lines.length, 0)
    yield* Console.log(
      right
        ? `\n  ${Look.good("✔")} ${Look.bold(`all ${total} lines stand in Plane once and in order; all is Done`)}` +
          Look.dim(` (${(tookMillis / 1000).toFixed(1)} s)`)
        : `\n  ${Look.bad(`✘ Plane does not show what it must:`)}\n${
          problems.map((problem) => `      ${problem}`).join("\n")
        }\n`
    )
    return right
  })
