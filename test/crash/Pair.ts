import { Clock, Duration, Effect, Option } from "effect"
import { watch } from "node:fs"
import { freePort } from "../support/FreePort.js"
import type { Built } from "./Build.js"
import type * as Child from "./Child.js"
import * as Load from "./Load.js"
import { inTime, killed, program, sqliteFile, startPlane, within } from "./Program.js"
import type { Strain } from "./Report.js"
import { addStrains, noStrain, strainOf } from "./Report.js"
import type { Scene } from "./Scene.js"
import { look } from "./Scene.js"
import type { Step } from "./Steps.js"
import { allTold, aWrite, faults, findingsOf, initialState, makeTargets, untilRight, untilTold } from "./Trail.js"
import * as Waits from "./Waits.js"

// Some work items have events all the time, most now and then.
const hot = 4
export const items = 24

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
 * other pairs. `living`: changes of stages are told by one comment that is edited; where not, there are also tasks that
 * wait for people.
 */
export const make = Effect.fnUntraced(function*(built: Built, directory: string, seed: number, living: boolean) {
  const plane = yield* startPlane(built, directory, seed)
  const targets = yield* makeTargets(plane.control, items, hot, [{ identifier: "ET", living }])
  yield* plane.control.misbehave(faults(seed))
  const file = yield* sqliteFile(directory)
  const port = yield* freePort
  const { listening, start, url } = yield* program({
    built,
    directory,
    plane,
    port,
    database: file,
    but: living ? { ORCH_PLANE_COMMENTS: "living" } : { ORCH_ATTENTION: Waits.asked }
  })

  let accepted = (): void => undefined
  const load = yield* Load.start({
    url: () => url,
    seed,
    targets,
    initialState,
    accepted: () => accepted()
  })
  const waits = living ? undefined : yield* Waits.start({ plane: plane.control, seed, url })

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
      const { match, nth } = yield* aWrite
      const when = step !== "after send" ? "answered" : (yield* within(0, 1)) < 0.5 ? "arrival" : "applied"
      const later = step !== "in mid-settle"
        ? {}
        : (yield* within(0, 1)) < 0.5
        ? { written: `${file}-wal` }
        : { afterMillis: yield* within(0, 8) }
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

  const findingsNow = Effect.suspend(() => findingsOf(plane.control, targets, load.expected()))

  /** Runs the last life until nothing is owed. Returns what Plane shows then, and what it had to answer. */
  const drain = (limit: Duration.Duration) =>
    Effect.gen(function*() {
      yield* Effect.flatMap(start, listens)
      yield* inTime(Duration.seconds(60), "the publishers: the last 202")(load.stop)
      if (waits !== undefined) yield* inTime(Duration.seconds(60), "the tasks: the last answer")(waits.stop)
      // On a busy machine no life was long enough for an edit, and this one has made the comments only now.
      if (living) yield* Effect.zipRight(allTold(findingsNow, limit), load.failAll)
      const { findings, isTold } = yield* untilTold(findingsNow, limit)
      const assignees = waits === undefined ? [] : yield* untilRight(waits.wrong, limit)
      yield* recorded(Infinity)
      return { findings, assignees, strain, inTime: isTold && assignees.length === 0 }
    })

  const failed = waits === undefined ? load.failed : Effect.raceFirst(load.failed, waits.failed)
  return { life, drain, counts: load.counts, failed }
})

export type Pair = Effect.Effect.Success<ReturnType<typeof make>>
