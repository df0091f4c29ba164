import { Effect } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import { lateMillis } from "../Row.js"
import type { Scene, Script, Seen, Task } from "../Scene.js"
import { answered, met } from "./Fault.js"

/** Requests that make a link, and requests that delete one. */
const additions = { method: "POST", kind: "links" } as const
const removals = { method: "DELETE", kind: "link" } as const

const log = ({ key }: Task, run: number) => ({ kind: "log", url: `https://ci.example.com/${key}/runs/${run}` })

/** Publishes an event with a log of its own about each task. */
const logs = ({ linked, tasks }: Scene, run: number) =>
  Effect.forEach(tasks, (task) => linked(task, log(task, run)), { discard: true })

/** Every task has a log. Then the fault begins, and another log takes its place. */
const replaced = (fault: Fault): Script => (scene) =>
  Effect.gen(function*() {
    yield* logs(scene, 1)
    yield* scene.told()
    yield* scene.plane.misbehave(fault)
    yield* logs(scene, 2)
  })

const answeredTo = (kind: string, method: string, code: number) => ({ requests }: Seen): number =>
  requests.filter((each) => each.kind === kind && each.method === method && each.status === code).length

/** A link is made once, whatever its request was answered, and the one before it goes. */
export const links: ReadonlyArray<Row> = [
  {
    name: "link-500",
    shows: "links are answered 500, and not made",
    script: replaced(Fault.Status({ status: 500, count: 4, match: additions })),
    met: met("Status")
  },
  {
    name: "link-502-after-applying",
    shows: "links are made and answered 502",
    ci: true,
    script: replaced(Fault.Status({ status: 502, html: true, when: "after", count: 3, match: additions })),
    met: met("Status", "applied")
  },
  {
    name: "link-reset",
    shows: "links are made, and the connection is reset instead of an answer",
    script: replaced(Fault.Reset({ when: "after", count: 3, match: additions })),
    met: met("Reset", "applied")
  },
  {
    name: "late-link",
    shows: "links are made 1.5 s after the client gave up, other ones take their place by then",
    ci: true,
    script: (scene) =>
      Effect.gen(function*() {
        yield* replaced(Fault.ApplyLate({ afterMillis: lateMillis, count: 3, match: additions }))(scene)
        yield* scene.received(3, ({ fault }) => fault === "ApplyLate")
        yield* logs(scene, 3)
        // Until then Plane looks as it should.
        yield* scene.received(3, ({ applied, fault }) => fault === "ApplyLate" && applied)
      }),
    met: ({ requests }) =>
      requests.filter(({ applied, clientGone, fault }) => fault === "ApplyLate" && applied && clientGone).length
  },
  {
    name: "link-429",
    shows: "a link is answered 429 with Retry-After: 1",
    script: replaced(Fault.TooMany({ count: 2, retryAfter: "1", match: additions })),
    met: answered(429)
  },
  {
    name: "link-refused",
    shows: "a link is refused with 400 Invalid URL: it is given up, and its work item goes on",
    script: (scene) =>
      Effect.gen(function*() {
        const { check, linked, plane, round, said, tasks, told } = scene
        const [task] = tasks
        yield* logs(scene, 1)
        yield* told()
        const body = JSON.stringify({ url: ["Invalid URL format."] })
        yield* plane.misbehave(Fault.Status({ status: 400, body, match: { ...additions, text: "/page" } }))
        yield* linked(task, { kind: "page", url: "https://ci.example.com/page" }, "given up")
        yield* round(1)
        yield* told()
        yield* logs(scene, 2)
        yield* told()
        yield* check((yield* said("Invalid URL format.")) === 1, "the log does not say once why the link was given up")
      }),
    met: answeredTo("links", "POST", 400)
  },
  {
    name: "link-there",
    shows: "a person has made the same link: it is not made twice, and stays when ours is replaced",
    script: (scene) =>
      Effect.gen(function*() {
        const { plane, tasks, told } = scene
        yield* Effect.forEach(tasks, (task) => {
          const { url } = log(task, 1)
          task.links.push({ kind: "a person's link", url })
          return plane.addPersonLink(task.id ?? "", url)
        })
        yield* logs(scene, 1)
        yield* told()
        yield* scene.received(3, ({ kind, method, status }) => kind === "links" && method === "POST" && status === 400)
        yield* logs(scene, 2)
      }),
    met: answeredTo("links", "POST", 400)
  },
  {
    name: "unlink-404",
    shows: "a person has deleted our link before another one takes its place",
    script: (scene) =>
      Effect.gen(function*() {
        const { plane, tasks, told } = scene
        yield* logs(scene, 1)
        yield* told()
        yield* Effect.forEach(tasks, ({ id = "" }) =>
          Effect.flatMap(plane.links(id), (links) =>
            Effect.forEach(links, (each) => plane.deleteLink(each.id))))
        yield* logs(scene, 2)
        yield* told()
        yield* scene.received(3, ({ kind, method }) =>
          kind === "link" && method === "DELETE")
      }),
    met: answeredTo("link", "DELETE", 404)
  },
  {
    name: "unlink-502",
    shows: "links are deleted and answered 502; deleting them again is answered 404",
    script: (scene) =>
      Effect.gen(function*() {
        yield* replaced(Fault.Status({ status: 502, html: true, when: "after", count: 3, match: removals }))(scene)
        yield* scene.received(3, ({ kind, method, status }) => kind === "link" && method === "DELETE" && status === 404)
      }),
    met: met("Status", "applied")
  }
]
