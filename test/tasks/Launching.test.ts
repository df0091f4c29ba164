import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Layer, Logger, LogLevel, Option, Scope, TestClock } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { Looked, WorkItemLook } from "../../src/domain/WorkItemLook.js"
import { Storage } from "../../src/storage/Storage.js"
import type { Launch } from "../../src/tasks/AgentLauncher.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { LaunchFailed } from "../../src/tasks/LaunchFailed.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { folder } from "../http/Server.js"
import { logged } from "../launching/Agents.js"
import { make as makeClock } from "../support/MovableClock.js"
import { running, tasksOnly } from "./Orchestration.js"

const silent = Logger.minimumLogLevel(LogLevel.None)

const stages = [
  { stage: "write", agent: "writer", gates: ["reported"] },
  { stage: "edit", agent: "editor", gates: ["reported"] },
  { stage: "done", gates: [] }
]

type Call = (launch: Launch) => Effect.Effect<void, unknown>

/** A launcher that does as it is told. `calls` says what was asked of it and when that ended. */
const launching = () => {
  const calls: Array<string> = []
  const entries: Array<string> = []
  const how: { launch: Call; stop: Call } = { launch: () => Effect.void, stop: () => Effect.void }
  const told = (what: "launch" | "stop"): Call => (launch) =>
    Effect.suspend(() => {
      const words = `${what} ${launch.agent} ${launch.task.workItem}`
      calls.push(words)
      entries.push(`${what} ${launch.entry}`)
      return Effect.onExit(how[what](launch), () => Effect.sync(() => calls.push(`end of ${words}`)))
    })
  return {
    how,
    entries,
    /** Which calls began, in order. */
    calls: () => calls.filter((call) => !call.startsWith("end of ")),
    all: calls,
    launcher: Layer.succeed(AgentLauncher, { launch: told("launch"), stop: told("stop") })
  }
}

/** A look that answers as it is told, and remembers what it was asked and told. */
const looking = (answer: () => Effect.Effect<Looked>) => {
  const asked: Array<string> = []
  const noted: Array<string> = []
  const how = { note: Effect.void }
  return {
    asked,
    noted,
    how,
    layer: Layer.succeed(WorkItemLook, {
      look: ({ workItem }) =>
        Effect.suspend(() => {
          asked.push(workItem)
          return answer()
        }),
      note: ({ group, key }) => Effect.zipRight(how.note, Effect.sync(() => void noted.push(`${key} ${group}`)))
    })
  }
}

const moved = (group: string) =>
  Looked.Moved({
    itemId: ItemId("item-1"),
    key: CanonicalKey("ET-1"),
    stateId: StateId("state"),
    group,
    updatedAt: PlaneMoment("2026-11-24T00:00:00.000000Z"),
    receivedAt: EpochMillis(0),
    at: EpochMillis(0),
    states: new Map()
  })

// The fibers of the background get their turns.
const settled = TestClock.adjust("1 millis").pipe(Effect.repeatN(3))

const start = (workItem: string) => Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem }))
const startMany = (count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, n) => start(`ET-${n + 1}`), { discard: true })
const get = (workItem: string) => Effect.flatMap(Tasks, (tasks) => tasks.get(workItem))
const report = (workItem: string, stage: string, outcome: "passed" | "failed" = "passed") =>
  Effect.flatMap(Tasks, (tasks) => tasks.report(workItem, { stage, outcome }))
const stop = (workItem: string) =>
  Effect.flatMap(Tasks, (tasks) => Effect.flatMap(tasks.get(workItem), ({ id }) => tasks.stop(id, "cancelled")))
const pause = (workItem: string) =>
  Effect.flatMap(Tasks, (tasks) => Effect.flatMap(tasks.get(workItem), ({ id }) => tasks.pause(id, "moved")))
