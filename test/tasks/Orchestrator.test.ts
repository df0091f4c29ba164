import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, LogLevel, Scope, TestClock } from "effect"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { folder } from "../http/Server.js"
import { make } from "../support/MovableClock.js"
import { forge, running, settable, tasksOnly, told } from "./Orchestration.js"

const silent = Logger.minimumLogLevel(LogLevel.None)

/** A launcher that does as it is told, and remembers for what it was called. */
const launching = () => {
  const launched: Array<string> = []
  const entries = new Set<string>()
  let how: Effect.Effect<void, unknown> = Effect.void
  return {
    launched,
    entries,
    does: (next: Effect.Effect<void, unknown>) => {
      how = next
    },
    launcher: Layer.succeed(AgentLauncher, {
      launch: ({ agent, entry, stage, task }) =>
        Effect.suspend(() => {
          launched.push(`${agent} at ${stage} of ${task.workItem}`)
          entries.add(entry)
          return how
        }),
      stop: ({ agent, stage, task }) => Effect.dieMessage(`${agent} at ${stage} of ${task.workItem} is to be stopped`)
    })
  }
}

// The fibers of the background get their turns.
const settled = TestClock.adjust("1 millis").pipe(Effect.repeatN(3))

const report = (workItem: string, stage: string) =>
  Effect.flatMap(Tasks, (tasks) => tasks.report(workItem, { stage, outcome: "passed" }))

const stageOf = (workItem: string) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.get(workItem), ({ stage }) => stage))

