import { Duration, Effect, Option } from "effect"
import type { Findings } from "../../demo/Judge.js"
import { judge, toldBy } from "../../demo/Judge.js"
import type { FaultMatch } from "../../src/simulator/PlaneSimulator.js"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { judgeLiving } from "../support/LivingJudge.js"
import type { ExpectedTrail, Target } from "./Load.js"
import type { Plane } from "./Plane.js"
import { within } from "./Program.js"

/** How Plane fails at random. */
export const faults = (seed: number) =>
  Fault.Random({
    probability: 0.15,
    seed,
    faults: [
      Fault.Status({ status: 500, when: "before" }),
      Fault.Status({ status: 502, when: "before", html: true }),
      Fault.Status({ status: 503, when: "after" }),
      Fault.Status({ status: 502, when: "after", html: true }),
      Fault.Reset({ when: "before" }),
      Fault.Reset({ when: "after" }),
      Fault.Reset({ when: "midBody" }),
      Fault.Truncated({}),
      Fault.ApplyLate({ afterMillis: 1_000 })
    ]
  })

/** The state of a work item that no event has asked to change. */
export const initialState = "Backlog"

const hotPause = Duration.millis(700)
const coldPause = Duration.seconds(2)

const oneProject: ReadonlyArray<ProjectPlace> = [{ identifier: "ET" }]

/** A project: its first one needs no id. */
interface ProjectPlace {
  readonly identifier: string
  readonly id?: string
  readonly living?: boolean
}

/**
 * Makes work items, of which the first `hot` have events all the time. Every fifth has a key with leading zeros. The
 * projects take turns.
 */
export const makeTargets = (plane: Plane, items: number, hot: number, projects = oneProject) =>
  Effect.forEach(
    Array.from({ length: items }),
    (_, index) => {
      const { id: projectId, identifier = "ET", living = false } = projects[index % projects.length] ?? {}
      return Effect.map(plane.addWorkItem(`Trail ${index + 1}`, projectId), ({ id, number }): Target => ({
        id,
        key: `${identifier}-${index % 5 === 4 ? String(number).padStart(4, "0") : number}`,
        pause: index < hot ? hotPause : coldPause,
        living
      }))
    }
  )

/** One of the next writes that the simulator gets: mostly a comment, and now and then a link. */
export const aWrite = Effect.gen(function*() {
  const dice = yield* within(0, 1)
  const match: FaultMatch = dice < 0.6
    ? { method: "POST", kind: "comments" }
    : dice < 0.68
    ? { method: "POST", kind: "links" }
    : { method: "PATCH", kind: dice < 0.85 ? "item" : "comment" }
  return { match, nth: match.kind === "comments" ? Math.ceil(yield* within(0, 4)) : 1 }
})

/** Compares what Plane shows with what was published. */
export const findingsOf = Effect.fnUntraced(
  function*(plane: Plane, targets: ReadonlyArray<Target>, expected: ReadonlyArray<ExpectedTrail>) {
    const shown = yield* plane.workItems
    const comments = yield* Effect.forEach(targets, ({ id }) => plane.comments(id), { concurrency: 4 })
    const links = yield* Effect.forEach(targets, ({ id }) => plane.links(id), { concurrency: 4 })
    return expected.map((each, index) => {
      const html = (comments[index] ?? []).map((comment) => comment.html)
      const others = {
        state: shown.find(({ id }) => id === targets[index]?.id)?.state.name ?? "no state at all",
        links: (links[index] ?? []).map(({ url }) => url)
      }
      return targets[index]?.living === true
        ? judgeLiving(each, { ...others, comments: html })
        : judge(each, { ...others, lines: html.flatMap(toldBy) })
    })
  }
)

/** Waits until Plane shows all that was published. Says whether it did in time. */
export const allTold = <E, R>(findingsNow: Effect.Effect<ReadonlyArray<Findings>, E, R>, limit: Duration.Duration) => {
  const isTold = Effect.map(
    findingsNow,
    (findings) => findings.every(({ links, lost, wrongState }) => links.length + lost.length + wrongState.length === 0)
  )
  return Effect.iterate(false, {
    while: (done) => !done,
    body: () => Effect.delay(isTold, "1 second")
  }).pipe(Effect.timeoutOption(limit), Effect.map(Option.isSome))
}

/** The same, and then waits for what comes too often or too late. */
export const untilTold = <E, R>(findingsNow: Effect.Effect<ReadonlyArray<Findings>, E, R>, limit: Duration.Duration) =>
  Effect.gen(function*() {
    const isTold = yield* allTold(findingsNow, limit)
    // A doubled line, or a state that was overtaken, would come once the quiet time is over.
    yield* Effect.sleep("4 seconds")
    return { findings: yield* findingsNow, isTold }
  })

/** Waits until nothing is wrong, and then for what comes too late. Gives what is wrong in the end. */
export const untilRight = <E, R>(wrong: Effect.Effect<ReadonlyArray<string>, E, R>, limit: Duration.Duration) =>
  wrong.pipe(
    Effect.delay("1 second"),
    Effect.repeat({ until: (found) => found.length === 0 }),
    Effect.timeoutOption(limit),
    Effect.zipRight(Effect.delay(wrong, "4 seconds"))
  )
