import { Clock, Effect } from "effect"
import type { Scope } from "effect"
import type { Expected, ExpectedLink, Findings } from "../../demo/Judge.js"
import { judge, together, toldBy } from "../../demo/Judge.js"
import type { Link } from "../../src/domain/Link.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import type { StageEvents } from "../../src/events/StageEvents.js"
import type { PlaneSimulator, RecordedRequest } from "../../src/simulator/PlaneSimulator.js"
import type { Turn } from "../support/LivingJudge.js"
import { judgeLiving } from "../support/LivingJudge.js"
import type { MovableClock } from "../support/MovableClock.js"
import type { Taken } from "../support/NoticeReceiver.js"
import type { OnNotices } from "./Notices.js"
import type { OnPostgres } from "./OnPostgres.js"
import * as ProgramRunner from "./ProgramRunner.js"
import type { OnWaits } from "./Waits.js"
import type { Wire } from "./Wire.js"

/** What events are published about: a work item, or a key that has none. */
export interface Task {
  /** The key as it is written in events. */
  readonly key: string
  /** Undefined while no work item has the key. */
  id: string | undefined
  stage: string
  /** The state that Plane must show in the end. */
  state: string
  /** The lines that Plane must show in the end. */
  readonly lines: Array<string>
  /** What was told of it, for a row in which one comment is edited. */
  readonly turns: Array<Turn>
  /** The links that were asked for, in that order. Of each kind Plane must have the last one in the end. */
  readonly links: Array<ExpectedLink>
}

/** What must become of an event: told, a dead letter, or its comment told and its state a dead letter. */
export type Fate = "told" | "dead" | "state dead"

/** Whether Plane must have a link in the end, unless another one of its kind takes its place, or never gets it. */
export type LinkFate = "made" | "given up"

/** What a row's script works with. */
export interface Scene {
  readonly plane: PlaneSimulator["Type"]
  readonly tasks: readonly [Task, Task, Task]
  readonly wire: Wire
  readonly clock: MovableClock
  /** A work item that a person made, to publish about. */
  readonly task: (name: string, number?: number) => Effect.Effect<Task>
  /** A key that no work item has. */
  readonly unknown: (key: string) => Task
  readonly stage: (task: Task, to: string, fate?: Fate) => Effect.Effect<void>
  /** The same, under an id that the publisher chose. */
  readonly stageAs: (task: Task, to: string, id: string) => Effect.Effect<void>
  /** A stage with a link. */
  readonly linked: (task: Task, link: ExpectedLink, fate?: LinkFate) => Effect.Effect<void>
  readonly gate: (task: Task, fate?: Fate) => Effect.Effect<void>
  readonly completed: (task: Task, fate?: Fate) => Effect.Effect<void>
  /**
   * Publishes four events about each task, the tasks at the same time. Round 1 leaves them In Progress, round 2 Done.
   */
  readonly round: (which: 1 | 2, tasks?: ReadonlyArray<Task>) => Effect.Effect<void>
  /** Waits until Plane shows everything that was accepted, about these tasks or about all. */
  readonly told: (tasks?: ReadonlyArray<Task>) => Effect.Effect<void>
  /** Waits until Plane has received this many of such requests. */
  readonly received: (count: number, which: (request: RecordedRequest) => boolean) => Effect.Effect<void>
  /** Says that the fault is over. Recovery is measured from here on. */
  readonly over: Effect.Effect<void>
  /** Checks something else that must hold. `words` says what is wrong if it does not. */
  readonly check: (holds: boolean, words: string) => Effect.Effect<void>
  /** Adds a remark below the table. */
  readonly note: (words: string) => Effect.Effect<void>
  /** How many lines of the pipeline's log contain these words. */
  readonly said: (words: string) => Effect.Effect<number>
  /** The pipeline's file. */
  readonly database: string
  /**
   * Has another process publish a gate failure to the file at `path`, and returns its output. The program is built for
   * it.
   */
  readonly elsewhere: Effect.Effect<(task: Task, path: string) => Effect.Effect<string>, never, Scope.Scope>
  /** The pipeline's Postgres, in a row that has one. */
  readonly postgres: Effect.Effect<OnPostgres>
  /** Tasks that ask, and the receiver of notices, in a row that has one. */
  readonly notices: Effect.Effect<OnNotices>
  /** Tasks that ask, and who is assigned, in a row that has them. */
  readonly waits: Effect.Effect<OnWaits>
  /**
   * Ends the pipeline as a stop of the program does: a request without an answer is cut off after 8 s, by the
   * pipeline's clock, and stays unsettled as after a crash. Then it starts anew on the same database.
   */
  readonly restart: Effect.Effect<void>
  /** As `/health` reports it. */
  readonly health: Effect.Effect<{ readonly status: string; readonly reasons: ReadonlyArray<string> }>
  /** Makes the disk full, and frees it again. */
  readonly disk: { readonly fill: Effect.Effect<void>; readonly free: Effect.Effect<void> }
  readonly seen: Effect.Effect<Seen>
}