const launchOf = (workItem: string) =>
  Effect.map(
    get(workItem),
    ({ launch }) =>
      Option.match(launch, {
        onNone: () => "none",
        onSome: ({ position, state }) => [state, ...Option.toArray(position)].join(" ")
      })
  )

const launchesOf = (...keys: ReadonlyArray<number>) => keys.map((n) => `launch writer ET-${n}`)

describe("the cap of agents at work", () => {
  it.effect("row 34: of 200 tasks 20 are launched, the others wait in order, and each end lets the next one go", () => {
    const { calls, launcher } = launching()
    return Effect.gen(function*() {
      yield* startMany(200)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(calls(), launchesOf(...Array.from({ length: 20 }, (_, n) => n + 1)))
      assert.deepStrictEqual(
        yield* Effect.forEach(["ET-20", "ET-21", "ET-200"], launchOf),
        ["working", "waiting 1", "waiting 180"]
      )
      // It reported, though it failed: its work is over.
      yield* report("ET-3", "write", "failed")
      yield* settled
      assert.deepStrictEqual(calls().slice(20), launchesOf(21))
      assert.strictEqual(yield* launchOf("ET-3"), "none")
      // Its stage was left, and its next agent waits behind the others.
      yield* report("ET-4", "write")
      yield* settled
      assert.deepStrictEqual(calls().slice(21), launchesOf(22))
      assert.strictEqual(yield* launchOf("ET-4"), "waiting 179")
      // It was stopped.
      yield* stop("ET-5")
      yield* settled
      assert.deepStrictEqual(calls().slice(22), ["stop writer ET-5", ...launchesOf(23)])
      // Nothing was heard of the others for 6 hours.
      yield* TestClock.adjust("5 hours")
      assert.lengthOf(calls(), 24)
      yield* TestClock.adjust("1 hours")
      assert.deepStrictEqual(calls().slice(24, 26), launchesOf(24, 25))
      assert.strictEqual(yield* launchOf("ET-1"), "none")
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages }), silent)))
  })

  it.effect("row 34: a launch that fails gives its turn to the next; one that does not answer keeps it", () => {
    const { calls, how, launcher } = launching()
    return Effect.gen(function*() {
      how.launch = ({ task }) => task.workItem === "ET-1" ? Effect.fail("no such agent") : Effect.void
      yield* startMany(3)
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1, 2))
      // There is no turn for it.
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(calls(), launchesOf(1, 2))
      how.launch = ({ task }) => task.workItem === "ET-1" ? Effect.never : Effect.void
      yield* report("ET-2", "write", "failed")
      yield* TestClock.adjust("3 minutes")
      // Before ET-3, which entered later; and nobody knows whether its agent is at work.
      assert.deepStrictEqual(calls().slice(2, 5), launchesOf(1, 1, 1))
      assert.isFalse(calls().includes("launch writer ET-3"))
      yield* TestClock.adjust("6 hours")
      assert.isTrue(calls().includes("launch writer ET-3"))
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages, launches: 1 }), silent)))
  })

  it.effect("a launch that names when it may be tried again is not tried before", () => {
    const { calls, how, launcher } = launching()
    return Effect.gen(function*() {
      how.launch = () => Effect.fail(new LaunchFailed({ message: "busy", retryAfter: Duration.minutes(3) }))
      yield* start("ET-1")
      yield* settled
      yield* TestClock.adjust("179 seconds")
      assert.deepStrictEqual(calls(), launchesOf(1))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(calls(), launchesOf(1, 1))
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages }), silent)))
  })

  it.effect("a launch that fails is tried after growing pauses, and told once for each reason, and when it works", () => {
    const { how, launcher } = launching()
    const log = logged()
    const tried: Array<number> = []
    let why = "no such agent"
    const fails: Call = () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        tried.push(now)
        return Effect.fail(why)
      })
    return Effect.gen(function*() {
      how.launch = fails
      yield* start("ET-1")
      yield* settled
      yield* TestClock.adjust("1 hours")
      const pauses = tried.slice(1).map((at, index) => (at - (tried[index] ?? 0)) / 1_000)
      for (const [index, pause] of pauses.entries()) {
        const wanted = 2 ** index
        assert.isAtLeast(pause, Math.min(wanted * 0.79, 600), `pause ${index}`)
        assert.isAtMost(pause, Math.min(wanted * 1.21, 600) + 0.01, `pause ${index}`)
      }
      assert.isAtLeast(pauses.length, 13)
      assert.strictEqual(pauses.at(-1), 600)
      const loud = () =>
        log.lines.map(({ level, text }) => `${level} ${text}`).filter((line) => /^(ERROR|INFO) writer/.test(line))
      const words = (why: string) =>
        `ERROR writer was not launched for ET-1 at write: ${why} ` +
        "(tried again after pauses of up to 10m)"
      assert.deepStrictEqual(loud(), [words("no such agent")])
      assert.lengthOf(log.lines.filter(({ text }) => text.includes("th time: no such agent")), tried.length - 1)
      why = "no more room"
      yield* TestClock.adjust("25 minutes")
      assert.deepStrictEqual(loud().slice(1), [words("no more room")])
      const { length } = tried
      how.launch = () => Effect.void
      yield* TestClock.adjust("1 hours")
      assert.deepStrictEqual(loud().slice(2), [
        `INFO writer is launched for ET-1 at write; it had failed ${length} times`
      ])
    }).pipe(
      Effect.provide(Layer.provideMerge(
        running({ launcher, stages }),
        Layer.merge(log.layer, Logger.minimumLogLevel(LogLevel.Debug))
      ))
    )
  })

  it.scoped("a launch that was put off because it failed is tried at once after a restart", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const [before, after] = [launching(), launching()]
      before.how.launch = () => Effect.fail("no such agent")
      yield* Effect.gen(function*() {
        yield* start("ET-1")
        yield* TestClock.adjust("1 hours")
      }).pipe(Effect.provide(running({ database, stages, launcher: before.launcher })))
      yield* Effect.provide(settled, running({ database, stages, launcher: after.launcher }))
      assert.deepStrictEqual(after.calls(), launchesOf(1))
    }).pipe(Effect.provide(silent)))

  it.scoped("row 34: two processes on one file have the cap together, and launch nothing twice", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      yield* startMany(12).pipe(Effect.provide(tasksOnly({ database, stages })))
      const processes = [launching(), launching()] as const
      for (const { launcher } of processes) {
        yield* Layer.build(running({ database, launcher, stages, launches: 5 }))
      }
      yield* settled
      yield* TestClock.adjust("10 minutes")
      const calls = processes.flatMap((process) => process.calls())
      assert.lengthOf(calls, 5)
      assert.strictEqual(new Set(calls).size, 5)
    }))

  it.scoped("row 34: what is at work counts on when the clock was set back", () => {
    const { calls, launcher } = launching()
    return Effect.gen(function*() {
      const { clock, shift } = makeClock(yield* Effect.clock)
      const context = yield* Effect.withClock(
        Layer.build(running({ launcher, stages, launches: 1 })),
        clock
      )
      const within = <A, E>(effect: Effect.Effect<A, E, Tasks>) =>
        Effect.provide(Effect.withClock(effect, clock), context)
      yield* within(startMany(2))
      yield* settled
      yield* shift(-86_400_000)
      yield* within(start("ET-3"))
      yield* TestClock.adjust("5 hours")
      assert.deepStrictEqual(calls(), launchesOf(1))
      yield* TestClock.adjust("61 minutes")
      assert.deepStrictEqual(calls(), launchesOf(1, 2))
    }).pipe(Effect.provide(silent))
  })

  it.effect("a paused task's launch waits until it goes on; its agent at work is not stopped", () => {
    const { calls, launcher } = launching()
    const look = looking(() => Effect.succeed(Looked.Expected()))
    return Effect.gen(function*() {
      yield* startMany(3)
      yield* settled
      yield* pause("ET-1")
      yield* pause("ET-2")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(calls(), launchesOf(1))
      assert.strictEqual(yield* launchOf("ET-1"), "working")
      yield* report("ET-1", "write", "failed")
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1, 3))
      assert.strictEqual(yield* launchOf("ET-2"), "waiting")
      yield* start("ET-2")
      yield* report("ET-3", "write", "failed")
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1, 3, 2))
      assert.deepStrictEqual(look.asked, ["ET-1", "ET-3", "ET-2"])
    }).pipe(Effect.provide(Layer.merge(
      Layer.provide(running({ launcher, stages, launches: 1 }), look.layer),
      silent
    )))
  })
})

