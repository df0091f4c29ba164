import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import { lateMillis } from "../Row.js"
import type { Scene, Seen, Task } from "../Scene.js"
import type { OnWaits } from "../Waits.js"
import { tenfold } from "./Fault.js"

/** Users of the simulated Plane. A person acts as Olga; the other one is the API token's, whom a person can assign. */
const olga = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b01"
const other = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b02"
const guest = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b03"
const nobody = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0bff"

/** A PATCH that changes who is assigned. */
const assigning = { method: "PATCH", kind: "item", text: "assignees" } as const

const met = (fault: Fault["_tag"]) => ({ requests }: Seen): number =>
  requests.filter((each) => each.fault === fault && each.body.includes("assignees")).length

type With = Scene & { readonly on: OnWaits }

/** All tasks are told and a person has assigned somebody to the first one. In the end their assignees are right. */
const row = (
  name: string,
  shows: string,
  rest: Omit<Row, "name" | "script" | "shows" | "waits">,
  script: (scene: With) => Effect.Effect<void>
): Row => ({
  name,
  shows,
  waits: true,
  // So that what is wrong is said, and not only that the row did not end.
  deadlineSeconds: 45,
  ...rest,
  settings: { ORCH_ATTENTION: olga, ...rest.settings },
  script: (scene) =>
    Effect.gen(function*() {
      const { check, round, tasks: [first], told, waits } = scene
      const on = yield* waits
      yield* round(1)
      yield* told()
      yield* on.assign(first, other)
      yield* script({ ...scene, on })
      yield* round(2)
      yield* told()
      // Something that is done too late, or once too often, would come by then.
      yield* Effect.sleep("1 second")
      yield* Effect.forEach(yield* on.problems, (words) => check(false, words))
    })
})

/** Who is assigned to a task while it waits, and when it does not, besides the person's own. */
const ofPerson = ({ tasks: [first] }: Scene, task: Task) => task === first ? [other] : []
const whileWaiting = (scene: With) =>
  Effect.forEach(scene.tasks, (task) => scene.on.comesTo(task, olga, ...ofPerson(scene, task)), {
    concurrency: "unbounded",
    discard: true
  })
const afterwards = (scene: With) =>
  Effect.forEach(scene.tasks, (task) => scene.on.comesTo(task, ...ofPerson(scene, task)), {
    concurrency: "unbounded",
    discard: true
  })
const ask = ({ on, tasks }: With) => Effect.forEach(tasks, on.ask, { discard: true })
const answer = ({ on, tasks }: With) => Effect.forEach(tasks, on.answer, { discard: true })

/** A fault meets the PATCHes that put somebody there, and then those that take them out again. */
const twice = (fault: Fault) => (scene: With) =>
  Effect.gen(function*() {
    yield* scene.plane.misbehave(fault)
    yield* ask(scene)
    yield* whileWaiting(scene)
    yield* scene.plane.misbehave(fault)
    yield* answer(scene)
    yield* afterwards(scene)
  })

