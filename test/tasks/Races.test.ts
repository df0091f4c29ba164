import type { SqlError } from "@effect/sql/SqlError"
import { assert, it } from "@effect/vitest"
import { Context, DateTime, Deferred, Effect, Fiber, Layer, Logger, LogLevel, Option } from "effect"
import { EpochMillis, epochMillis } from "../../src/base/Time.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StateId } from "../../src/domain/StageStates.js"
import { Storage } from "../../src/storage/Storage.js"
import { makeActiveDue } from "../../src/tasks/DueTasks.js"
import type { LaunchRow } from "../../src/tasks/Launches.js"
import { claimLaunch } from "../../src/tasks/Launches.js"
import { leaveActive } from "../../src/tasks/Leaving.js"
import type { PersonMove } from "../../src/tasks/PersonMove.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import type { TaskId } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import type { On } from "./Orchestration.js"
import { onBoth, settable, told } from "./Orchestration.js"

// By as many as 50, each of these fails without the lock that it is about.
const rounds = Number(process.env.PROPERTY_RUNS ?? 6)

const stages = [
  { stage: "build", gates: ["ci"], agent: "builder" },
  { stage: "ship", gates: ["shipped"], agent: "shipper" },
  { stage: "done", gates: [] }
]

const moved = "build → ship (shipper)"

type Process = Context.Context<Layer.Layer.Success<ReturnType<On["tasksOnly"]>>>

/** Two processes on one database. The gate of the first stage holds, that of the second one does not. */
const two = (processes: On["processes"]) =>
  Effect.gen(function*() {
    const ci = settable("ci")
    ci.say(Effect.as(Effect.yieldNow(), Verdict.Passed()))
    const process = (yield* processes)({ stages, gates: [ci.gate, settable("shipped").gate] })
    return [yield* Layer.build(process), yield* Layer.build(process)] as const
  })

const atOnce = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

const withTasks = <A, E>(use: (tasks: Tasks["Type"]) => Effect.Effect<A, E>) => Effect.flatMap(Tasks, use)

const start = (workItem: string, itemId?: ItemId) => withTasks((tasks) => tasks.start({ workItem, itemId }))

/** The launches of a task's agents, the oldest first. */
const launchesOf = (taskId: number) =>
  Effect.flatMap(Storage, ({ read, sql }) =>
    Effect.map(
      read(sql<{ state: string; stage: string }>`SELECT state, stage FROM plane_sync_launch WHERE task = ${taskId}
        ORDER BY number`),
      (rows) => rows.map(({ stage, state }) => `${stage} ${state}`)
    ))

/** A move that a person has just made, into a state that is that of no stage. */
const moveTo = (group: string): Effect.Effect<PersonMove> =>
  Effect.map(DateTime.now, (at) => ({
    group,
    stateId: StateId(group),
    at,
    who: Option.none(),
    stateName: Option.none(),
    isNew: false
  }))

const movedTo = (id: TaskId, group: string) =>
  withTasks((tasks) => Effect.flatMap(moveTo(group), (move) => tasks.applyMove(id, move, new Map())))

const claim = (row: LaunchRow, most: number) =>
  Effect.flatMap(
    Storage,
    ({ sql, write }) => Effect.flatMap(epochMillis, (now) => write(claimLaunch(sql, row, most, now)))
  )

/** A task that waits at the second stage for its agent's turn. */
const waiting = (workItem: string) =>
  Effect.gen(function*() {
    const { id } = yield* start(workItem)
    yield* withTasks((tasks) => tasks.advance(id))
    const { entry } = yield* withTasks((tasks) => tasks.get(workItem))
    const row: LaunchRow = { id: entry, dueAt: EpochMillis(0), taskId: id, stage: "ship", agent: "shipper" }
    return { id, row }
  })

