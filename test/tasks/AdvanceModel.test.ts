import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Layer, Logger, LogLevel, Scope, TestContext } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { isVerdictLine } from "../../src/tasks/Story.js"
import type { TaskId } from "../../src/tasks/Task.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { settable, tasksOnly, told } from "./Orchestration.js"

const stages: ReadonlyArray<PipelineStage> = [
  { stage: "a", agent: "A", gates: ["one", "two"] },
  { stage: "b", agent: "B", gates: ["reported", "one"] },
  { stage: "c", agent: "C", gates: ["two"] },
  { stage: "d", agent: "D", gates: ["three", "one"] },
  { stage: "done", gates: [] }
]
const gateNames = ["one", "two", "three"] as const
/** The verdict of these does not depend on the stage, as the forge's. */
const ofTask = ["one", "two"]
/** This one is also asked of a task that is done. */
const lasting = "two"

interface Failure {
  readonly failed: string
  readonly sameAs?: string
}

type Said = "passed" | "pending" | "asks again" | "dies" | Failure | { readonly lost: string }

type Step =
  | { readonly do: "say"; readonly gate: (typeof gateNames)[number]; readonly said: Said }
  | { readonly do: "report"; readonly stage: string; readonly reason: string | undefined }
  | { readonly do: "start" | "pause" | "stop" | "reopen" }
  | { readonly do: "advance"; readonly callers: number }

const said = FastCheck.oneof(
  FastCheck.constantFrom<Said>("passed", "passed", "passed", "passed", "passed", "pending", "asks again", "dies"),
  FastCheck.constantFrom<Said>({ failed: "x" }, { failed: "y" }, { failed: "x1", sameAs: "x" }, {
    failed: "x2",
    sameAs: "x"
  }),
  FastCheck.constantFrom<Said>({ lost: "closed" }, { lost: "unapproved" })
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
      stage: FastCheck.constantFrom("a", "b", "b", "c"),
      reason: FastCheck.constantFrom(undefined, undefined, "r", "s")
    })
  },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      do: FastCheck.constantFrom<"start" | "pause" | "stop" | "reopen">(
        "start",
        "start",
        "start",
        "pause",
        "stop",
        "reopen"
      )
    })
  }
)