describe("the stop of an agent", () => {
  for (const outcome of ["fails", "hangs", "dies"] as const) {
    it.effect(`row 36: a task is cancelled while its agent works: stop is called, and again when it ${outcome}`, () => {
      const { calls, entries, how, launcher } = launching()
      return Effect.gen(function*() {
        how.stop = () =>
          outcome === "fails" ? Effect.fail("not now") : outcome === "dies" ? Effect.die("a bug") : Effect.never
        yield* startMany(2)
        yield* settled
        yield* stop("ET-1")
        yield* settled
        assert.deepStrictEqual(calls().slice(0, 2), [...launchesOf(1), "stop writer ET-1"])
        assert.strictEqual(yield* launchOf("ET-1"), "stopping")
        yield* TestClock.adjust("2 minutes")
        assert.isTrue(calls().filter((call) => call === "stop writer ET-1").length >= 2)
        // A stop that fails holds up no launch.
        assert.isTrue(calls().includes("launch writer ET-2"))
        how.stop = () => Effect.void
        yield* TestClock.adjust("5 minutes")
        const many = calls().length
        yield* TestClock.adjust("1 hours")
        assert.strictEqual(calls().length, many)
        assert.strictEqual(yield* launchOf("ET-1"), "none")
        const { entry } = yield* get("ET-1")
        assert.strictEqual(entries[0], `launch ${entry}`)
        assert.strictEqual(entries[1], `stop ${entry}`)
      }).pipe(Effect.provide(Layer.merge(running({ launcher, stages, launches: 1 }), silent)))
    })
  }

  it.effect("row 36: what was never tried is not stopped, and a stop that never succeeds ends after 6 hours", () => {
    const { calls, how, launcher } = launching()
    return Effect.gen(function*() {
      how.stop = () => Effect.fail("never")
      yield* startMany(2)
      yield* settled
      yield* stop("ET-2")
      yield* stop("ET-1")
      yield* TestClock.adjust("7 hours")
      const stops = calls().length
      assert.isAtMost(stops, 1 + 60)
      yield* TestClock.adjust("1 hours")
      assert.strictEqual(calls().length, stops)
      assert.isFalse(calls().includes("stop writer ET-2"))
      // Started again, it is another entry.
      yield* start("ET-1")
      yield* settled
      assert.deepStrictEqual(calls().slice(stops), launchesOf(1))
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages, launches: 1 }), silent)))
  })

  it.effect("row 36: an agent that does not count any more after 6 hours is stopped all the same", () => {
    const { calls, launcher } = launching()
    return Effect.gen(function*() {
      yield* startMany(2)
      yield* settled
      yield* TestClock.adjust("7 hours")
      assert.deepStrictEqual(calls(), launchesOf(1, 2))
      assert.strictEqual(yield* launchOf("ET-1"), "none")
      yield* stop("ET-1")
      yield* settled
      assert.deepStrictEqual(calls().slice(2), ["stop writer ET-1"])
      // One that reported before that is not.
      yield* TestClock.adjust("7 hours")
      yield* report("ET-2", "write", "failed")
      yield* stop("ET-2")
      yield* settled
      assert.lengthOf(calls(), 3)
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages, launches: 1 }), silent)))
  })

  it.effect("row 36: a task that is cancelled during the call of launch is stopped after it, also when that hangs", () => {
    const { all, how, launcher } = launching()
    return Effect.gen(function*() {
      how.launch = () => Effect.sleep("20 seconds")
      yield* start("ET-1")
      yield* settled
      yield* stop("ET-1")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(all, ["launch writer ET-1"])
      yield* TestClock.adjust("11 seconds")
      const ended = ["launch writer ET-1", "end of launch writer ET-1"]
      assert.deepStrictEqual(all, [...ended, "stop writer ET-1", "end of stop writer ET-1"])

      all.splice(0)
      how.launch = () => Effect.uninterruptible(Effect.sleep("100 seconds"))
      yield* start("ET-2")
      yield* settled
      yield* stop("ET-2")
      yield* TestClock.adjust("99 seconds")
      assert.deepStrictEqual(all, ["launch writer ET-2"])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(all.slice(1, 3), ["end of launch writer ET-2", "stop writer ET-2"])
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages }), silent)))
  })

  it.scoped("row 36: a kill between the call and its end: launched again with the same entry, or stopped if it was cancelled", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const first = launching()
      first.how.launch = () => Effect.never
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(running({ database, launcher: first.launcher, stages }), scope)
      yield* Effect.provide(startMany(2), context)
      yield* settled
      assert.deepStrictEqual(first.calls(), launchesOf(1, 2))
      // Nothing is settled when the program ends.
      yield* Scope.close(scope, Exit.void)
      // The command line cancels one meanwhile.
      yield* stop("ET-2").pipe(Effect.provide(tasksOnly({ database, stages })))

      const second = launching()
      yield* Effect.gen(function*() {
        yield* settled
        assert.deepStrictEqual(second.calls(), launchesOf(1))
        assert.deepStrictEqual(second.entries, first.entries.slice(0, 1))
        yield* TestClock.adjust("61 seconds")
        assert.deepStrictEqual(second.calls().slice(1), ["stop writer ET-2"])
        assert.strictEqual(yield* launchOf("ET-1"), "working")
      }).pipe(Effect.provide(running({ database, launcher: second.launcher, stages })))
    }))
})

