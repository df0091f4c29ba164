import { Clock, Duration, Effect, Option } from "effect"
import { watch } from "node:fs"
import { judge, toldBy } from "../../demo/Judge.js"
import type { FaultMatch } from "../../src/simulator/PlaneSimulator.js"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { freePort } from "../support/FreePort.js"
import type { Built } from "./Build.js"
import type * as Child from "./Child.js"
import type { Target } from "./Load.js"
import * as Load from "./Load.js"
import { inTime, killed, program, startPlane, within } from "./Program.js"
import type { Strain } from "./Report.js"
import { addStrains, noStrain, strainOf } from "./Report.js"
import type { Scene } from "./Scene.js"
import { look } from "./Scene.js"
import type { Step } from "./Steps.js"

const faults = (seed: number) =>
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

// Some work items have events all the time, most now and then. Every fifth has a key with leading zeros.
const hot = 4
export const items = 24
const hotPause = Duration.millis(700)
const coldPause = Duration.seconds(2)

/** A step that does not come up within this time (nothing was due, or Plane failed) becomes a kill at any moment. */
const patience = Duration.seconds(4)

/**
 * After this time, in milliseconds, no request's record changes any more: a late one was applied and answered, and its
 * client has long gone.
 */
const recordedAfter = 5_000

/** A kill, and the state that it met. */
export interface Kill {
  readonly step: Step
  readonly scene: Scene
}

/**
 * One simulated Plane, one file, and the program on it under load, started again after each kill. It is independent of
 * other pairs.
 */
