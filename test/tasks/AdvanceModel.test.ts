import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Layer, Logger, LogLevel, Scope, TestContext } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Verdict } from "../../src/tasks/QualityGate.js"
import type { TaskId } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { settable, tasksOnly, told } from "./Orchestration.js"

const stages = [
  { stage: "a", gates: ["one", "two"] },
  { stage: "b", gates: ["reported", "one"] },
  { stage: "c", gates: ["two"] },
  { stage: "done", gates: [] }
]
const gateNames = ["one", "two"] as const

type Said = "passed" | "pending" | "asks again" | "dies" | { readonly failed: string }

type Step =
  | { readonly do: "say"; readonly gate: (typeof gateNames)[number]; readonly said: Said }
  | { readonly do: "report"; readonly stage: string; readonly reason: string | undefined }
  | { readonly do: "start" | "pause" | "stop" | "reopen" }
  | { readonly do: "advance"; readonly callers: number }

const said = FastCheck.oneof(
  FastCheck.constantFrom<Said>("passed", "passed", "pending", "asks again", "dies"),
  FastCheck.constantFrom<Said>({ failed: "x" }, { failed: "y" })
)
const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  {
    weight: 6,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("say" as const),
      gate: FastCheck.constantFrom(...gateNames),
      said
    })
  },
  {
    weight: 8,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("advance" as const),
      callers: FastCheck.integer({ min: 1, max: 4 })
    })
  },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("report" as const),
      stage: FastCheck.constantFrom("a", "b", "c"),
      reason: FastCheck.constantFrom(undefined, undefined, "r", "s")
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      do: FastCheck.constantFrom("start" as const, "pause" as const, "stop" as const, "reopen" as const)
    })
  }
)

/** What the rules say, without transactions, processes or time. */
const makeModel = () => {
  let position = 0
  let status = "active"
  const gates = new Map<string, Said>(gateNames.map((name) => [name, "pending"]))
  const reports = new Map<string, Said>()
  const known = new Map<string, string>()
  const events: Array<string> = []

  const advance = () => {
    while (status === "active") {
      const here = stages[position]
      const next = stages[position + 1]
      if (here === undefined || next === undefined) return
      const answers = here.gates.map((gate) =>
        [gate, (gate === "reported" ? reports.get(here.stage) : gates.get(gate)) ?? "pending"] as const
      )
      const leaves = answers.every(([, answer]) => answer === "passed")
      for (const [gate, answer] of answers) {
        const text = JSON.stringify(answer)
        if (answer === "dies" || known.get(gate) === text) continue
        known.set(gate, text)
        if (typeof answer === "object") events.push(`${here.stage}: ${gate} failed: ${answer.failed}`)
      }
      if (!leaves) return
      position += 1
      events.push(`${here.stage} → ${next.stage}`)
      if (position === stages.length - 1) {
        status = "done"
        events.push("completed")
      }
    }
  }

  const take = (step: Step) => {
    switch (step.do) {
      case "say":
        gates.set(step.gate, step.said)
        break
      case "report":
        reports.set(step.stage, step.reason === undefined ? "passed" : { failed: step.reason })
        break
      case "start":
        if (status !== "done") status = "active"
        break
      case "pause":
        if (status === "active") status = "paused"
        break
      case "stop":
        if (status !== "done") status = "stopped"
        break
      case "advance":
        advance()
        break
      case "reopen":
        break
    }
  }
  return { take, seen: () => ({ stage: stages[position]?.stage, status, events }) }
}

const verdictOf = (said: Said): Effect.Effect<Verdict> => {
  if (said === "dies") return Effect.die("no network")
  if (said === "passed") return Effect.succeed(Verdict.Passed())
  if (said === "asks again") return Effect.succeed(Verdict.Pending({ why: "it runs", againAfter: "1 minute" }))
  return Effect.succeed(
    said === "pending" ? Verdict.Pending({ why: "it runs" }) : Verdict.Failed({ reason: said.failed })
  )
}

const run = (steps: ReadonlyArray<Step>, database: string) =>
  Effect.gen(function*() {
    const gates = { one: settable("one"), two: settable("two") }
    const open = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const layer = tasksOnly({ database, stages, gates: [gates.one.gate, gates.two.gate] })
      return { scope, context: yield* Layer.buildWithScope(layer, scope) }
    })
    const take = (id: TaskId, step: Step) =>
      Effect.gen(function*() {
        const tasks = yield* Tasks
        switch (step.do) {
          case "say":
            // A turn in between, so that those who advance at the same time meet.
            return gates[step.gate].say(Effect.zipRight(Effect.yieldNow(), verdictOf(step.said)))
          case "report":
            return yield* tasks.report("ET-2", {
              stage: step.stage,
              outcome: step.reason === undefined ? "passed" : "failed",
              reason: step.reason
            })
          case "start":
            return yield* tasks.start({ workItem: "ET-002" })
          case "pause":
            return yield* tasks.pause(id, "moved")
          case "stop":
            return yield* tasks.stop(id, "cancelled")
          case "advance":
            return yield* Effect.all(Array.from({ length: step.callers }, () => tasks.advance(id)), {
              concurrency: "unbounded"
            })
          case "reopen":
            return undefined
        }
      })

    const model = makeModel()
    let process = yield* open
    const { id } = yield* Effect.provide(
      Effect.flatMap(Tasks, (tasks) => tasks.start({ workItem: "ET-2" })),
      process.context
    )
    for (const step of steps) {
      model.take(step)
      if (step.do === "reopen") {
        yield* Scope.close(process.scope, Exit.void)
        process = yield* open
      }
      yield* Effect.provide(take(id, step), process.context)
    }
    const seen = yield* Effect.all({
      task: Effect.flatMap(Tasks, (tasks) => tasks.get("ET-2")),
      events: told
    }).pipe(Effect.provide(process.context))
    yield* Scope.close(process.scope, Exit.void)
    assert.deepStrictEqual(
      { stage: seen.task.stage, status: seen.task.status, events: seen.events },
      { ...model.seen() }
    )
    return seen.events.length
  })

describe("advance", () => {
  it("does what the rules say, over random histories of verdicts, reports, people and restarts", async () => {
    const folder = mkdtempSync(join(tmpdir(), "plane-sync-"))
    let runs = 0
    let events = 0
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        runs += 1
        events += await Effect.runPromise(
          run(steps, join(folder, `${runs}.sqlite`)).pipe(
            Effect.provide(Logger.minimumLogLevel(LogLevel.None)),
            Effect.provide(TestContext.TestContext)
          )
        )
      }),
      { numRuns: 40 }
    ).finally(() => rmSync(folder, { recursive: true }))
    // Else the rules were hardly asked: a history has one or two events, more or less by chance.
    assert.isAbove(events, runs / 2)
  }, 120_000)
})
