import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { createServer } from "node:http"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { Pipeline } from "../../src/tasks/Pipeline.js"
import { TaskId } from "../../src/tasks/Task.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { commandLine } from "../cli/CommandLine.js"
import { folder, request, served, withPlane } from "../http/Server.js"
import { faster } from "../support/MovableClock.js"
import { isAlive, recorded, recording, started, until } from "./Agents.js"

const post = (url: string, path: string, body: unknown) =>
  request(`${url}/api/tasks${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

const passed = (url: string, key: string, stage: string) => post(url, `/${key}/report`, { stage, outcome: "passed" })

const told = (url: string) =>
  Effect.repeat(request(`${url}/health`), {
    until: ({ body }) => (body as { outbox: { pending: number } }).outbox.pending === 0
  })

/** How often Plane was asked about a work item itself, as it is before each launch. */
const looks = Effect.flatMap(
  PlaneSimulator,
  ({ requests }) =>
    Effect.map(requests, (all) => all.filter(({ kind, method }) => kind === "item" && method === "GET").length)
)

/** Another process stops the task. */
const stopped = (database: string) =>
  Effect.flatMap(TaskStore, (tasks) => tasks.stop(TaskId(1), "cancelled")).pipe(
    Effect.provide(TaskStore.layer.pipe(
      Layer.provide([
        Pipeline.layerDefault,
        projectsLayer,
        WakeUps.layerPolling("500 millis"),
        Storage.layerFile(database)
      ])
    ))
  )

const leftRunning = "process.env.PLANE_SYNC_ACTION === 'launch' && setInterval(() => {}, 1000)"

describe("serve with a command for agents", () => {
  it.live("starts each stage's agent once, says so in Plane, and stops it with its task", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Login form" })
      const home = yield* folder
      const database = `${home}/events.sqlite`
      const command = recording(home, leftRunning)
      const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_AGENT_COMMAND: JSON.stringify(command) })
      const { body } = yield* post(url, "", { workItem: key })
      const [analyst] = yield* started(home, 1)
      assert.containSubset(analyst, {
        env: { PLANE_SYNC_AGENT: "analyst", PLANE_SYNC_STAGE: "analysis", PLANE_SYNC_WORK_ITEM: key },
        stdin: { transition: (body as { entry: string }).entry }
      })
      assert.isFalse(Object.keys(analyst?.env ?? {}).some((name) => name.startsWith("ORCH_")))
      yield* passed(url, key, "analysis")
      const both = yield* started(home, 2)
      yield* told(url)
      const html = (yield* plane.comments(id)).map((comment) => comment.html).join("\n")
      assert.include(html, "🔄 Stage: analysis → architecture (launching architect)")
      assert.isAtLeast(yield* looks, 1)
      const architect = both.find(({ env }) => env["PLANE_SYNC_AGENT"] === "architect")
      yield* stopped(database)
      yield* until(() => !isAlive(architect?.pid ?? 0))
      // The analyst has reported, so its work is over, and its process is its own.
      assert.isTrue(isAlive(analyst?.pid ?? 0))
      process.kill(analyst?.pid ?? 0, "SIGKILL")
      assert.lengthOf(recorded(home), 2)
    }).pipe(Effect.scoped, withPlane))

  it.live("leaves agents running when it ends, and stops them by the command when it is back", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const settings = {
        ORCH_DATABASE_URL: `${home}/events.sqlite`,
        ORCH_PLANE_API_TOKEN: "",
        ORCH_AGENT_COMMAND: JSON.stringify(recording(home, leftRunning))
      }
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(served(settings), scope)
      yield* post(first, "", { workItem: "ET-1" })
      const [agent] = yield* started(home, 1)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(isAlive(agent?.pid ?? 0))
      const second = yield* served(settings)
      yield* stopped(settings.ORCH_DATABASE_URL)
      const all = yield* started(home, 2)
      assert.deepStrictEqual(all.map(({ env, stdin }) => [env["PLANE_SYNC_ACTION"], stdin.transition]), [
        ["launch", agent?.stdin.transition],
        ["stop", agent?.stdin.transition]
      ])
      assert.containSubset((yield* request(`${second}/api/tasks/ET-1`)).body, { status: "stopped" })
      process.kill(agent?.pid ?? 0, "SIGKILL")
    }).pipe(Effect.scoped, withPlane))
})

describe("serve with a webhook for agents", () => {
  it.live("tells it again until it is taken", () =>
    Effect.gen(function*() {
      const got: Array<string> = []
      const server = yield* Effect.acquireRelease(
        Effect.sync(() =>
          createServer((request, response) => {
            got.push([request.headers["x-plane-sync-event"], request.headers["x-plane-sync-delivery"]].join(" "))
            response.writeHead(got.length < 3 ? 503 : 202).end()
          }).listen(0, "127.0.0.1")
        ),
        (server) => Effect.sync(() => server.close())
      )
      const port = yield* until(() => {
        const address = server.address()
        return typeof address === "object" && address?.port
      })
      const url = yield* faster(5)(served({
        ORCH_PLANE_API_TOKEN: "",
        ORCH_AGENT_WEBHOOK: `http://127.0.0.1:${port}`,
        ORCH_AGENT_WEBHOOK_SECRET: "s3cret"
      }))
      const { body } = yield* post(url, "", { workItem: "ET-1" })
      const { entry } = body as { entry: string }
      yield* until(() => got.length === 3)
      assert.deepStrictEqual(got, [`launch ${entry}`, `launch ${entry}`, `launch ${entry}`])
      yield* Effect.repeat(request(`${url}/api/tasks/ET-1`), {
        until: ({ body }) => (body as { launch: { state: string } | null }).launch?.state === "working"
      })
      yield* Effect.sleep("500 millis")
      assert.lengthOf(got, 3)
    }).pipe(Effect.scoped, withPlane))
})

