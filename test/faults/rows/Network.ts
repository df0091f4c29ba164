import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import { lateMillis } from "../Row.js"
import type { Seen } from "../Scene.js"
import { comments, counted, lasting, met, stateChanges } from "./Fault.js"

/** How many requests were applied when their client had long gone. */
const appliedLate = ({ requests }: Seen) =>
  requests.filter(({ applied, clientGone, fault }) => fault === "ApplyLate" && applied && clientGone).length

/** Plane is away, or the way to it breaks. Some requests are executed all the same. */
export const network: ReadonlyArray<Row> = [
  {
    name: "refused",
    shows: "no connection for 2 s",
    ci: true,
    script: ({ over, round, told, wire }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* wire.cut
        yield* round(2)
        yield* Effect.sleep("2 seconds")
        yield* wire.mend
        yield* over
      }),
    met: ({ refused }) => refused
  },
  {
    name: "silent",
    shows: "accepts and never answers, for 2.5 s",
    script: lasting(Fault.Silent({}), "2.5 seconds"),
    met: met("Silent")
  },
  {
    name: "byte-by-byte",
    shows: "every answer is a byte each 100 ms, for 4 s",
    script: lasting(Fault.ByteByByte({ everyMillis: 100 }), "4 seconds"),
    met: met("ByteByByte", "applied")
  },
  {
    name: "500",
    shows: "everything is answered 500 for 2 s",
    script: lasting(Fault.Status({ status: 500 }), "2 seconds"),
    met: met("Status")
  },
  {
    name: "502-html",
    shows: "everything is answered 502 by a proxy for 2 s",
    ci: true,
    script: lasting(Fault.Status({ status: 502, html: true }), "2 seconds"),
    met: met("Status")
  },
  {
    name: "503",
    shows: "everything is answered 503 for 2 s",
    script: lasting(Fault.Status({ status: 503 }), "2 seconds"),
    met: met("Status")
  },
  {
    name: "500-after-applying",
    shows: "comments and states are done and answered 500",
    ci: true,
    script: ({ plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Status({ status: 500, when: "after", count: 4, match: comments }))
        yield* plane.misbehave(Fault.Status({ status: 500, when: "after", count: 2, match: stateChanges }))
        yield* round(2)
      }),
    met: met("Status", "applied")
  },
  {
    name: "502-after-applying",
    shows: "comments and states are done and answered 502",
    script: ({ plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Status({ status: 502, html: true, when: "after", count: 4, match: comments }))
        yield* plane.misbehave(Fault.Status({ status: 502, html: true, when: "after", count: 2, match: stateChanges }))
        yield* round(2)
      }),
    met: met("Status", "applied")
  },
  {
    name: "late-comment",
    shows: "comments are applied 1.5 s after the client gave up",
    ci: true,
    script: counted(Fault.ApplyLate({ afterMillis: lateMillis, count: 3, match: comments })),
    met: appliedLate
  },
  {
    name: "late-state",
    shows: "a state is applied 1.5 s after the client gave up, a later one is owed by then",
    ci: true,
    script: ({ completed, plane, received, stage, tasks }) =>
      Effect.gen(function*() {
        yield* plane.misbehave(Fault.ApplyLate({ afterMillis: lateMillis, count: 3, match: stateChanges }))
        yield* Effect.forEach(tasks, (task) => stage(task, "analysis"))
        yield* received(3, ({ fault }) => fault === "ApplyLate")
        yield* Effect.forEach(tasks, (task) => completed(task))
      }),
    met: appliedLate
  },
  {
    name: "reset-mid-body",
    shows: "comments and states are done, the answer breaks off",
    ci: true,
    script: counted(Fault.Reset({ when: "midBody", count: 6 })),
    met: met("Reset", "applied")
  },
  {
    name: "truncated-json",
    shows: "comments are done, the answer is half of its JSON",
    script: counted(Fault.Truncated({ count: 4, match: comments })),
    met: met("Truncated", "applied")
  },
  {
    name: "empty-200",
    shows: "comments are done, the answer is 200 and empty",
    script: counted(Fault.EmptyOk({ when: "after", count: 4, match: comments })),
    met: met("EmptyOk", "applied")
  },
  {
    name: "201-without-id",
    shows: "comments are done, the answer has no id",
    // One for each work item. A fourth would meet a repetition and take the id out of its 409, which could then not be
    // adopted.
    script: counted(Fault.NoId({ count: 3, match: comments })),
    met: met("NoId", "applied")
  }
]