describe("a stage whose gates hold when its task goes on", () => {
  it.effect("row 6: is left without a launch: reports came while it was paused, or stopped", () => {
    const { calls, launcher } = launching()
    return Effect.gen(function*() {
      yield* startMany(3)
      yield* settled
      yield* pause("ET-2")
      yield* stop("ET-3")
      // ET-2 waits for its turn until now, and is held then.
      yield* report("ET-1", "write", "failed")
      yield* settled
      yield* report("ET-2", "write")
      yield* report("ET-3", "write")
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1))
      yield* start("ET-2")
      yield* settled
      assert.deepStrictEqual(calls().slice(1), ["launch editor ET-2"])
      yield* report("ET-2", "edit", "failed")
      yield* start("ET-3")
      yield* settled
      assert.deepStrictEqual(calls().slice(2), ["launch editor ET-3"])
    }).pipe(Effect.provide(Layer.merge(running({ launcher, stages, launches: 1 }), silent)))
  })

  it.effect("row 6: is only passed when it is the first one", () => {
    const { calls, launcher } = launching()
    const first = { stage: "sort", agent: "sorter", gates: ["started"] }
    return Effect.gen(function*() {
      yield* startMany(2)
      yield* settled
      assert.sameMembers(calls(), launchesOf(1, 2))
    }).pipe(Effect.provide(running({ launcher, stages: [first, ...stages] })))
  })
})

