import { assert, describe } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { chmod, writeFile } from "node:fs/promises"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { commandLine } from "../cli/CommandLine.js"
import { folder, post, request, served } from "../http/Server.js"
import { fileOf } from "../launching/Agents.js"
import { freePort, listening, run, start } from "./Child.js"
import { onProgram } from "./OnProgram.js"

// Slow enough that there is always something under way.
const withPlane = Effect.provide(PlaneSimulator.layer({ latency: 100 }))

const pending = (url: string) =>
  Effect.map(request(`${url}/health`), ({ body }) => (body as { outbox: { pending: number } }).outbox.pending)

const completed = (workItem: string) => JSON.stringify({ type: "task_completed", workItem })

onProgram((it) =>
  describe.concurrent("the program", () => {
    it.scoped(
      "needs only the three settings of Plane, ends on SIGTERM, and goes on after it",
      () =>
        Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          const items = yield* Effect.forEach(["a", "b", "c"], (name) => plane.addWorkItem({ name }))
          const cwd = yield* folder
          yield* Effect.promise(() =>
            writeFile(
              `${cwd}/.env`,
              `ORCH_PLANE_API_URL=${plane.url}\nORCH_PLANE_API_TOKEN=${plane.token}\nORCH_PLANE_WORKSPACE_SLUG=ag_proj\n`
            )
          )
          const settings = { ORCH_PORT: String(yield* freePort) }
          const url = `http://127.0.0.1:${settings.ORCH_PORT}`
          const first = yield* start([], { cwd, settings })
          yield* listening(first)

          // Another one on the same address says so in a line, and does nothing else.
          const second = yield* Effect.fork(run(["serve"], { cwd, settings }))

          for (const { key } of items) assert.strictEqual((yield* post(url, completed(key))).status, 202)
          const taken = yield* Fiber.join(second)
          assert.strictEqual(taken.code, 1)
          assert.match(taken.err, /^plane-sync: 127\.0\.0\.1:\d+ is in use[^\n]+\n$/)

          const database = `${cwd}/data/plane-sync.sqlite`
          const cli = commandLine({ ...settings, ORCH_DATABASE_URL: database })
          assert.deepStrictEqual(yield* cli("publish", "completed", "ET-1", "--id", "cli"), {
            code: 0,
            out: "cli",
            err: ""
          })
          // One after the other: more than can be told while it stops.
          for (let i = 0; i < 6; i++) yield* post(url, completed("ET-2"))
          const before = yield* Clock.currentTimeMillis
          yield* first.signal("SIGTERM")
          assert.strictEqual(yield* first.ended, 0)
          assert.isBelow((yield* Clock.currentTimeMillis) - before, 10_000)

          const next = yield* served({ ORCH_DATABASE_URL: database })
          assert.isAbove(yield* pending(next), 0)
          yield* Effect.repeat(Effect.zipLeft(pending(next), Effect.sleep("20 millis")), {
            until: (count) => count === 0
          })
          const told = yield* Effect.forEach(items, ({ id }) => Effect.map(plane.comments(id), ({ length }) => length))
          assert.deepStrictEqual(told, [2, 7, 1])
        }).pipe(withPlane),
      180_000
    )

    it.scoped("says in a line each which settings are wrong, and what would be right", () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const settings = { ORCH_PLANE_API_URL: "nonsense", ORCH_PORT: "http", ORCH_API_TOKEN: "s3cr et" }
        const { code, err, out } = yield* run([], { cwd, settings })
        assert.deepStrictEqual([code, out], [1, ""])
        const lines = err.trimEnd().split("\n")
        assert.strictEqual(lines.length, 3)
        assert.match(
          err,
          /^plane-sync: ORCH_PLANE_API_URL: "nonsense" is not a URL: expected Plane's address, like "http/m
        )
        assert.match(err, /^plane-sync: ORCH_PORT: "http" is not a port: expected a number/m)
        assert.notInclude(err, "s3cr")
      }))

    it.scoped("warns of variables that are probably mistyped, and of no others", () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        // In parts, because no test may name a setting that there is not.
        const [plane, gitea] = ["ORCH_PLANE_", "ORCH_GITEA_"]
        const [inFile, inEnvironment, named] = [`${plane}API_TOKN`, `${gitea}COLOUR`, `${plane}WEB_TOKEN`]
        yield* Effect.promise(() => writeFile(`${cwd}/.env`, `${inFile}=x\nORCH_CONFIG=plane-sync.json\n`))
        const projects = { WEB: { apiToken: named, stages: { done: "Done" } } }
        yield* Effect.promise(() => writeFile(`${cwd}/plane-sync.json`, JSON.stringify({ projects })))
        const settings = { ORCH_PORT: "0", [inEnvironment]: "x", [named]: "x", MY_OWN: "x" }
        const child = yield* start(["serve"], { cwd, settings })
        yield* listening(child)
        const lines = (yield* child.output).err.split("\n").flatMap((line) =>
          /"([^"]* is no setting[^"]*)"/.exec(line) ?? []
        )
        assert.deepStrictEqual(lines.filter((line) => line.startsWith("ORCH")), [
          `${inEnvironment} is no setting: docs/settings.md has all there are`,
          `${inFile} is no setting: is ORCH_PLANE_API_TOKEN meant?`
        ])
      }), 180_000)

    it.scoped("takes no command from a .env that others can write to; from the environment it does", () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const file = `${cwd}/.env`
        yield* Effect.promise(() =>
          writeFile(file, "ORCH_AGENT_COMMAND=true\nORCH_PLANE_API_TOKEN=\n")
        )
        for (const [mode, words] of [[0o666, "0666"], [0o620, "0620"]] as const) {
          yield* Effect.promise(() => chmod(file, mode))
          const { code, err } = yield* run(["serve"], { cwd })
          assert.strictEqual(code, 1)
          assert.match(
            err,
            new RegExp(`^plane-sync: ORCH_AGENT_COMMAND: \\S+/\\.env has the mode ${words}, so others can`)
          )
        }
        // Other settings may come from it, and other commands do not care.
        const settings = { ORCH_PORT: String(yield* freePort) }
        const child = yield* start(["serve"], { cwd, settings: { ...settings, ORCH_AGENT_COMMAND: "true" } })
        yield* listening(child)
        yield* Effect.promise(() => chmod(file, 0o600))
        const other = yield* start(["serve"], { cwd: cwd, settings: { ORCH_PORT: "0", ORCH_DATABASE_URL: "other" } })
        yield* listening(other)
      }), 180_000)

    it.scoped("ends without its agents, which may print on after its end", () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const script = "const { existsSync, writeFileSync } = require('node:fs'); setInterval(() => { " +
          "console.log('still here'); if (existsSync('ended')) { writeFileSync('printed', 'yes'); process.exit() } }, 20)"
        const settings = {
          ORCH_PORT: String(yield* freePort),
          ORCH_PLANE_API_TOKEN: "",
          ORCH_AGENT_COMMAND: JSON.stringify([process.execPath, "-e", script])
        }
        const child = yield* start(["serve"], { cwd, settings })
        yield* listening(child)
        yield* request(`http://127.0.0.1:${settings.ORCH_PORT}/api/tasks`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ workItem: "ET-1" })
        })
        yield* Effect.repeat(Effect.zipLeft(child.output, Effect.sleep("20 millis")), {
          until: ({ err }) =>
            err.includes("analyst for ET-1 at analysis: still here")
        })
        yield* child.signal("SIGTERM")
        assert.strictEqual(yield* child.ended, 0)
        yield* Effect.promise(() => writeFile(`${cwd}/ended`, ""))
        yield* fileOf(`${cwd}/printed`)
      }), 180_000)

    it.scoped(
      "starts without a token, says so once, and keeps what is published; a second signal ends it at once",
      () =>
        Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          const cwd = yield* folder
          const settings = { ORCH_PORT: String(yield* freePort), ORCH_PLANE_API_URL: plane.url }
          const url = `http://127.0.0.1:${settings.ORCH_PORT}`
          const child = yield* start(["serve"], { cwd, settings })
          yield* listening(child)
          assert.strictEqual((yield* post(url, completed("ET-1"))).status, 202)
          assert.strictEqual(yield* pending(url), 1)
          const { err } = yield* child.output
          assert.strictEqual(err.match(/ORCH_PLANE_API_TOKEN is not set/g)?.length, 1)
          assert.include(err, "\"logLevel\":\"ERROR\"")
          assert.deepStrictEqual(yield* plane.requests, [])
          yield* child.signal("SIGINT")
          assert.strictEqual(yield* child.ended, 0)

          const item = yield* plane.addWorkItem({ name: "a" })
          yield* plane.misbehave({ _tag: "Silent", match: { kind: "identifier" } })
          const again = yield* start(["serve"], { cwd, settings: { ...settings, ORCH_PLANE_API_TOKEN: plane.token } })
          yield* listening(again)
          yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), plane.requests), {
            until: (requests) => requests.some(({ kind }) => kind === "identifier")
          })
          const before = yield* Clock.currentTimeMillis
          yield* again.signal("SIGTERM")
          yield* Effect.sleep("300 millis")
          yield* again.signal("SIGTERM")
          assert.strictEqual(yield* again.ended, "SIGTERM")
          assert.isBelow((yield* Clock.currentTimeMillis) - before, 3000)
          assert.deepStrictEqual(yield* plane.comments(item.id), [])
        }).pipe(withPlane),
      180_000
    )
  })
)
