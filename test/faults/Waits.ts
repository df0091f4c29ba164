import { Duration, Effect } from "effect"
import type { People } from "../../src/people/People.js"
import type { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import type { Tasks } from "../../src/tasks/Tasks.js"
import type { Task } from "./Scene.js"

/** What a row does whose tasks wait for people, who are assigned meanwhile. */
export interface OnWaits {
  /** The agent of a task asks. */
  readonly ask: (task: Task) => Effect.Effect<void>
  /** Somebody answers the question. */
  readonly answer: (task: Task) => Effect.Effect<void>
  /** A person makes these, and nobody else, the assignees in Plane's page. */
  readonly assign: (task: Task, ...users: ReadonlyArray<string>) => Effect.Effect<void>
  /** Waits until these, and nobody else, are assigned to a task. What is wrong after 10 s is a problem of the row. */
  readonly comesTo: (task: Task, ...users: ReadonlyArray<string>) => Effect.Effect<void>
  /** What was wrong so far, and what is wrong with who is assigned now, compared with what was waited for last. */
  readonly problems: Effect.Effect<ReadonlyArray<string>>
}

const patience = Duration.seconds(10)

/** `people`: the services as they are now, because a row may start them anew. */
export const makeOnWaits = (
  plane: PlaneSimulator["Type"],
  people: () => { readonly tasks: Tasks["Type"]; readonly asking: People["Type"] }
): OnWaits => {
  const late: Array<string> = []
  let asked = 0
  const last = new Map<Task, ReadonlyArray<string>>()
  const assigned = ({ id = "" }: Task) => Effect.map(plane.workItem(id), ({ assignees }) => assignees.toSorted())
  const wrong = (task: Task, users: ReadonlyArray<string>) =>
    Effect.map(assigned(task), (now) =>
      now.join() === users.toSorted().join()
        ? []
        : [`assigned to ${task.key}: ${now.join(", ") || "nobody"}; expected: ${users.join(", ") || "nobody"}`])
  return {
    ask: ({ key, lines }) =>
      Effect.gen(function*() {
        const { asking, tasks } = people()
        const question = `May ${key} go? (${++asked})`
        yield* tasks.start({ workItem: key })
        yield* asking.ask(key, { question, agent: "architect" })
        lines.push(`❓ architect asks: ${question}`)
      }).pipe(Effect.orDie),
    answer: ({ key }) =>
      Effect.suspend(() => people().asking.answer(key, { text: "Yes", by: "lea" })).pipe(Effect.orDie, Effect.asVoid),
    assign: ({ id = "" }, ...assignees) => plane.editWorkItem(id, { assignees }),
    comesTo: (task, ...users) =>
      Effect.gen(function*() {
        last.set(task, users)
        yield* wrong(task, users).pipe(
          Effect.delay("25 millis"),
          Effect.repeat({ until: (found) => found.length === 0 }),
          Effect.timeoutTo({
            duration: patience,
            onSuccess: () => Effect.void,
            onTimeout: () => Effect.map(wrong(task, users), (found) => void late.push(...found))
          }),
          Effect.flatten
        )
      }),
    problems: Effect.map(
      Effect.forEach(Array.from(last), ([task, users]) => wrong(task, users)),
      (now) => [...late, ...now.flat()]
    )
  }
}
