import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import type { Script } from "../Scene.js"
import { comments, met } from "./Fault.js"

const day = 86_400_000

/** The clock is set while comments wait for the end of their quiet time, and once more while nothing is owed. */
const clockSet = (millis: number): Script => ({ clock, gate, over, plane, received, round, tasks, told }) =>
  Effect.gen(function*() {
    yield* round(1)
    yield* told()
    yield* plane.misbehave(Fault.Status({ status: 502, html: true, when: "after", count: 3, match: comments }))
    yield* round(2)
    yield* received(3, ({ fault }) => fault !== null)
    yield* clock.shift(millis)
    yield* over
    yield* told()
    yield* clock.shift(millis)
    yield* Effect.forEach(tasks, (task) => gate(task))
    yield* Effect.timeoutFail(told(), { duration: "10 seconds", onTimeout: () => "it waits for the clock" }).pipe(
      Effect.orDie
    )
  })

/** What the pipeline's own machine does to it. */
export const machine: ReadonlyArray<Row> = [
  {
    name: "clock-forward",
    shows: "the clock is set forward by a day, twice",
    script: clockSet(day),
    met: met("Status", "applied")
  },
  {
    name: "clock-back",
    shows: "the clock is set back by a day, twice: nothing waits for it, and a person's cancel is seen",
    ci: true,
    deadlineSeconds: 90,
    script: (scene) =>
      Effect.gen(function*() {
        yield* clockSet(-day)(scene)
        const [task] = scene.tasks
        // For so long, which is not scaled, what was read before is relied on, however the clock is set.
        yield* Effect.sleep("31 seconds")
        yield* scene.plane.moveWorkItem(task.id ?? "", "Cancelled")
        yield* scene.stage(task, "review")
        task.state = "Cancelled"
      }),
    met: met("Status", "applied")
  },
  {
    name: "storage-full",
    shows: "the disk is full, and has room again after a second",
    ci: true,
    smallDisk: true,
    script: ({ check, disk, gate, over, round, seen, tasks: [task], told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* disk.fill
        // What the file still has room for is stored.
        yield* Effect.iterate(0, {
          while: (notStored) => notStored < 10,
          body: () => Effect.zipRight(gate(task), Effect.map(seen, ({ notStored }) => notStored))
        })
        yield* Effect.sleep("1 seconds")
        yield* disk.free
        yield* over
        const before = (yield* seen).notStored
        yield* round(2)
        yield* check((yield* seen).notStored === before, "publish did not recover by itself")
      }),
    met: ({ notStored }) => notStored
  },
  {
    name: "5000-while-away",
    shows: "5,000 events of 50 work items are published while Plane is away",
    deadlineSeconds: 180,
    script: ({ gate, over, plane, received, stage, task }) =>
      Effect.gen(function*() {
        const tasks = yield* Effect.forEach(Array.from({ length: 50 }), (_, index) => task(`Task ${index + 1}`))
        const names = ["analysis", "architecture", "development", "review", "testing", "deploy"]
        yield* plane.misbehave(Fault.Down({}))
        yield* Effect.forEach(tasks, (each) =>
          Effect.forEach(Array.from({ length: 100 }), (_, index) =>
            index % 20 === 19
              ? gate(each)
              : stage(each, index === 98 ? "done" : names[index % names.length] ?? "done"), {
            discard: true
          }), { concurrency: "unbounded", discard: true })
        yield* received(3, ({ fault }) => fault === "Down")
        yield* plane.calm
        yield* over
      }),
    met: met("Down")
  }
]
