import { Array, Cause, Clock, Console, Effect, HashMap, Logger, LogLevel, Option, Order, Schedule } from "effect"
import type { RecordedRequest, SimulatedWorkItem } from "../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import type { Done } from "./Actors.js"
import { allLinesOf, commentsOf, isLiving } from "./Comments.js"
import { withoutOwnTime } from "./Judge.js"
import * as Look from "./Look.js"
import type { Task } from "./Story.js"
import { tasks } from "./Story.js"

/** A task and its work item in Plane. */
export interface Placed {
  readonly task: Task
  readonly item: SimulatedWorkItem
}

/** Something that is shown: when, of which task, with which mark before its text. */
interface Entry {
  readonly at: number
  readonly task?: Task | undefined
  readonly mark?: string
  readonly text: string
  readonly paint?: Look.Paint
}

const inOrder = Order.mapInput(Order.number, (entry: Entry) => entry.at)

const keyWidth = 7
// A time, a key and a mark.
const indentation = 8 + keyWidth + 2

const keyOf = (task: Task | undefined) => {
  const paint = task === undefined ? Look.plain : Look.keys[tasks.indexOf(task)] ?? Look.bold
  return paint((task?.key ?? "").padEnd(keyWidth))
}

// A person's name for the request.
const called = ({ kind, method }: RecordedRequest) => {
  if (kind === "comments") return "a comment"
  if (kind === "item" && method === "PATCH") return "a state"
  return kind === "project" ? "is Plane back? (a probe)" : "a look-up"
}

/** Prints what happens, with the time since `start` (Clock milliseconds). */
export const make = (start: number) => {
  const print = ({ at, mark = " ", paint = Look.plain, task, text }: Entry) =>
    Console.log(
      Look.folded(text, indentation).map((line, index) =>
        (index === 0
          ? `${Look.time(Math.max(0, at - start))}${keyOf(task)}${mark} `
          : " ".repeat(indentation)) + paint(line)
      ).join("\n")
    )
  const now = (entry: Omit<Entry, "at">) => Effect.flatMap(Clock.currentTimeMillis, (at) => print({ ...entry, at }))

  /** Prints what somebody has done, and how long plane-sync held them up. */
  const done = ({ at, says, task, took = 0 }: Done) =>
    print({
      at: at + took,
      task,
      text: `${says}${took === 0 ? "" : `, taken in ${took.toFixed(1)} ms`}`,
      paint: Look.dim
    })

  /** Follows the simulated Plane, and prints a line for each thing that it received. */
  const follow = (placed: ReadonlyArray<Placed>) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const seen = new Map(placed.map(({ item }) => [item.id, { living: "", comments: 0, changes: 0, assigned: "" }]))
      let sequence = 0

      const dropped = (request: RecordedRequest): ReadonlyArray<Entry> => {
        if (request.fault === null) return []
        const owner = placed.find(({ item }) => request.path.includes(item.id))
        const asker = request.kind === "project"
          ? placed.find(({ item }) => request.path.includes(item.projectId))
          : undefined
        const of = asker === undefined ? "" : `${asker.task.project.identifier}: `
        const text = `${of}${called(request)}: dropped by Plane`
        return [{ at: request.at, task: owner?.task, mark: Look.bad("✗"), text, paint: Look.warn }]
      }

      // A comment of several lines is one block, under one key.
      const block = (task: Task, at: number, mark: string, html: string) =>
        allLinesOf(html).map((line, index): Entry => ({
          at,
          task: index === 0 ? task : undefined,
          mark: Look.good(mark),
          text: isLiving(html) ? line : withoutOwnTime(line)
        }))

      const ofItem = ({ item, task }: Placed, requests: ReadonlyArray<RecordedRequest>) =>
        Effect.gen(function*() {
          const known = seen.get(item.id) ?? { living: "", comments: 0, changes: 0, assigned: "" }
          const comments = yield* commentsOf(item.id)
          const { assignees } = yield* plane.workItem(item.id)
          const assigned = assignees.map((id) => id === plane.person.id ? plane.person.name : id).join(", ")
          const changes = yield* plane.stateChanges(item.id)
          const living = comments.find(({ html }) => isLiving(html))?.html ?? ""
          seen.set(item.id, { living, comments: comments.length, changes: changes.length, assigned })
          const arrivals = requests.filter((request) =>
            request.kind === "comments" && request.applied && request.path.includes(item.id)
          )
          const at = yield* Clock.currentTimeMillis
          const moves = changes.slice(known.changes).map(({ at, from, to }): Entry => ({
            at,
            task,
            mark: Look.good("■"),
            text: `${Look.state(from.name)} → ${Look.state(to.name)}`
          }))
          const people = assigned === known.assigned ? [] : [{
            at,
            task,
            mark: Look.good("■"),
            text: assigned === "" ? "assigned: nobody any more" : `assigned: ${assigned}`
          }]
          const lines = comments.slice(known.comments).flatMap(({ html }, index) => {
            const arrived = arrivals[known.comments + index]?.answeredAt ?? at
            const told = block(task, arrived, "▌", html)
            return html.includes("&")
              ? [...told, { at: arrived, text: `stored as ${html}`, paint: Look.dim }]
              : told
          })
          const edited = known.living === "" || known.living === living ? [] : block(task, at, "✎", living)
          return [...moves, ...people, ...edited, ...lines]
        })

      const tick = Effect.gen(function*() {
        const requests = yield* plane.requests
        const fresh = requests.filter((request) => request.sequence > sequence)
        sequence = requests.at(-1)?.sequence ?? 0
        const told = yield* Effect.forEach(placed, (each) => ofItem(each, requests))
        yield* Effect.forEach(Array.sort([...fresh.flatMap(dropped), ...told.flat()], inOrder), print, {
          discard: true
        })
      })

      yield* Effect.addFinalizer(() => tick)
      yield* Effect.forkScoped(Effect.repeat(tick, Schedule.spaced("20 millis")))
    })

  /**
   * Prints what the pipeline logs for people: that Plane is closed and open again, and any trouble. What is told stands
   * there already, as Plane has received it.
   */
  const logger = Logger.make(({ annotations, cause, logLevel, message }) => {
    const service = HashMap.get(annotations, "service")
    if (!Option.contains(service, "PlaneSync") && LogLevel.lessThan(logLevel, LogLevel.Warning)) return
    // The line above shows which request met the fault.
    const words = Array.ensure(message).map(String).join(" ").replace(/ \([A-Z]+ \/api[^)]*\)/, "") +
      (Cause.isEmpty(cause) ? "" : ` ${Cause.pretty(cause)}`)
    if (/^\S+: told "/.test(words)) return
    Effect.runSync(now({ mark: Look.warn("!"), text: words, paint: Look.dim }))
  })

  return { banner: (title: string, as: Look.Paint) => Console.log(Look.rule(title, as)), done, follow, logger }
}
