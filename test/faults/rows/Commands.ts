import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import type { WebhookRequest } from "../../../src/simulator/PlaneSimulator.js"
import { build } from "../../crash/Build.js"
import * as Child from "../../crash/Child.js"
import { freePort } from "../../support/FreePort.js"
import type { Row } from "../Row.js"
import { settings } from "../Row.js"

const secret = "plane_wh_of_the_row"

const project = {
  projects: {
    ET: {
      pipeline: [
        { stage: "created", state: "Todo", gates: ["started"] },
        { stage: "release", state: "In Progress", gates: ["human"] },
        { stage: "done", state: "Done" }
      ]
    }
  }
}

/** Commands in comments: done once, whatever becomes of their hooks and of the process. */
export const commands: ReadonlyArray<Row> = [
  {
    name: "approve-three-times",
    shows:
      "the hook of one /approve comes three times, and the process is killed after the first and after the reply: " +
      "approved once, answered once",
    deadlineSeconds: 60,
    script: (scene) =>
      Effect.gen(function*() {
        const { check, database, plane, received, round, task } = scene
        const hooks: Array<WebhookRequest> = []
        yield* plane.registerWebhook({
          url: "http://kept.test/",
          secret,
          send: (request) =>
            Effect.sync(() => {
              if (request.headers["X-Plane-Event"] === "issue_comment") hooks.push(request)
              return 202
            })
        })
        const files = yield* FileSystem.FileSystem
        const { program } = yield* build
        // Beside the file of the pipeline, so that it is kept when the row fails.
        const directory = `${database}.program`
        yield* files.makeDirectory(directory)
        yield* files.writeFileString(`${directory}/plane-sync.json`, JSON.stringify(project))
        const port = yield* freePort
        const start = Effect.gen(function*() {
          const child = yield* Child.start({
            program: "plane-sync",
            script: program,
            args: ["serve"],
            env: {
              ORCH_PLANE_API_URL: plane.url,
              ORCH_PLANE_API_TOKEN: plane.token,
              ORCH_PLANE_WORKSPACE_SLUG: plane.workspace,
              ...settings,
              ORCH_CONFIG: "plane-sync.json",
              ORCH_DATABASE_URL: `${directory}/plane-sync.sqlite`,
              ORCH_PORT: String(port),
              ORCH_PLANE_WEBHOOK_SECRET: secret,
              ORCH_COMMANDS: plane.person.id
            },
            cwd: directory,
            log: `${directory}/log`,
            wanted: (line) => line.includes("plane-sync listens on")
          })
          yield* child.line
          return child
        })
        const post = (path: string, headers: Readonly<Record<string, string>>, body: string) =>
          Effect.promise(async () => {
            const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body })
            await response.text()
            return response.status
          })
        const killed = (child: Child.Child) => Effect.zipRight(Effect.sync(() => child.kill()), child.end)

        yield* round(1)
        const released = yield* task("Release")
        const id = released.id ?? ""
        const told = (words: string) =>
          received(1, ({ applied, body, kind, method, path }) =>
            applied && kind === "comments" && method === "POST" && path.includes(id) && body.includes(words))

        const first = yield* start
        const json = { "content-type": "application/json" }
        yield* check(
          (yield* post("/api/tasks", json, JSON.stringify({ workItem: released.key }))) < 300,
          "no task began"
        )
        released.lines.push(
          "🔄 Stage: created → release",
          "🙋 release waits for a person: write /approve, or /reject with the reason, as a comment.",
          "/approve",
          `✅ /approve (${plane.person.name}): release is approved`,
          "🔄 Stage: release → done",
          "✅ Task completed! PR merged and deployed."
        )
        released.state = "Done"
        yield* told("waits for a person")
        hooks.length = 0
        yield* plane.addPersonComment(id, "<p>/approve</p>")
        yield* Effect.repeat(Effect.sleep("20 millis"), {
          until: () =>
            hooks.length > 0
        })
        const [hook] = hooks.splice(0)
        const deliver = Effect.suspend(() =>
          post("/webhooks/plane", hook?.headers ?? {}, hook?.body ?? "")
        )

        yield* check((yield* deliver) < 300, "the first hook was not taken")
        yield* killed(first)
        const second = yield* start
        yield* check((yield* deliver) < 300, "the second hook was not taken")
        yield* told("✅ /approve")
        yield* killed(second)
        yield* start
        yield* check((yield* deliver) < 300, "the third hook was not taken")
        yield* told("Task completed")
      }).pipe(Effect.provide(NodeContext.layer), Effect.orDie),
    met: ({ requests }) => requests.filter(({ body }) => body.includes("release is approved")).length
  }
]