describe("the look before a launch", () => {
  for (const group of ["completed", "cancelled", "backlog", "unstarted"]) {
    it.effect(`row 28: a work item that a person has moved to ${group} without a word is not launched for`, () => {
      const { calls, launcher } = launching()
      const look = looking(() => Effect.succeed(moved(group)))
      return Effect.gen(function*() {
        yield* start("ET-1")
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(calls(), [])
        assert.deepStrictEqual(look.noted, [`ET-1 ${group}`])
        assert.notStrictEqual((yield* get("ET-1")).status, "active")
      }).pipe(Effect.provide(Layer.provide(running({ launcher, stages }), look.layer)))
    })
  }

  it.effect("row 28: what was moved to a started state is launched for; what is gone is stopped", () => {
    const { calls, launcher } = launching()
    let answer: Looked = moved("started")
    const look = looking(() => Effect.succeed(answer))
    return Effect.gen(function*() {
      yield* start("ET-1")
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1))
      answer = Looked.Gone()
      yield* report("ET-1", "write")
      yield* settled
      assert.deepStrictEqual(calls(), launchesOf(1))
      assert.strictEqual((yield* get("ET-1")).status, "stopped")
    }).pipe(Effect.provide(Layer.provide(running({ launcher, stages }), look.layer)))
  })

  it.effect("row 28: with a silent Plane agents are launched within 10 s, and stopped when later news says so", () => {
    const { calls, launcher } = launching()
    const look = looking(() => Effect.as(Effect.sleep("10 seconds"), Looked.Unknown({ why: "silence" })))
    return Effect.gen(function*() {
      yield* startMany(4)
      yield* TestClock.adjust("10 seconds")
      yield* settled
      assert.sameMembers(calls(), launchesOf(1, 2, 3, 4))
      yield* stop("ET-2")
      yield* settled
      assert.deepStrictEqual(calls().slice(4), ["stop writer ET-2"])
    }).pipe(Effect.provide(Layer.provide(running({ launcher, stages }), look.layer)))
  })

  it.effect("row 28: a task that is cancelled or paused during the look is not launched for", () => {
    const { calls, launcher } = launching()
    const look = looking(() => Effect.as(Effect.sleep("5 seconds"), Looked.Expected()))
    return Effect.gen(function*() {
      yield* startMany(3)
      yield* TestClock.adjust("1 seconds")
      yield* stop("ET-1")
      yield* pause("ET-2")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(calls(), launchesOf(3))
      yield* start("ET-2")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(calls(), launchesOf(3, 2))
    }).pipe(Effect.provide(Layer.provide(running({ launcher, stages }), look.layer)))
  })

  it.scoped("row 28: a kill between acting on a move and noting it: the next start launches nothing", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const first = launching()
      const look = looking(() => Effect.succeed(moved("backlog")))
      look.how.note = Effect.never
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        Layer.provide(running({ database, launcher: first.launcher, stages }), look.layer),
        scope
      )
      yield* Effect.provide(start("ET-1"), context)
      yield* settled
      yield* Scope.close(scope, Exit.void)
      const second = launching()
      look.how.note = Effect.void
      yield* Effect.gen(function*() {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual([...first.calls(), ...second.calls()], [])
        assert.strictEqual((yield* get("ET-1")).status, "paused")
        // It goes on, and is looked at again.
        yield* start("ET-1")
        yield* settled
        assert.deepStrictEqual([look.asked.length, look.noted.length, second.calls().length], [2, 1, 0])
      }).pipe(Effect.provide(Layer.provide(running({ database, launcher: second.launcher, stages }), look.layer)))
    }))
})

describe("the launches", () => {
  it.effect("leave no row behind when all work is over", () => {
    const { launcher } = launching()
    return Effect.gen(function*() {
      yield* startMany(5)
      yield* settled
      yield* stop("ET-1")
      for (const n of [2, 3, 4, 5]) {
        yield* report(`ET-${n}`, "write")
        yield* settled
        yield* report(`ET-${n}`, "edit")
      }
      yield* settled
      const { read, sql } = yield* Storage
      assert.deepStrictEqual(yield* read(sql`SELECT * FROM plane_sync_launch`), [])
    }).pipe(Effect.provide(running({ launcher, stages })))
  })
})
