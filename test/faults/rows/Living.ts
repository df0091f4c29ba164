import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import { lateMillis } from "../Row.js"
import type { Scene, Script, Task } from "../Scene.js"
import { met, tenfold } from "./Fault.js"

/** Requests that edit a comment. */
const edits = { method: "PATCH", kind: "comment" } as const

/**
 * The defaults, by a clock that runs ten times as fast: so an edit waits for 3 s, as it does for a lost answer. Only the
 * longest backoff is shorter in proportion, as in the other rows.
 */
const living = {
  speed: 10,
  settings: { ...tenfold, ORCH_PLANE_COMMENTS: "living" }
} as const

/** Every task has its comment. Then the fault begins, and edits are owed: for failures, for stages, and for the end. */
const edited = (fault: Fault): Script => (scene) =>
  Effect.gen(function*() {
    const { plane, round, told } = scene
    yield* round(1)
    yield* told()
    yield* plane.misbehave(fault)
    yield* round(2)
  })

const isEdit = ({ kind, method }: { readonly kind: string | null; readonly method: string }) =>
  kind === edits.kind && method === edits.method

/** The id of the living comment of a task. */
const livingOf = ({ plane }: Scene, { id = "" }: Task) =>
  Effect.map(plane.comments(id), (all) => all.find(({ externalId }) => externalId?.startsWith("living:") === true)?.id)

const stages = [
  "architecture",
  "development",
  "review",
  "development",
  "review",
  "testing",
  "development",
  "review",
  "testing",
  "deploy"
]

/** One comment tells all changes of stages. Whatever became of an edit, it is there once and tells the last stage. */
export const livingRows: ReadonlyArray<Row> = [
  {
    ...living,
    name: "edit-502-after-applying",
    shows: "the living comment is edited, and that is answered 502",
    script: edited(Fault.Status({ status: 502, html: true, when: "after", count: 4, match: edits })),
    met: met("Status", "applied")
  },
  {
    ...living,
    name: "edit-reset",
    shows: "the living comment is edited, and the connection is reset instead of an answer",
    script: edited(Fault.Reset({ when: "after", count: 4, match: edits })),
    met: met("Reset", "applied")
  },
  {
    ...living,
    name: "late-edit",
    shows: "an edit is applied 1.5 s after the client gave up, and the next one is due by then: the newer text stands",
    ci: true,
    script: (scene) =>
      Effect.gen(function*() {
        const { gate, received, round, tasks } = scene
        yield* edited(Fault.ApplyLate({ afterMillis: lateMillis, count: 3, match: edits }))(scene)
        yield* received(3, ({ fault }) => fault === "ApplyLate")
        yield* Effect.forEach(tasks, (task) => gate(task))
        yield* round(1)
        yield* received(3, ({ applied, fault }) => fault === "ApplyLate" && applied)
      }),
    met: ({ requests }) =>
      requests.filter(({ applied, clientGone, fault }) => fault === "ApplyLate" && applied && clientGone).length
  },
  {
    ...living,
    name: "living-deleted",
    shows: "a person deletes the living comment: it is made anew once, and tells all",
    ci: true,
    script: (scene) =>
      Effect.gen(function*() {
        const { check, plane, round, stage, tasks, told } = scene
        yield* round(1)
        yield* told()
        const before = (yield* plane.requests).length
        yield* Effect.forEach(tasks, (task) =>
          Effect.flatMap(livingOf(scene, task), (comment = "") => plane.deleteComment(comment)))
        yield* Effect.forEach(tasks, (task) =>
          stage(task, "development"))
        yield* told()
        yield* round(2)
        yield* told()
        const anew = (yield* plane.requests).slice(before).filter(({ body, kind, method }) =>
          kind === "comments" && method === "POST" && body.includes("\"living:")
        )
        yield* check(anew.length === tasks.length, `${anew.length} living comments were made anew`)
      }),
    met: ({ requests }) => requests.filter((request) => isEdit(request) && request.status === 404).length
  },
  {
    ...living,
    name: "edit-429",
    shows: "an edit is answered 429 with Retry-After: 20, here 2 s",
    script: edited(Fault.TooMany({ count: 2, retryAfter: "20", match: edits })),
    met: ({ requests }) => requests.filter((request) => isEdit(request) && request.status === 429).length
  },
  {
    ...living,
    name: "ten-stages-while-away",
    shows: "ten stages change while Plane is away: one edit tells all of them",
    script: (scene) =>
      Effect.gen(function*() {
        const { check, over, plane, received, round, stage, tasks, told } = scene
        yield* round(1)
        yield* told()
        const before = (yield* plane.requests).length
        yield* plane.misbehave(Fault.Down({}))
        yield* Effect.forEach(
          tasks,
          (task) => Effect.forEach(stages, (to) => stage(task, to), { discard: true }),
          { concurrency: "unbounded", discard: true }
        )
        yield* received(2, ({ fault }) => fault === "Down")
        yield* plane.calm
        yield* over
        yield* told()
        const since = (yield* plane.requests).slice(before)
        const done = since.filter((request) => isEdit(request) && request.applied)
        yield* check(done.length === tasks.length, `${done.length} edits told the ten stages of each task`)
        const made = since.filter(({ applied, kind, method }) => kind === "comments" && method === "POST" && applied)
        yield* check(made.length === 0, `${made.length} comments were made for stages`)
      }),
    met: met("Down")
  }
]
