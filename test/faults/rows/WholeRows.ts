import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import type { Scene, Task } from "../Scene.js"
import { comments } from "./Fault.js"

/** How long Plane takes from reading a row to saving all of it. */
const saving = "30 millis"

const pairs = 20

/** A person's change of each task, so that it overlaps with our PATCH of it: begun 0 to 29 ms after that. */
const overlapping = (
  scene: Scene,
  tasks: ReadonlyArray<Task>,
  before: number,
  change: (task: Task) => Effect.Effect<void>
) =>
  Effect.forEach(tasks, (task, index) =>
    Effect.gen(function*() {
      yield* scene.received(
        1,
        ({ kind, method, path, sequence }) =>
          sequence > before && kind === "item" && method === "PATCH" && path.includes(task.id ?? "-")
      )
      yield* Effect.sleep((index * 29) / tasks.length)
      yield* change(task)
    }), { concurrency: "unbounded", discard: true })

const lastSequence = ({ plane }: Scene) => Effect.map(plane.requests, (all) => all.at(-1)?.sequence ?? 0)

/** Plane saves whole rows, so of two changes at the same moment one undoes the other. */
export const wholeRows: ReadonlyArray<Row> = [
  {
    name: "state-undone",
    shows:
      "60 states, each with a person's change of the name in the 30 ms that Plane takes to save the row: none is lost",
    ci: true,
    webhooks: true,
    plane: { saving },
    script: (scene) =>
      Effect.gen(function*() {
        const { plane, stage, task, told } = scene
        const tasks = yield* Effect.forEach(
          Array.from({ length: pairs }, (_, n) => `Pair ${n}`),
          (name) => task(name)
        )
        for (const to of ["created", "analysis", "done"]) {
          const before = yield* lastSequence(scene)
          yield* Effect.forEach(tasks, (each) => stage(each, to), { concurrency: "unbounded" })
          yield* overlapping(scene, tasks, before, ({ id, key }) =>
            plane.editWorkItem(id ?? "", { name: `${key} at ${to}` }))
          // A person's change is over by then, and the next state is not kept waiting by it.
          yield* Effect.sleep("1500 millis")
          yield* told()
        }
        const changes = yield* Effect.forEach(tasks, ({ id }) =>
          plane.stateChanges(id ?? ""))
        const undone = changes.flat().filter(({ by }) =>
          by === plane.person.name
        ).length
        yield* scene.check(undone > 0, "no state was undone")
        yield* scene.note(`${undone} of ${3 * pairs} states were undone, and set again`)
      }),
    met: ({ requests }) => requests.filter(({ kind }) => kind === "activities").length
  },
  {
    name: "cancel-undone",
    shows: "20 people cancel in the 30 ms that Plane takes to save our state: each cancel stands in the end",
    ci: true,
    webhooks: true,
    plane: { saving },
    script: (scene) =>
      Effect.gen(function*() {
        const { plane, stage, task, told } = scene
        const tasks = yield* Effect.forEach(
          Array.from({ length: pairs }, (_, n) => `Cancel ${n}`),
          (name) => task(name)
        )
        yield* Effect.forEach(tasks, (each) => stage(each, "analysis"), { concurrency: "unbounded" })
        yield* told()
        const before = yield* lastSequence(scene)
        yield* Effect.forEach(tasks, (each) => stage(each, "done"), { concurrency: "unbounded" })
        yield* overlapping(scene, tasks, before, ({ id }) => plane.moveWorkItem(id ?? "", "Cancelled"))
        for (const each of tasks) each.state = "Cancelled"
        yield* Effect.sleep("3 seconds")
        yield* scene.over
      }),
    met: ({ requests }) => requests.filter(({ kind, method }) => kind === "item" && method === "PATCH").length
  },
  {
    name: "executed-twice",
    shows: "a comment that Plane executes only after its quiet time, and so twice: the second one is deleted",
    plane: {},
    script: ({ gate, plane, received, round, tasks: [task], told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 4_500, count: 1, match: comments }))
        yield* gate(task)
        yield* received(1, ({ applied, fault }) => fault === "ApplyLate" && applied)
        yield* received(1, ({ kind, method }) => kind === "comment" && method === "DELETE")
        yield* round(2)
      }),
    met: ({ requests }) => requests.filter(({ kind, method }) => kind === "comment" && method === "DELETE").length
  }
]