/** What both ends recorded: the simulator its requests, the caller its answers. */
export interface Seen {
  readonly requests: ReadonlyArray<RecordedRequest>
  /** How many connections were refused. */
  readonly refused: number
  readonly accepted: number
  readonly notStored: number
  /** How long each publish took, in milliseconds. */
  readonly publishing: ReadonlyArray<number>
  readonly overAt: number | undefined
  readonly notices: ReadonlyArray<Taken>
  readonly problems: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

/** What a scene is judged by in the end. */
export interface Judged {
  readonly findings: Effect.Effect<Findings>
  /** How many lines Plane must show. */
  readonly expected: () => number
}

const states: Readonly<Record<string, string>> = {
  created: "Todo",
  analysis: "In Progress",
  architecture: "In Progress",
  development: "In Progress",
  review: "In Progress",
  testing: "In Progress",
  deploy: "In Progress",
  done: "Done"
}

interface Told {
  readonly event: StageEvent
  readonly turn: Turn
  readonly line: string
  readonly state: string | undefined
}

const poll = 25

/** Sets the stage: three work items. Everything that is published counts by what its publisher was answered. */
export const make = (options: {
  readonly plane: PlaneSimulator["Type"]
  /** As it is now: a row may start the pipeline anew. */
  readonly events: () => StageEvents["Type"]
  readonly wire: Wire
  readonly clock: MovableClock
  readonly disk: Scene["disk"]
  readonly database: string
  readonly postgres: OnPostgres | undefined
  readonly notices: OnNotices | undefined
  readonly waits: OnWaits | undefined
  readonly restart: Effect.Effect<void>
  readonly health: Scene["health"]
  readonly refused: () => number
  readonly log: ReadonlyArray<string>
  /** Whether changes of stages are told by one comment that is edited. */
  readonly living: boolean
}): Effect.Effect<Scene & Judged> =>
  Effect.gen(function*() {
    const { clock, database, disk, events, health, living, plane, postgres, wire } = options
    const all: Array<Task> = []
    const problems: Array<string> = []
    const notes: Array<string> = []
    const publishing: Array<number> = []
    const counts = { number: 0, accepted: 0, notStored: 0 }
    let overAt: number | undefined

    const add = (key: string, id: string | undefined): Task => {
      const made: Task = { key, id, stage: "created", state: "Backlog", lines: [], turns: [], links: [] }
      all.push(made)
      return made
    }
    const task = (name: string, number?: number) =>
      Effect.map(
        plane.addWorkItem({ name, ...(number === undefined ? {} : { number }) }),
        ({ id, key }) => add(key, id)
      )

    const publish = Effect.fnUntraced(function*(task: Task, fate: Fate, { event, line, state, turn }: Told) {
      const once = Effect.fnUntraced(function*(id: string | undefined) {
        const begin = yield* Clock.currentTimeNanos
        // The publisher runs on the same computer as the pipeline, so by the same clock.
        const receipt = yield* Effect.withClock(
          events().publish(id === undefined ? event : { ...event, id }),
          clock.clock
        )
        publishing.push(Number((yield* Clock.currentTimeNanos) - begin) / 1e6)
        if (receipt._tag === "NotStored") counts.notStored += 1
        return receipt
      })
      let receipt = yield* once(undefined)
      while (receipt._tag === "NotStored") {
        if (postgres === undefined) return
        yield* Effect.sleep("200 millis")
        receipt = yield* once(receipt.id)
      }
      counts.accepted += 1
      if (fate !== "dead") {
        task.lines.push(line)
        task.turns.push(turn)
      }
      if (fate === "told" && state !== undefined) task.state = state
    })

    const change = (
      task: Task,
      to: string,
      fate: Fate,
      more: { readonly id?: string; readonly links?: ReadonlyArray<Link> }
    ) =>
      Effect.suspend(() => {
        const { key: workItem, stage: from } = task
        const agent = `agent ${++counts.number}`
        task.stage = to
        return publish(task, fate, {
          event: StageEvent.StageChanged({ workItem, from, to, agent, ...more }),
          turn: { _tag: "Entered", from, to, agent },
          line: `🔄 Stage: ${from} → ${to} (launching ${agent})`,
          state: states[to]
        })
      })
    const stage: Scene["stage"] = (task, to, fate = "told") => change(task, to, fate, {})
    const linked: Scene["linked"] = (task, link, fate = "made") =>
      Effect.suspend(() => {
        if (fate === "made") task.links.push(link)
        const to = task.stage === "development" ? "review" : "development"
        return change(task, to, "told", { links: [{ ...link, title: `The ${link.kind}` }] })
      })
    const gate: Scene["gate"] = (task, fate = "told") =>
      Effect.suspend(() => {
        const { key: workItem, stage } = task
        const reason = `number ${++counts.number}: 1 < 2 && "a" > 'b'`
        const line = `⚠️ QG failed at ${stage}: lint — ${reason}`
        return publish(task, fate, {
          event: StageEvent.QualityGateFailed({ workItem, stage, check: "lint", reason }),
          turn: { _tag: "Failed", line },
          line,
          state: undefined
        })
      })
    const completed: Scene["completed"] = (task, fate = "told") =>
      Effect.suspend(() => {
        task.stage = "done"
        const line = "✅ Task completed! PR merged and deployed."
        return publish(task, fate, {
          event: StageEvent.TaskCompleted({ workItem: task.key }),
          turn: { _tag: "Completed", line },
          line,
          state: "Done"
        })
      })

    const elsewhere = Effect.map(ProgramRunner.make, (program) =>
      Effect.fnUntraced(function*({ key, lines, stage }: Task, path: string) {
        const reason = `number ${++counts.number}, of another process`
        const options = ["--stage", stage, "--check", "lint", "--reason", reason]
        const { done, words } = yield* program(path, "publish", "gate-failed", key, ...options)
        if (done) {
          counts.accepted += 1
          lines.push(`⚠️ QG failed at ${stage}: lint — ${reason}`)
        } else counts.notStored += 1
        return words
      }))

    const findingsOf = (tasks: ReadonlyArray<Task>) =>
      Effect.map(
        Effect.forEach(tasks, (each) => {
          const expected: Expected = { workItem: each.key, lines: each.lines, state: each.state, links: each.links }
          // No work item has the key, so nothing can be told.
          if (each.id === undefined) {
            return Effect.succeed(judge(expected, { lines: [], state: each.state }))
          }
          return Effect.map(
            Effect.all([plane.comments(each.id), plane.workItem(each.id), plane.links(each.id)]),
            ([comments, { state }, links]) => {
              const shown = {
                state: state.name,
                links: links.map(({ url }) =>
                  url
                )
              }
              const html = comments.map((comment) => comment.html)
              return living
                ? judgeLiving({ ...expected, turns: each.turns }, { ...shown, comments: html })
                : judge(expected, { ...shown, lines: html.flatMap(toldBy) })
            }
          )
        }),
        together
      )

    const until = (holds: Effect.Effect<boolean>) =>
      Effect.gen(function*() {
        for (;;) {
          const begin = yield* Clock.currentTimeMillis
          if (yield* holds) return
          const took = (yield* Clock.currentTimeMillis) - begin
          yield* Effect.sleep(Math.max(poll, took * 10))
        }
      })

    const standard = [yield* task("Trail map"), yield* task("Login form"), yield* task("Price list")] as const
    const round: Scene["round"] = (which, tasks = standard) =>
      Effect.forEach(tasks, (each) =>
        which === 1
          ? Effect.all([stage(each, "analysis"), gate(each), stage(each, "architecture"), gate(each)])
          : Effect.all([stage(each, "review"), gate(each), stage(each, "deploy"), completed(each)]), {
        concurrency: "unbounded",
        discard: true
      })

    return {
      plane,
      tasks: standard,
      wire,
      clock,
      task,
      unknown: (key) => add(key, undefined),
      stage,
      stageAs: (task, to, id) => change(task, to, "told", { id }),
      linked,
      gate,
      completed,
      round,
      told: (tasks = all) =>
        until(Effect.map(findingsOf(tasks), ({ links, lost, wrongState }) =>
          links.length + lost.length + wrongState.length === 0)),
      received: (count, which) =>
        until(Effect.map(plane.requests, (each) =>
          each.filter(which).length >= count)),
      over: Effect.map(Clock.currentTimeMillis, (now) => {
        overAt = now
      }),
      check: (holds, words) =>
        Effect.sync(() => {
          if (!holds) problems.push(words)
        }),
      note: (words) =>
        Effect.sync(() => {
          notes.push(words)
        }),
      said: (words) => Effect.sync(() => options.log.filter((line) => line.includes(words)).length),
      database,
      elsewhere,
      postgres: postgres === undefined ? Effect.dieMessage("this row has no Postgres") : Effect.succeed(postgres),
      notices: options.notices === undefined
        ? Effect.dieMessage("this row has no notices")
        : Effect.succeed(options.notices),
      waits: options.waits === undefined
        ? Effect.dieMessage("this row has no waits")
        : Effect.succeed(options.waits),
      restart: options.restart,
      health,
      disk,
      seen: Effect.map(plane.requests, (requests) => ({
        requests,
        refused: options.refused(),
        accepted: counts.accepted,
        notStored: counts.notStored,
        publishing,
        overAt,
        notices: options.notices?.seen ?? [],
        problems,
        notes
      })),
      findings: Effect.suspend(() => findingsOf(all)),
      expected: () => all.reduce((sum, { lines }) => sum + lines.length, 0)
    }
  })

/** The script of a row. It may use the scope besides the scene. */
export type Script = (scene: Scene) => Effect.Effect<void, never, Scope.Scope>