export const make = Effect.fnUntraced(function*(built: Built, directory: string, seed: number) {
  const plane = yield* startPlane(built, directory, seed)
  const targets = yield* Effect.forEach(
    Array.from({ length: items }),
    (_, index) =>
      Effect.map(plane.control.addWorkItem(`Trail ${index + 1}`), ({ id, number }): Target => ({
        id,
        key: index % 5 === 4 ? `ET-${String(number).padStart(4, "0")}` : `ET-${number}`,
        pause: index < hot ? hotPause : coldPause
      }))
  )
  yield* plane.control.misbehave(faults(seed))
  const { file, listening, start, url } = yield* program({ built, directory, plane, port: yield* freePort })

  let accepted = (): void => undefined
  const load = yield* Load.start({
    url,
    seed,
    targets,
    initialState: "Backlog",
    accepted: () => accepted()
  })

  const listens = (child: Child.Child) => Effect.zipRight(listening(child), load.listening(true))

  let strain: Strain = noStrain
  let counted = 0
  /** The records that are not counted yet. Those that can no longer change are counted and forgotten. */
  const recorded = Effect.fnUntraced(function*(before: number) {
    const requests = yield* plane.control.requests(counted)
    const first = requests[0]
    if (first !== undefined && first.sequence !== counted + 1) {
      return yield* Effect.dieMessage(`the simulator has forgotten requests: ${counted + 1} to ${first.sequence - 1}`)
    }
    const open = requests.findIndex(({ at }) => at >= before)
    const final = open < 0 ? requests : requests.slice(0, open)
    strain = addStrains(strain, strainOf(final))
    counted = final.at(-1)?.sequence ?? counted
    return requests
  })

  /** Kills at the moment at which the `nth` 202 from now on has arrived. */
  const atAccepted = Effect.fnUntraced(function*(then: () => void) {
    let left = Math.ceil(yield* within(0, items))
    accepted = () => {
      left -= 1
      if (left === 0) then()
    }
  })

  /** Kills at the first write to the file's log after a 202. */
  const atClaim = (child: Child.Child, note: () => void) =>
    Effect.gen(function*() {
      let armed = false
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          watch(`${file}-wal`, () => {
            if (!armed) return
            armed = false
            note()
            child.kill()
          })
        ),
        (watcher) => Effect.sync(() => watcher.close())
      )
      yield* atAccepted(() => {
        armed = true
      })
    })

  const atRequest = (child: Child.Child, step: Step) =>
    Effect.gen(function*() {
      const dice = yield* within(0, 1)
      const match: FaultMatch = dice < 0.6
        ? { method: "POST", kind: "comments" }
        : { method: "PATCH", kind: dice < 0.85 ? "item" : "comment" }
      const when = step !== "after send" ? "answered" : (yield* within(0, 1)) < 0.5 ? "arrival" : "applied"
      const later = step !== "in mid-settle"
        ? {}
        : (yield* within(0, 1)) < 0.5
        ? { written: `${file}-wal` }
        : { afterMillis: yield* within(0, 8) }
      const nth = match.method === "PATCH" ? 1 : Math.ceil(yield* within(0, 4))
      yield* plane.control.orderKill({ pid: child.pid, when, match, nth, ...later })
    })

  /** One life of the program, from its start to the kill. */
  const life = (dealt: Step) =>
    Effect.scoped(Effect.gen(function*() {
      const bornAt = yield* Clock.currentTimeMillis
      const child = yield* start
      let at: number | undefined
      const clock = yield* Effect.clock
      const note = () => {
        at = clock.unsafeCurrentTimeMillis()
      }
      const strike = Effect.sync(() => {
        note()
        child.kill()
      })

      let step = dealt
      if (step === "random") {
        if ((yield* within(0, 1)) < 0.5) yield* listens(child)
        yield* Effect.delay(strike, yield* within(50, 1_500))
      } else {
        yield* listens(child)
        yield* step === "after commit"
          ? atAccepted(() => {
            note()
            child.kill()
          })
          : step === "after claim"
          ? atClaim(child, note)
          : atRequest(child, step)
        const done = yield* Effect.timeoutOption(child.end, patience)
        if (Option.isNone(done)) {
          step = "random"
          yield* strike
        }
      }
      yield* killed(child)
      yield* load.listening(false)
      accepted = () => undefined
      const by = yield* plane.control.endKill
      const moment = at ?? by?.at ?? (yield* Clock.currentTimeMillis)
      const requests = yield* recorded(moment - recordedAfter)
      const scene = yield* look({ file, bornAt, at: moment, requests, by: by?.sequence })
      const kill: Kill = { step, scene }
      return kill
    }))

  const findingsNow = Effect.gen(function*() {
    const expected = load.expected()
    const shown = yield* plane.control.workItems
    const comments = yield* Effect.forEach(targets, ({ id }) => plane.control.comments(id), { concurrency: 4 })
    return expected.map((each, index) =>
      judge(each, {
        lines: (comments[index] ?? []).flatMap(({ html }) => toldBy(html)),
        state: shown.find(({ id }) => id === targets[index]?.id)?.state.name ?? "no state at all"
      })
    )
  })

  /** Runs the last life until nothing is owed. Returns what Plane shows then, and what it had to answer. */
  const drain = (limit: Duration.Duration) =>
    Effect.gen(function*() {
      yield* Effect.flatMap(start, listens)
      yield* inTime(Duration.seconds(60), "the publishers: the last 202")(load.stop)
      const isTold = Effect.map(
        findingsNow,
        (findings) => findings.every(({ lost, wrongState }) => lost.length + wrongState.length === 0)
      )
      const told = yield* Effect.iterate(false, {
        while: (done) => !done,
        body: () => Effect.delay(isTold, "1 second")
      }).pipe(Effect.timeoutOption(limit))
      // A doubled line, or a state that was overtaken, would come once the quiet time is over.
      yield* Effect.sleep("4 seconds")
      const findings = yield* findingsNow
      yield* recorded(Infinity)
      return { findings, strain, inTime: Option.isSome(told) }
    })

  return { life, drain, counts: load.counts, failed: load.failed }
})

export type Pair = Effect.Effect.Success<ReturnType<typeof make>>
