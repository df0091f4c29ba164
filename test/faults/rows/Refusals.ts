import { Effect } from "effect"
import type { Scope } from "effect"
import * as Http from "node:http"
import type { PlaneSimulator } from "../../../src/simulator/PlaneSimulator.js"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import type { Script } from "../Scene.js"
import { answered, comments, met } from "./Fault.js"

/** One comment about the first task is refused, and everything else is taken. */
const oneRefused =
  (fault: Pick<ReturnType<typeof Fault.Status>, "status" | "html" | "body">): Script =>
  ({ gate, plane, round, tasks, told }) =>
    Effect.gen(function*() {
      const [task] = tasks
      yield* round(1)
      yield* told()
      // A refusal is believed when it is repeated.
      yield* plane.misbehave(Fault.Status({ ...fault, count: 2, match: { ...comments, workItem: task.id ?? "" } }))
      yield* gate(task, "dead")
      yield* round(2)
    })

/** Another host, which must never get a request, because that would hand it the API token. */
const stranger: Effect.Effect<{ readonly url: string; readonly asked: () => number }, never, Scope.Scope> = Effect.gen(
  function*() {
    let asked = 0
    const server = Http.createServer((_, response) => {
      asked += 1
      response.end("{}")
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { url: `http://127.0.0.1:${port}/`, asked: () => asked }
  }
)

const foreign = "Of a file that is not there any more"

/** Adds a comment with other content under an external id of ours. */
const alreadyThere = (plane: PlaneSimulator["Type"], workItem: string, id: string) =>
  Effect.promise(() =>
    fetch(
      `${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/work-items/${workItem}/comments/`,
      {
        method: "POST",
        headers: { "x-api-key": plane.token, "content-type": "application/json" },
        body: JSON.stringify({
          comment_html: `<p>${foreign}</p>`,
          external_source: "plane-sync",
          external_id: `${id}:${workItem}`
        })
      }
    )
  )

/** Plane answers, and refuses. */
export const refusals: ReadonlyArray<Row> = [
  {
    name: "400",
    shows: "one comment is refused: a dead letter, its work item goes on",
    ci: true,
    dead: 1,
    script: oneRefused({ status: 400, body: JSON.stringify({ comment_html: ["Not a valid string."] }) }),
    met: answered(400)
  },
  {
    name: "413",
    shows: "one comment is too large for a proxy: a dead letter",
    dead: 1,
    script: oneRefused({ status: 413, html: true }),
    met: answered(413)
  },
  {
    name: "400-after-applying",
    shows: "comments are done and answered 400: asked for once more, adopted, none is a dead letter",
    ci: true,
    script: ({ plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        // Meets each task's next comment. Its repetition must be answered as Plane does.
        yield* plane.misbehave(Fault.Status({ status: 400, when: "after", count: 3, match: comments }))
        yield* round(2)
      }),
    met: met("Status", "applied")
  },
  {
    name: "joined-refused",
    shows: "one comment for 31 events, of which Plane dislikes one: split, and only that one is a dead letter",
    ci: true,
    dead: 1,
    script: ({ check, plane, received, round, seen, stage, tasks, told }) =>
      Effect.gen(function*() {
        const [task] = tasks
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Down({}))
        const before = (yield* plane.requests).length
        // The 18th of the 31 events has the text that Plane dislikes.
        for (let index = 0; index < 31; index++) {
          yield* stage(task, index === 17 ? "disliked" : `step ${index}`, index === 17 ? "dead" : "told")
        }
        yield* received(2, ({ sequence }) => sequence > before)
        yield* plane.calm
        yield* plane.misbehave(Fault.Status({ status: 400, match: { ...comments, text: "→ disliked" } }))
        yield* told()
        const refused = (yield* seen).requests.filter(({ status }) => status === 400).length
        yield* check(refused <= 7, `${refused} requests to find one of 31, expected at most log2(31) + 2`)
      }),
    met: answered(400)
  },
  {
    name: "id-reused",
    shows: "Plane has another comment under our external id, as from a file that was renewed: told under a second id",
    ci: true,
    script: ({ plane, round, stageAs, tasks, told }) =>
      Effect.gen(function*() {
        const [task] = tasks
        yield* round(1)
        yield* told()
        yield* alreadyThere(plane, task.id ?? "", "run-1")
        task.lines.push(foreign)
        yield* stageAs(task, "testing", "run-1")
      }),
    met: answered(409)
  },
  {
    name: "member-removed",
    shows: "the API token's user is put out of the project, where Plane still shows it, and is back after 2 s",
    ci: true,
    script: ({ over, plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.leaveProject()
        yield* round(2)
        yield* Effect.sleep("2 seconds")
        yield* plane.joinProject()
        yield* over
      }),
    met: answered(403)
  },
  {
    name: "made-a-guest",
    shows: "the API token's user is made a guest, who may comment and move nothing, for 2 s",
    script: ({ over, plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.setRole("guest")
        yield* round(2)
        yield* Effect.sleep("2 seconds")
        yield* plane.setRole("member")
        yield* over
      }),
    met: answered(403)
  },
  {
    name: "project-archived",
    shows: "the project is archived for 2 s: its work items seem to be gone, and nothing is a dead letter",
    ci: true,
    script: ({ over, plane, received, round, task, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        const late = yield* task("Made before it was archived")
        const before = (yield* plane.requests).length
        yield* plane.archiveProject()
        yield* round(2, [late])
        yield* received(1, ({ sequence, status }) => sequence > before && status === 404)
        yield* Effect.sleep("2 seconds")
        yield* plane.restoreProject()
        yield* over
        yield* round(2)
      }),
    met: answered(404)
  },
  {
    name: "404-path-family",
    shows: "an older Plane without /work-items/: /issues/ is used",
    script: ({ check, plane, round, seen, told }) =>
      Effect.gen(function*() {
        const body = JSON.stringify({ error: "Page not found." })
        yield* plane.misbehave(Fault.Status({ status: 404, body, match: { path: "/work-items/" } }))
        yield* round(1)
        yield* round(2)
        yield* told()
        const { requests } = yield* seen
        const unknown = requests.filter(({ path }) => path.includes("/work-items/")).length
        yield* check(unknown <= 3, `the path that Plane does not know was asked ${unknown} times`)
      }),
    met: answered(404)
  },
  {
    name: "no-search",
    shows: "a Plane of 0.20 to 0.27, which has no search and here no path by key: the list is read, and nothing closes",
    ci: true,
    script: ({ check, plane, round, seen, told }) =>
      Effect.gen(function*() {
        const body = JSON.stringify({ error: "Page not found." })
        yield* plane.misbehave(Fault.Status({ status: 404, body, match: { kind: "search" } }))
        yield* plane.misbehave(Fault.Status({ status: 404, body, match: { kind: "identifier" } }))
        yield* plane.misbehave(Fault.Status({ status: 404, body, match: { path: "/work-items/" } }))
        yield* round(1)
        yield* round(2)
        yield* told()
        const { requests } = yield* seen
        const pages = requests.filter(({ kind }) => kind === "items").length
        yield* check(pages > 0 && pages <= 6, `the list was read by ${pages} requests`)
      }),
    met: answered(404)
  },
  {
    name: "409-of-ours",
    shows: "the comment is there, as after a crash: adopted, not doubled",
    ci: true,
    script: ({ check, plane, round, seen, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Reset({ when: "after", count: 5, match: comments }))
        yield* round(2)
        yield* told()
        yield* Effect.repeat(seen, { until: ({ requests }) => requests.some(({ status }) => status === 409) }).pipe(
          Effect.timeoutOption("10 seconds")
        )
        yield* check(answered(409)(yield* seen) > 0, "no repetition was answered 409")
      }),
    met: met("Reset", "applied")
  },
  {
    name: "301-elsewhere",
    shows: "redirected to another host for 2 s: never followed with the API token",
    script: ({ check, over, plane, round, told }) =>
      Effect.gen(function*() {
        const { asked, url } = yield* stranger
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Status({ status: 301, html: true, headers: { Location: url } }))
        yield* round(2)
        yield* Effect.sleep("2 seconds")
        yield* plane.calm
        yield* over
        yield* told()
        yield* check(asked() === 0, `the other host was asked ${asked()} times`)
      }),
    met: answered(301)
  },
  {
    name: "token-revoked",
    shows: "the API token is revoked in mid-run, and valid again after 2 s",
    ci: true,
    script: ({ over, plane, round, told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* plane.revokeToken
        yield* round(2)
        yield* Effect.sleep("2 seconds")
        yield* plane.restoreToken
        yield* over
      }),
    met: answered(403)
  },
  {
    name: "500-on-one-item",
    shows: "one work item is answered 500 for 2 s: the others do not wait",
    ci: true,
    script: ({ check, over, plane, round, seen, tasks, told }) =>
      Effect.gen(function*() {
        const [sick, ...others] = tasks
        yield* round(1)
        yield* told()
        yield* plane.misbehave(Fault.Status({ status: 500, match: { workItem: sick.id ?? "" } }))
        yield* round(2)
        const inTime = yield* Effect.timeoutOption(told(others), "2 seconds")
        yield* check(inTime._tag === "Some", "the other work items waited for the one in trouble")
        yield* Effect.sleep("2 seconds")
        const { requests } = yield* seen
        yield* check(requests.filter(({ fault }) => fault !== null).length > 2, "it was not tried again")
        yield* plane.calm
        yield* over
      }),
    met: met("Status")
  },
  {
    name: "poison",
    shows: "one event always fails, another is not fit: dead letters after 8 attempts and none, nobody stops",
    ci: true,
    dead: 2,
    script: ({ check, gate, plane, round, seen, tasks, told, unknown }) =>
      Effect.gen(function*() {
        const [sick, ...others] = tasks
        yield* round(1)
        yield* told()
        const match = { ...comments, workItem: sick.id ?? "" }
        yield* plane.misbehave(Fault.Status({ status: 500, count: 8, match }))
        yield* gate(unknown("not a key"), "dead")
        yield* gate(sick, "dead")
        yield* round(2)
        const inTime = yield* Effect.timeoutOption(told(others), "2 seconds")
        yield* check(inTime._tag === "Some", "the other work items waited for the one in trouble")
        yield* told()
        const tries = (yield* seen).requests.filter(({ fault }) => fault !== null).length
        yield* check(tries === 8, `it was sent ${tries} times, expected 8`)
      }),
    met: met("Status")
  }
]