describe("the orchestrator", () => {
  it.effect("row 6: advances a task as soon as a fact about it comes, and launches agents only where it comes to rest", () => {
    const { entries, launched, launcher } = launching()
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      for (const stage of ["analysis", "architecture"]) {
        assert.strictEqual(yield* stageOf("ET-2"), stage)
        yield* report("ET-2", stage)
        yield* settled
      }
      assert.strictEqual(yield* stageOf("ET-2"), "development")
      assert.deepStrictEqual(launched, [
        "analyst at analysis of ET-2",
        "architect at architecture of ET-2",
        "developer at development of ET-2"
      ])
      assert.strictEqual(entries.size, 3)
      assert.isTrue(entries.has((yield* tasks.get("ET-2")).entry))
    }).pipe(Effect.provide(running({ launcher })))
  })

  it.effect("a launcher that hangs or fails blocks nobody, and is called again", () => {
    const { does, launched, launcher } = launching()
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      does(Effect.uninterruptible(Effect.never))
      yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      yield* report("ET-2", "analysis")
      yield* settled
      assert.strictEqual(yield* stageOf("ET-2"), "architecture")
      yield* TestClock.adjust("31 seconds")
      does(Effect.fail("no such agent"))
      yield* TestClock.adjust("61 seconds")
      // Nobody needs the analyst any more, whose stage was left.
      const again = launched.slice(1)
      assert.isAbove(again.length, 1)
      assert.deepStrictEqual(new Set(again), new Set(["architect at architecture of ET-2"]))
      does(Effect.void)
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(launched.slice(1 + again.length), ["architect at architecture of ET-2"])
    }).pipe(Effect.provide(Layer.merge(running({ launcher }), silent)))
  })

  it.effect("a gate that did not answer is asked again each minute, and a hanging gate holds up no other", () => {
    const slow = settable("ci")
    const stages = [{ stage: "a", gates: ["ci"] }, { stage: "b", gates: ["reported"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      slow.say(Effect.never)
      yield* tasks.start({ workItem: "ET-1" })
      yield* settled
      slow.say(Effect.die("no network"))
      yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      assert.strictEqual(slow.asked(), 2)
      slow.say(Verdict.Passed())
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* stageOf("ET-2"), "a")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([yield* stageOf("ET-1"), yield* stageOf("ET-2")], ["b", "b"])
    }).pipe(Effect.provide(Layer.merge(running({ stages, gates: [slow.gate] }), silent)))
  })

  it.effect("a gate is asked again when the time that it names is over, and not before", () => {
    const ci = settable("ci")
    const stages = [{ stage: "a", gates: ["ci"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      ci.say(Verdict.Pending({ why: "it runs", againAfter: "10 minutes" }))
      yield* tasks.start({ workItem: "ET-1" })
      yield* settled
      assert.strictEqual(ci.asked(), 1)
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual(ci.asked(), 1)
      yield* TestClock.adjust("1 seconds")
      yield* settled
      assert.strictEqual(ci.asked(), 2)
      yield* TestClock.adjust("1 hours")
      assert.strictEqual(ci.asked(), 8)
    }).pipe(Effect.provide(running({ stages, gates: [ci.gate] })))
  })

  it.scoped("what waits is tried again at once when the clock was set back, and holds up no other", () => {
    const ci = settable("ci")
    const stages = [{ stage: "a", gates: ["ci"], agent: "builder" }, { stage: "done", gates: [] }]
    const { does, launched, launcher } = launching()
    return Effect.gen(function*() {
      const { clock, shift } = make(yield* Effect.clock)
      const context = yield* Effect.withClock(
        Layer.build(running({ stages, gates: [ci.gate], launcher })),
        clock
      )
      const start = (workItem: string) =>
        Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem })).pipe(
          Effect.withClock(clock),
          Effect.provide(context)
        )
      ci.say(Verdict.Pending({ why: "it runs", againAfter: "10 minutes" }))
      does(Effect.fail("busy"))
      yield* start("ET-1")
      yield* settled
      assert.deepStrictEqual([ci.asked(), launched.length], [1, 1])
      yield* shift(-86_400_000)
      // Its due times are before those of ET-1.
      yield* start("ET-2")
      yield* settled
      assert.deepStrictEqual([ci.asked(), launched.length], [3, 3])
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual(ci.asked(), 3)
    }).pipe(Effect.provide(silent))
  })

  it.effect("a fact that was stored with touch is acted upon, and one that was rolled back is not", () => {
    const ci = settable("ci")
    const stages = [{ stage: "a", gates: ["ci"] }, { stage: "done", gates: [] }]
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      const { sql, write } = yield* Storage
      const { notify } = yield* WakeUps
      const { id } = yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      ci.say(Verdict.Passed())
      yield* Effect.flip(write(Effect.zipRight(tasks.touch(id), sql`INSERT INTO nowhere VALUES (1)`)))
      yield* notify
      yield* settled
      assert.strictEqual(yield* stageOf("ET-2"), "a")
      yield* write(tasks.touch(id))
      yield* notify
      yield* settled
      assert.strictEqual(yield* stageOf("ET-2"), "done")
    }).pipe(Effect.provide(running({ stages, gates: [ci.gate] })))
  })

  it.scoped("goes on after a restart: facts that were stored, launches that were owed, gates that changed their minds", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const { gates, ci } = forge()
      yield* Effect.gen(function*() {
        const tasks = yield* Tasks
        // Only stored: the process ends before anybody advances them.
        for (const key of ["ET-1", "ET-2"]) yield* tasks.start({ workItem: key })
        yield* report("ET-1", "analysis")
        yield* report("ET-1", "architecture")
      }).pipe(Effect.provide(tasksOnly({ database, gates })))

      const first = launching()
      first.does(Effect.never)
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(running({ database, gates, launcher: first.launcher }), scope)
      yield* settled
      assert.strictEqual(yield* Effect.provide(stageOf("ET-1"), context), "development")
      assert.includeMembers(first.launched, ["analyst at analysis of ET-2", "developer at development of ET-1"])
      yield* Scope.close(scope, Exit.void)

      ci.say(Verdict.Passed())
      const second = launching()
      yield* Effect.gen(function*() {
        yield* settled
        assert.strictEqual(yield* stageOf("ET-1"), "review")
        const { entry } = yield* Effect.flatMap(Tasks, (tasks) => tasks.get("ET-2"))
        assert.deepStrictEqual([first.entries.has(entry), second.entries.has(entry)], [true, true])
        assert.strictEqual((yield* told).filter((event) => event.startsWith("created → analysis")).length, 2)
      }).pipe(Effect.provide(running({ database, gates, launcher: second.launcher })))
      assert.includeMembers(second.launched, ["analyst at analysis of ET-2", "reviewer at review of ET-1"])
    }))

  it.effect("a task that is stopped launches nothing more", () => {
    const { does, launched, launcher } = launching()
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      does(Effect.fail("busy"))
      const { id } = yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      yield* tasks.stop(id, "cancelled")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(launched.length, 1)
      does(Effect.void)
      yield* tasks.start({ workItem: "ET-2" })
      yield* settled
      assert.strictEqual(launched.length, 2)
    }).pipe(Effect.provide(Layer.merge(running({ launcher }), silent)))
  })
})