/** Plane replaces all assignees at once; those of persons stay, and ours are there for as long as a task waits. */
export const assignees: ReadonlyArray<Row> = [
  row(
    "assign-502-after-applying",
    "people are assigned, and taken out, and it is answered 502",
    { ci: true, met: met("Status") },
    twice(Fault.Status({ status: 502, html: true, when: "after", count: 3, match: assigning }))
  ),
  row(
    "assign-reset",
    "people are assigned, and taken out, and the connection is reset instead of an answer",
    { met: met("Reset") },
    twice(Fault.Reset({ when: "after", count: 3, match: assigning }))
  ),
  row(
    "assign-429",
    "people are assigned, and taken out, and it is answered 429 with Retry-After: 1",
    { met: met("TooMany") },
    twice(Fault.TooMany({ count: 2, retryAfter: "1", match: assigning }))
  ),
  row(
    "late-assign",
    "people are assigned 1.5 s after the client gave up, when nobody is waited for any more",
    { met: ({ requests }) => requests.filter(({ clientGone, fault }) => fault === "ApplyLate" && clientGone).length },
    (scene) =>
      Effect.gen(function*() {
        const { plane, received } = scene
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: lateMillis, count: 3, match: assigning }))
        yield* ask(scene)
        yield* received(3, ({ fault }) => fault === "ApplyLate")
        yield* answer(scene)
        yield* received(3, ({ applied, fault }) => fault === "ApplyLate" && applied)
        yield* afterwards(scene)
      })
  ),
  row(
    "assign-ignored",
    "a guest is dropped with 200, and is not asked for again",
    {
      settings: { ORCH_ATTENTION: guest },
      met: ({ requests }) => requests.filter(({ body }) => body.includes(guest)).length
    },
    (scene) =>
      Effect.gen(function*() {
        const { check, plane, received, said, tasks } = scene
        const isAboutGuest = ({ body, method }: Seen["requests"][number]) => method === "PATCH" && body.includes(guest)
        yield* ask(scene)
        yield* received(3, isAboutGuest)
        yield* answer(scene)
        yield* ask(scene)
        yield* answer(scene)
        yield* afterwards(scene)
        const asked = (yield* plane.requests).filter(isAboutGuest).length
        yield* check(asked === tasks.length, `a guest was asked for ${asked} times`)
        yield* check((yield* said("who are no guests")) === 1, "the log does not say once that a guest is not assigned")
      })
  ),
  row(
    "assign-unknown",
    "an id that Plane does not know (400): it is left out, and the states are set",
    {
      settings: { ORCH_ATTENTION: nobody },
      met: ({ requests }) => requests.filter(({ body, status }) => status === 400 && body.includes(nobody)).length
    },
    (scene) =>
      Effect.gen(function*() {
        const { check, received, said } = scene
        yield* ask(scene)
        yield* received(3, ({ body, status }) => status === 400 && body.includes(nobody))
        yield* answer(scene)
        yield* afterwards(scene)
        yield* check((yield* said("it knows no such user")) === 1, "the log does not say once that nobody has the id")
      })
  ),
  row(
    "assign-beside-a-person",
    "a person assigns somebody while ours is applied late and not answered: both are there",
    { ci: true, met: met("ApplyLate") },
    (scene) =>
      Effect.gen(function*() {
        const { on, plane, received, tasks: [, second, third] } = scene
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 1_500, count: 2, match: assigning }))
        yield* Effect.forEach([second, third], on.ask)
        yield* received(2, ({ fault }) => fault === "ApplyLate")
        yield* Effect.forEach([second, third], (task) => on.assign(task, other))
        yield* received(2, ({ applied, fault }) => fault === "ApplyLate" && applied)
        yield* Effect.forEach([second, third], (task) => on.comesTo(task, olga, other), { concurrency: "unbounded" })
        yield* Effect.forEach([second, third], on.answer)
        yield* Effect.forEach([second, third], (task) => on.comesTo(task, other), { concurrency: "unbounded" })
        yield* on.comesTo(scene.tasks[0], other)
      })
  ),
  row(
    "assignee-taken-out",
    "a person takes out whom we have assigned: they stay off",
    { met: ({ requests }) => requests.filter(({ body, method }) => method === "PATCH" && body.includes(olga)).length },
    (scene) =>
      Effect.gen(function*() {
        const { on, tasks: [first] } = scene
        yield* ask(scene)
        yield* whileWaiting(scene)
        yield* on.assign(first, other)
        // Longer than the look back at our PATCH takes.
        yield* Effect.sleep("3 seconds")
        yield* on.comesTo(first, other)
        yield* answer(scene)
        yield* afterwards(scene)
      })
  ),
  row(
    "assign-and-restart",
    "the program ends between the PATCH and its answer, while a person assigns somebody: both are there",
    { ci: true, speed: 10, settings: tenfold, met: met("Silent") },
    (scene) =>
      Effect.gen(function*() {
        const { on, plane, received, restart, tasks: [first, second] } = scene
        // Applied when the program has ended, and before the quiet time of the next one is over.
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 1_500, count: 1, match: assigning }))
        yield* on.ask(second)
        yield* received(1, ({ fault }) => fault === "ApplyLate")
        yield* on.assign(second, other)
        yield* restart
        yield* received(1, ({ applied, clientGone, fault }) => fault === "ApplyLate" && applied && clientGone)
        yield* on.comesTo(second, olga, other)
        yield* plane.misbehave(Fault.Silent({ when: "after", count: 1, match: assigning }))
        yield* on.answer(second)
        yield* received(1, ({ applied, fault }) => fault === "Silent" && applied)
        yield* restart
        yield* on.comesTo(second, other)
        yield* on.comesTo(first, other)
      })
  )
]
