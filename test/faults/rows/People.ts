import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import { answered, comments, hundredfold, met } from "./Fault.js"

/** How many dead letters the pipeline's file has by now. */
const deadLetters = (filename: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql<{ dead: number }>`SELECT count(*) AS dead FROM plane_sync_delivery WHERE status = 'dead'`
  ).pipe(
    Effect.map(([row]) => row?.dead),
    Effect.provide(SqliteClient.layer({ filename, readonly: true })),
    Effect.orDie
  )

/** What people do in Plane, and how they write. */
export const people: ReadonlyArray<Row> = [
  {
    name: "item-deleted",
    shows: "what is owed to a deleted work item are dead letters",
    ci: true,
    dead: 2,
    script: ({ completed, gate, plane, round, tasks, told }) =>
      Effect.gen(function*() {
        const [gone, ...others] = tasks
        yield* round(1)
        yield* told()
        yield* plane.deleteWorkItem(gone.id ?? "")
        yield* completed(gone, "dead")
        yield* gate(gone, "dead")
        yield* round(2, others)
      }),
    met: answered(404)
  },
  {
    name: "comment-deleted",
    shows: "a comment is done, its answer lost, and a person deletes it before it is sent again",
    script: ({ gate, plane, received, round, tasks: [task], told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Reset({ when: "after", count: 1, match: comments }))
        yield* gate(task)
        yield* received(1, ({ applied, fault }) => fault === "Reset" && applied)
        const made = (yield* plane.comments(task.id ?? "")).at(-1)
        yield* plane.deleteComment(made?.id ?? "")
        yield* round(2)
      }),
    met: met("Reset", "applied")
  },
  {
    name: "state-deleted",
    shows:
      "a state that Plane no longer has: the comments are told, the states wait, and are set when it is there again",
    ci: true,
    // So that the project's states are looked at again within 3 s instead of 5 minutes.
    speed: 100,
    settings: { ...hundredfold, ORCH_PLANE_RATE_LIMIT: "100000/minute" },
    script: ({ check, completed, gate, over, plane, received, round, tasks, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        const before = (yield* plane.requests).length
        yield* plane.removeState(plane.stateId("Done"))
        yield* Effect.forEach(tasks, (task) => Effect.zipRight(completed(task), gate(task)))
        yield* received(
          6,
          ({ kind, method, sequence }) => sequence > before && method === "POST" && kind === "comments"
        )
        const states = yield* Effect.forEach(tasks, ({ id }) => plane.workItem(id ?? ""))
        yield* check(states.every(({ state }) => state.name === "In Progress"), "a state was set that is not there")
        yield* plane.restoreState(plane.stateId("Done"))
        yield* over
      }),
    met: answered(400)
  },
  {
    name: "key-appears-later",
    shows: "a key that nobody has for 2 s: looked for again at 5 s",
    settings: { ORCH_PLANE_KEY_PATIENCE: "8 seconds" },
    script: ({ gate, over, plane, round, stage, unknown }) =>
      Effect.gen(function*() {
        const early = unknown("ET-0077")
        yield* stage(early, "analysis")
        yield* gate(early)
        yield* round(1)
        yield* Effect.sleep("2 seconds")
        early.id = (yield* plane.addWorkItem({ name: "Season plan", number: 77 })).id
        yield* over
        yield* round(2)
      }),
    met: ({ requests }) => requests.filter(({ path, status }) => status === 404 && path.includes("-77")).length
  },
  {
    name: "two-of-one-name",
    shows: "two names carry the key: dead letters, the others are told",
    dead: 2,
    script: ({ gate, round, stage, task, unknown }) =>
      Effect.gen(function*() {
        yield* task("ET-007 New route")
        yield* task("Copy of ET-007")
        const either = unknown("ET-007")
        yield* stage(either, "analysis", "dead")
        yield* gate(either, "dead")
        yield* round(1)
        yield* round(2)
      }),
    met: ({ requests }) => requests.filter(({ kind, query }) => kind === "search" && query.includes("ET-007")).length
  },
  {
    name: "identifier-changed",
    shows:
      "the project's identifier is changed in Plane for 2 s: keys of the old and of the new one wait, and nothing dies",
    ci: true,
    // Once it is changed back, what was published under the other one is no key of the project.
    dead: 2,
    script: ({ check, database, gate, over, plane, round, stage, task, tasks, unknown }) =>
      Effect.gen(function*() {
        yield* round(1, [tasks[0]])
        const unresolved = yield* task("Season plan")
        yield* plane.renameProject("OPX")
        const other = unknown("OPX-5")
        yield* stage(other, "analysis", "dead")
        yield* gate(other, "dead")
        yield* stage(unresolved, "analysis")
        yield* gate(unresolved)
        yield* round(1, tasks.slice(1))
        yield* Effect.sleep("2 seconds")
        yield* check((yield* deadLetters(database)) === 0, "an event died while the identifier that is set was wrong")
        yield* plane.renameProject("ET")
        yield* over
        yield* round(2)
      }),
    met: ({ requests }) => requests.filter(({ kind }) => kind === "project").length - 1
  },
  {
    name: "wrong-prefix",
    shows: "a key of no project: dead letters without a request",
    dead: 2,
    script: ({ check, gate, plane, round, stage, unknown }) =>
      Effect.gen(function*() {
        const foreign = unknown("XX-1")
        yield* stage(foreign, "analysis", "dead")
        yield* gate(foreign, "dead")
        yield* round(1)
        yield* round(2)
        const asked = (yield* plane.requests).filter(({ path, query }) => `${path}?${query}`.includes("XX-1"))
        yield* check(asked.length === 0, "Plane was asked for it")
      }),
    // No request may meet it. The dead letters show that its events were published.
    met: ({ accepted }) => accepted
  }
]
