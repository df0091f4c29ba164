import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import type { StageStates } from "../../src/domain/StageStates.js"
import { defaultStageStates, StateId } from "../../src/domain/StageStates.js"
import type { MoveMeaning } from "../../src/tasks/PersonMove.js"
import { meaningOf, whyOf } from "../../src/tasks/PersonMove.js"
import type { TaskStatus } from "../../src/tasks/Task.js"

const stages = defaultStages.map(({ stage }) => stage)
const other = StateId("another")
const inProgress = StateId("b873d9eb-993c-48cd-97ac-99a9b1623967")
const done = StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8")

interface Case {
  readonly group: string
  readonly to?: StateId
  readonly status?: TaskStatus
  readonly stage?: string
  readonly states?: StageStates
  readonly at?: number
}

const means = ({ at = 9, group, stage = "development", states = defaultStageStates, status, to = other }: Case) =>
  meaningOf({
    move: { group, stateId: to, at: EpochMillis(at), isNew: false },
    task: status === undefined ? undefined : { stage, status, startedAt: DateTime.unsafeMake(5) },
    stages,
    states
  })

/** What each group means, for a task of each status. */
const table: Readonly<Record<string, Readonly<Record<TaskStatus | "none", MoveMeaning>>>> = {
  backlog: { none: "nothing", active: "pause", paused: "nothing", stopped: "nothing", done: "nothing" },
  unstarted: { none: "nothing", active: "pause", paused: "nothing", stopped: "nothing", done: "nothing" },
  started: { none: "start", active: "goOn", paused: "goOn", stopped: "goOn", done: "startAnew" },
  completed: { none: "nothing", active: "end", paused: "end", stopped: "end", done: "nothing" },
  cancelled: { none: "nothing", active: "stop", paused: "stop", stopped: "nothing", done: "nothing" },
  triage: { none: "nothing", active: "nothing", paused: "nothing", stopped: "nothing", done: "nothing" },
  unknown: { none: "nothing", active: "nothing", paused: "nothing", stopped: "nothing", done: "nothing" }
}

describe("row 28: what a person's move means", () => {
  it("is one thing for each group and each status", () => {
    const statuses = ["active", "paused", "stopped", "done"] as const
    for (const [group, row] of Object.entries(table)) {
      assert.strictEqual(means({ group }), row.none, group)
      for (const status of statuses) assert.strictEqual(means({ group, status }), row[status], `${group}, ${status}`)
    }
  })

  it("to the state of the task's own stage is to go on, whatever the state's group", () => {
    for (const group of ["backlog", "unstarted", "started", "completed", "cancelled"]) {
      for (const status of ["active", "paused", "stopped"] as const) {
        assert.strictEqual(means({ group, to: inProgress, status }), "goOn", group)
      }
    }
    // A board with a column for each stage.
    const ready = StateId("ready")
    const states = new Map([["development", ready], ["review", other], ["done", done]])
    assert.strictEqual(means({ group: "unstarted", to: ready, status: "paused", states }), "goOn")
    assert.strictEqual(means({ group: "unstarted", to: other, status: "active", states }), "pause")
    assert.strictEqual(means({ group: "unstarted", to: other, status: "active", stage: "review", states }), "goOn")
    assert.strictEqual(means({ group: "unstarted", to: other, status: "active", stage: "testing", states }), "goOn")
    assert.strictEqual(means({ group: "completed", to: done, status: "active", stage: "deploy", states }), "end")
    // A stage of another pipeline has no state here.
    assert.strictEqual(means({ group: "unstarted", to: ready, status: "active", stage: "write", states }), "pause")
  })

  it("row 3: a task that is done starts anew by a move to a started state, but not to that of its last stage", () => {
    const isStarted = new Map([["development", inProgress], ["done", other]])
    const ended = { status: "done", states: isStarted, group: "started" } as const
    assert.strictEqual(means({ ...ended, stage: "done", to: other }), "nothing")
    assert.strictEqual(means({ ...ended, stage: "done", to: inProgress }), "startAnew")
    // A person has ended it at development.
    assert.strictEqual(means({ ...ended, to: inProgress }), "startAnew")
    assert.strictEqual(means({ ...ended, to: other }), "startAnew")
    // The move that it has started with, worked on once more after a crash.
    assert.strictEqual(means({ ...ended, to: inProgress, at: 5 }), "nothing")
  })

  it("is said with who has done it, in one line", () => {
    const move = { group: "completed", who: Option.none(), stateName: Option.none() }
    assert.strictEqual(whyOf(move), "a person moved the work item to a completed state in Plane")
    assert.strictEqual(
      whyOf({ ...move, who: Option.some("lea\n\u0007"), stateName: Option.some("Done") }),
      "lea  moved the work item to Done in Plane"
    )
  })
})