describe("serve with nobody to launch agents", () => {
  it.live("says of no agent that it is launched, or at work", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Login form" })
      const database = `${yield* folder}/events.sqlite`
      const url = yield* served({ ORCH_DATABASE_URL: database })
      yield* post(url, "", { workItem: key })
      yield* passed(url, key, "analysis")
      yield* told(url)
      const html = (yield* plane.comments(id)).map((comment) => comment.html).join("\n")
      assert.include(html, "created → analysis")
      assert.include(html, "analysis → architecture")
      assert.notInclude(html, "launching")
      const shown = Effect.map(
        request(`${url}/api/tasks/${key}`),
        ({ body }) => body as { agent: string; launch: unknown }
      )
      const { agent } = yield* Effect.repeat(shown, { until: ({ launch }) => launch === null })
      assert.strictEqual(agent, "architect")
      const cli = commandLine({ ORCH_DATABASE_URL: database })
      assert.match((yield* cli("task", "show", key)).out, /^launch +none$/m)
      assert.strictEqual(yield* looks, 0)
    }).pipe(Effect.scoped, withPlane))

  it.live("tells a host's own event as it is", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Login form" })
      const url = yield* served()
      yield* request(`${url}/api/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ type: "stage_changed", workItem: key, from: "a", to: "analysis", agent: "analyst" })
      })
      yield* told(url)
      assert.include((yield* plane.comments(id))[0]?.html, "a → analysis (launching analyst)")
    }).pipe(Effect.scoped, withPlane))

  it.live("the command line owes a launch to a serve that launches, whatever its own settings are", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const settings = { ORCH_DATABASE_URL: `${home}/events.sqlite`, ORCH_PLANE_API_TOKEN: "" }
      const cli = commandLine({ ...settings, ORCH_PORT: "1" })
      yield* cli("task", "start", "ET-1")
      const override = ["--override", "--by", "lea", "--reason", "by hand"]
      const { code } = yield* cli("task", "report", "ET-1", "passed", "--stage", "created", ...override)
      assert.strictEqual(code, 0)
      const url = yield* served({ ...settings, ORCH_AGENT_COMMAND: JSON.stringify(recording(home)) })
      const [agent] = yield* started(home, 1)
      assert.strictEqual(agent?.env["PLANE_SYNC_AGENT"], "analyst")
      const { body } = yield* request(`${url}/api/events?workItem=ET-1`)
      assert.notInclude(JSON.stringify(body), "analyst")
    }).pipe(Effect.scoped, withPlane))
})