/** What the rules say, without transactions, processes or time. */
const makeModel = () => {
  let position = 0
  let status = "active"
  const gates = new Map<string, Said>(gateNames.map((name) => [name, "pending"]))
  const reports = new Map<string, Said>()
  /** The last word of each gate, and about which stage. */
  const last = new Map<string, { readonly about: string; readonly said: Said }>()
  /** What makes the failure that was told of a gate and is not over. */
  const told = new Map<string, string>()
  /** Gates that held when their stage was left. */
  const held = new Set<string>()
  const events: Array<string> = []
  const story: Array<string> = []

  const says = (gate: string, stage: string): Said =>
    (gate === "reported" ? reports.get(stage) : gates.get(gate)) ?? "pending"

  const essence = (said: Said) =>
    typeof said === "string" ? undefined : "lost" in said ? said.lost : said.sameAs ?? said.failed

  /** The gates up to a stage, each with the last stage that names it, in the order of these. */
  const upTo = (end: number) =>
    stages.slice(0, end + 1).flatMap(({ gates, stage }, index) =>
      gates.filter((gate) => !stages.slice(index + 1, end + 1).some(({ gates }) => gates.includes(gate)))
        .map((gate) => ({ gate, stage }))
    )

  const hear = (asked: ReadonlyArray<{ readonly gate: string; readonly stage: string }>, from: string) => {
    const here = stages[position]?.stage ?? ""
    const lines = new Map<string, string>()
    const said = (gate: string) => asked.filter((one) => one.gate === gate).map(({ stage }) => says(gate, stage))[0]
    const answered = asked.filter(({ gate, stage }) => says(gate, stage) !== "dies")
    const before = new Map(last)
    for (const { gate, stage } of answered) {
      const answer = says(gate, stage)
      // Of another stage: nothing was told of that.
      if (!ofTask.includes(gate) && before.get(gate)?.about !== stage) told.delete(gate)
      if (answer === "passed" && told.delete(gate)) story.push(`${gate} holds again at ${from}`)
      last.set(gate, { about: stage, said: answer })
    }
    const tell = (gate: string, what: string, words: string) => {
      told.set(gate, what)
      lines.set(gate, `${here}: ${gate} failed: ${words}`)
    }
    for (const { gate, stage } of answered) {
      const answer = says(gate, stage)
      if (typeof answer === "string" || "lost" in answer) continue
      const what = essence(answer) ?? ""
      const previous = before.get(gate)?.said
      const isSame = told.get(gate) === what ||
        (told.has(gate) && typeof previous === "object" && "failed" in previous && previous.failed === answer.failed)
      const wasPending = previous === "pending" || previous === "asks again" ||
        (typeof previous === "object" && "lost" in previous)
      if (stage === here ? !isSame || wasPending : held.has(gate) && !isSame) tell(gate, what, answer.failed)
    }
    for (const { gate, stage } of answered) {
      const answer = says(gate, stage)
      if (typeof answer === "string" || !("lost" in answer)) continue
      if (!held.has(gate) || told.get(gate) === answer.lost) continue
      const others = answered.filter((other) =>
        other.gate !== gate && essence(said(other.gate) ?? "dies") === answer.lost
      )
      if (others.some((other) => told.get(other.gate) === answer.lost)) told.set(gate, answer.lost)
      else tell(gate, answer.lost, answer.lost)
    }
    events.push(...asked.flatMap(({ gate }) => lines.get(gate) ?? []))
  }

  const advance = () => {
    const end = stages.length - 1
    if (status === "done") return hear(upTo(end).filter(({ gate }) => gate === lasting), "done")
    if (status !== "active") return
    const from = position
    const holds = (index: number) =>
      stages[index]?.gates.every((gate) => says(gate, stages[index]?.stage ?? "") === "passed") === true
    while (position < end && holds(position)) position += 1
    for (const { gates } of stages.slice(from, position)) for (const gate of gates) held.add(gate)
    for (let index = from; index < position; index++) {
      const next = stages[index + 1]
      const agent = index + 1 === position && next?.agent !== undefined ? ` (${next.agent})` : ""
      events.push(`${stages[index]?.stage} → ${next?.stage}${agent}`)
    }
    hear(upTo(position), stages[from]?.stage ?? "")
    if (position < end) return
    status = "done"
    events.push("completed")
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
        if (status === "active") break
        if (status === "done") {
          position = 0
          for (const known of [reports, last, told, held]) known.clear()
        }
        story.push(`${status === "done" ? "starts anew" : "goes on"} at ${stages[position]?.stage}`)
        status = "active"
        break
      case "pause":
        if (status !== "active") break
        status = "paused"
        story.push(`paused at ${stages[position]?.stage}: moved`)
        break
      case "stop":
        if (status === "done" || status === "stopped") break
        status = "stopped"
        story.push(`stopped at ${stages[position]?.stage}: cancelled`)
        break
      case "advance":
        advance()
        break
      case "reopen":
        break
    }
  }
  return { take, seen: () => ({ stage: stages[position]?.stage, status, events, story }) }
}

const verdictOf = (said: Said): Effect.Effect<Verdict> => {
  if (said === "dies") return Effect.die("no network")
  if (said === "passed") return Effect.succeed(Verdict.Passed())
  if (said === "asks again") return Effect.succeed(Verdict.Pending({ why: "it runs", againAfter: "1 minute" }))
  if (said === "pending") return Effect.succeed(Verdict.Pending({ why: "it runs" }))
  return Effect.succeed(
    "lost" in said
      ? Verdict.Pending({ why: said.lost, isLost: true })
      : Verdict.Failed({ reason: said.failed, sameAs: said.sameAs })
  )
}

const run = (steps: ReadonlyArray<Step>, database: string) =>
  Effect.gen(function*() {
    const gates = {
      one: settable("one", { isOfTask: true }),
      two: settable("two", { isOfTask: true, isLasting: true }),
      three: settable("three")
    }
    const open = Effect.gen(function*() {
      const scope = yield* Scope.make()
      const layer = tasksOnly({ database, stages, gates: [gates.one.gate, gates.two.gate, gates.three.gate] })
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
      events: told,
      story: Effect.flatMap(Tasks, (tasks) => tasks.story(id))
    }).pipe(Effect.provide(process.context))
    yield* Scope.close(process.scope, Exit.void)
    assert.deepStrictEqual(
      {
        stage: seen.task.stage,
        status: seen.task.status,
        events: seen.events,
        story: seen.story.flatMap(({ line }) => isVerdictLine(line) ? [] : [line])
      },
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
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 16) }
    ).finally(() => rmSync(folder, { recursive: true }))
    // Else the rules were hardly asked: a history has one or two events, more or less by chance.
    assert.isAbove(events, runs / 4)
  }, 120_000)
})