onBoth("two processes at once", ({ deadlocks, processes }) => {
  const race = (
    name: string,
    round: (n: number, one: Process, other: Process) => Effect.Effect<unknown, unknown>,
    atEnd: Effect.Effect<unknown, unknown, Layer.Layer.Success<ReturnType<On["tasksOnly"]>>> = Effect.void
  ) =>
    it.scopedLive(name, () =>
      Effect.gen(function*() {
        const [one, other] = yield* two(processes)
        yield* Effect.forEach(Array.from({ length: rounds }, (_, n) => n + 1), (n) => round(n, one, other))
        yield* Effect.provide(atEnd, one)
        // Nobody had to be given up so that another one could go on.
        assert.strictEqual(yield* Effect.provide(deadlocks, one), 0)
      }).pipe(Logger.withMinimumLogLevel(LogLevel.Warning)), 90_000)

  const startedOnce = (name: string, starts: (n: number) => ReadonlyArray<ReturnType<typeof start>>) =>
    race(name, (n, one, other) =>
      Effect.gen(function*() {
        const started = yield* atOnce(starts(n).map((start, at) => Effect.provide(start, at % 2 === 0 ? one : other)))
        const [first] = started
        if (first === undefined) return assert.fail("a start")
        assert.deepStrictEqual(new Set(started.map(({ entry, id }) => `${id} ${entry}`)).size, 1)
        assert.deepStrictEqual(yield* Effect.provide(launchesOf(first.id), one), ["build held"])
      }), Effect.map(withTasks((tasks) => tasks.list({ limit: 200 })), (all) => assert.lengthOf(all, rounds)))

  const uuid = (n: number) => ItemId(`00000000-0000-4000-8000-${String(n).padStart(12, "0")}`)

  startedOnce("start a work item once", (n) => Array.from({ length: 4 }, () => start(`ET-${n}`)))

  startedOnce(
    "start a work item once, whatever it is called",
    (n) => [`ET-${n}`, `ET-00${n}`, `ET-${n + 1_000}`, `et-${n}`].map((key) => start(key, uuid(n)))
  )

  race("advance a task once", (n, one, other) =>
    Effect.gen(function*() {
      const { id } = yield* Effect.provide(start(`ET-${n}`), one)
      const advance = withTasks((tasks) => tasks.advance(id))
      yield* atOnce([one, other].map((process) => Effect.provide(advance, process)))
      assert.deepStrictEqual(yield* Effect.provide(launchesOf(id), one), ["ship owed"])
    }), Effect.map(told, (lines) => assert.deepStrictEqual(lines, Array.from({ length: rounds }, () => moved))))

  for (const how of ["stopped", "done"] as const) {
    let entered = 0
    race(
      `a task that is ${how} while it advances enters no stage after that, and has nothing to be launched`,
      (n, one, other) =>
        Effect.gen(function*() {
          const { id } = yield* Effect.provide(start(`ET-${n}`), one)
          yield* atOnce([
            Effect.provide(withTasks((tasks) => tasks.advance(id)), one),
            Effect.provide(movedTo(id, how === "done" ? "completed" : "cancelled"), other)
          ])
          const [task, lines, launches] = yield* Effect.provide(
            Effect.all([withTasks((tasks) => tasks.get(`ET-${n}`)), told, launchesOf(id)]),
            one
          )
          assert.strictEqual(task.status, how)
          assert.deepStrictEqual(launches, [])
          entered += task.stage === "ship" ? 1 : 0
          assert.strictEqual(lines.length, entered)
        })
    )
  }

  race("start a task that is done anew once, whatever is reported of it", (n, one, other) =>
    Effect.gen(function*() {
      const { id } = yield* Effect.provide(waiting(`ET-${n}`), one)
      const overruled = { stage: "ship", by: "lea", reason: "it is there" }
      yield* Effect.provide(withTasks((tasks) => tasks.overrule(`ET-${n}`, overruled)), one)
      const report = withTasks((tasks) => tasks.report(`ET-${n}`, { stage: "ship", outcome: "failed" }))
      yield* atOnce([
        Effect.provide(movedTo(id, "started"), one),
        Effect.provide(report, other),
        Effect.provide(movedTo(id, "started"), other),
        Effect.provide(report, one)
      ])
      const [task, story, launches] = yield* Effect.provide(
        Effect.all([withTasks((tasks) => tasks.get(`ET-${n}`)), withTasks((tasks) => tasks.story(id)), launchesOf(id)]),
        one
      )
      assert.deepInclude(task, { status: "active", stage: "build" })
      assert.lengthOf(story.filter(({ line }) => line.startsWith("starts anew")), 1)
      assert.deepStrictEqual(launches, ["build held"])
    }))

  race("give one agent the only turn, and one process an agent", (n, one, other) =>
    Effect.gen(function*() {
      const first = yield* Effect.provide(waiting(`ET-${n}`), one)
      const second = yield* Effect.provide(waiting(`ET-${n + 1_000}`), one)
      const two = yield* atOnce([
        Effect.provide(claim(first.row, n), one),
        Effect.provide(claim(second.row, n), other)
      ])
      assert.lengthOf(two.filter((claimed) => claimed), 1)
      const left = two[0] ? second.row : first.row
      const again = yield* atOnce([one, other].map((process) => Effect.provide(claim(left, n + 1), process)))
      assert.lengthOf(again.filter((claimed) => claimed), 1)
      // Another one has the turn in the next round.
      yield* Effect.provide(withTasks((tasks) => tasks.stop(left.taskId, "it is over")), one)
    }))

  /**
   * What another process does while a transaction stands still behind its first part: one after the other, each with
   * the time to come to where it waits.
   */
  const meanwhile = (
    name: string,
    prepare: (one: Process) => Effect.Effect<{
      readonly first: Effect.Effect<unknown, SqlError>
      readonly rest?: Effect.Effect<unknown, SqlError>
      readonly others: ReadonlyArray<Effect.Effect<unknown, unknown, Storage | Tasks>>
      readonly then: Effect.Effect<unknown, unknown, Storage | Tasks>
    }, unknown>
  ) =>
    it.scopedLive(name, () =>
      Effect.gen(function*() {
        const [one, other] = yield* two(processes)
        const { first, others, rest = Effect.void, then } = yield* prepare(one)
        const [began, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const standing = first.pipe(
          Effect.zipRight(Deferred.succeed(began, undefined)),
          Effect.zipRight(Deferred.await(goOn)),
          Effect.zipRight(rest)
        )
        const fibers: Array<Fiber.Fiber<unknown, unknown>> = []
        fibers.push(yield* Effect.fork(Context.get(one, Storage).write(standing)))
        yield* Deferred.await(began)
        for (const effect of others) {
          fibers.push(yield* Effect.fork(Effect.provide(effect, other)))
          yield* Effect.sleep("50 millis")
        }
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.joinAll(fibers)
        yield* Effect.provide(then, one)
        assert.strictEqual(yield* Effect.provide(deadlocks, one), 0)
      }).pipe(Logger.withMinimumLogLevel(LogLevel.Warning)))

  meanwhile(
    "an agent whose task goes on while its turn is being taken is not forgotten",
    (one) =>
      Effect.gen(function*() {
        const { id, row } = yield* Effect.provide(waiting("ET-1"), one)
        yield* Effect.provide(withTasks((tasks) => tasks.pause(id, "it waits")), one)
        return {
          first: claimLaunch(Context.get(one, Storage).sql, row, 1, yield* epochMillis),
          others: [Effect.zipRight(start("ET-1"), withTasks((tasks) => tasks.advance(id)))],
          then: Effect.map(launchesOf(id), (launches) => assert.deepStrictEqual(launches, ["ship owed"]))
        }
      })
  )

  meanwhile(
    "a paused task that is started while it is being stopped enters its stage again",
    (one) =>
      Effect.gen(function*() {
        const { id } = yield* Effect.provide(waiting("ET-1"), one)
        yield* Effect.provide(withTasks((tasks) => tasks.pause(id, "it waits")), one)
        const { sql } = Context.get(one, Storage)
        return {
          first: leaveActive(sql, { id, itemId: Option.none() }, "stopped", "it is over", yield* epochMillis),
          others: [start("ET-1")],
          then: Effect.map(launchesOf(id), (launches) => assert.deepStrictEqual(launches, ["ship held"]))
        }
      })
  )

  meanwhile(
    "a report and a start that meet at an older report do not wait for each other",
    (one) =>
      Effect.gen(function*() {
        const { id } = yield* Effect.provide(waiting("ET-1"), one)
        const report = (outcome: "passed" | "failed") =>
          withTasks((tasks) => tasks.report("ET-1", { stage: "ship", outcome }))
        yield* Effect.provide(report("failed"), one)
        const overruled = { stage: "ship", by: "lea", reason: "it is there" }
        yield* Effect.provide(withTasks((tasks) => tasks.overrule("ET-1", overruled)), one)
        return {
          first: Context.get(one, Storage).sql`UPDATE plane_sync_report SET at = at`,
          others: [report("passed"), start("ET-1")],
          then: Effect.map(withTasks((tasks) => tasks.get("ET-1")), (task) => {
            assert.deepInclude(task, { id, stage: "build", status: "active" })
          })
        }
      })
  )

  meanwhile("all tasks and some are marked as due in one order", (one) =>
    Effect.gen(function*() {
      const { id: first } = yield* Effect.provide(start("ET-1"), one)
      const { id: second } = yield* Effect.provide(start("ET-2"), one)
      const { touch } = Context.get(one, Tasks)
      const { sql, write } = Context.get(one, Storage)
      // So that its row lies behind the other one, and the table is known to be so small that it is read as it lies.
      yield* write(Effect.zipRight(touch(first), sql`ANALYZE plane_sync_task`))
      const now = yield* epochMillis
      return {
        first: touch(first),
        rest: touch(second),
        others: [Effect.flatMap(Storage, ({ sql, write }) => write(makeActiveDue(sql, now, () => sql`1 = 1`)))],
        then: Effect.void
      }
    }))
})
