import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { StageEventJson } from "../../src/domain/StageEvent.js"
import { commandLine } from "../cli/CommandLine.js"
import { send } from "./support.js"

const start = (args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [
        "--import",
        "tsx",
        fileURLToPath(new URL("../../src/simulator/main.ts", import.meta.url)),
        ...args
      ], { stdio: ["ignore", "pipe", "pipe"] })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const exitCode = (child: ChildProcess) =>
  Effect.async<number | null>((resume) => {
    child.once("exit", (code) => resume(Effect.succeed(code)))
  })

describe("as a process of its own", () => {
  it.scopedLive("says where it listens, serves, ends on SIGTERM; refuses a flag that means nothing", () =>
    Effect.gen(function*() {
      // Side by side: starting a process is most of the time this takes.
      const refused = yield* Effect.fork(Effect.flatMap(start(["--plane", "2.7"]), exitCode))
      const child = yield* start(["--port", "0", "--limit", "off", "--workspace", "marsh_lab", "--plane", "1.0"])
      const line = yield* Effect.async<string>((resume) => {
        child.stdout.once("data", (chunk: Buffer) => resume(Effect.succeed(chunk.toString())))
      })
      const ready: unknown = JSON.parse(line)
      const url = String(Reflect.get(Object(ready), "url"))
      const key = String(Reflect.get(Object(ready), "token"))
      assert.strictEqual((yield* send(`${url}/api/v1/users/me/`, "GET", { key })).status, 200)
      assert.strictEqual((yield* send(`${url}/api/v1/workspaces/marsh_lab/projects/`, "GET", { key })).status, 200)
      const items = `${url}/api/v1/workspaces/marsh_lab/work-items/ET-1/`
      assert.strictEqual((yield* send(items, "GET", { key })).text, `{"error": "Page not found."}`)
      child.kill("SIGTERM")
      const ended = yield* exitCode(child)
      assert.include([0, 130, 143], ended)
      assert.strictEqual(yield* Fiber.join(refused), 1)
    }))
})

describe("npm run simulator", () => {
  it.scopedLive("has five work items, and what it says to type points plane-sync at it", () =>
    Effect.gen(function*() {
      const child = yield* start(["--guide"])
      const said = yield* Effect.async<string>((resume) => {
        let text = ""
        child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk
          if (text.includes("/comments/")) resume(Effect.succeed(text))
        })
      })
      for (const line of said.split("\n")) assert.isAtMost(line.length, 80, line)
      const settings = Object.fromEntries(
        Array.from(said.matchAll(/export (\w+)=(\S+)/g), ([, name = "", value = ""]) => [name, value])
      )
      const cli = commandLine(settings)
      for (const key of ["ET-1", "ET-2", "ET-3", "ET-4", "ET-5"]) {
        const { code, out } = yield* cli("find", key)
        assert.strictEqual(code, 0, out)
        const [, name = "?"] = /name +(.+)/.exec(out) ?? []
        assert.include(said, `${key}       ${name}`)
      }
      // The curl for the other program, and the one for this.
      const [, event = ""] = /-d '(.*?)'/s.exec(said) ?? []
      assert.strictEqual(Schema.decodeUnknownEither(Schema.parseJson(StageEventJson))(event)._tag, "Right")
      const [, base = "", path = ""] = /P=(http\S+)\n +P=\$P(\S+)/.exec(said) ?? []
      const [, key = ""] = /K='X-API-Key: (\S+)'/.exec(said) ?? []
      assert.strictEqual(key, settings["ORCH_PLANE_API_TOKEN"])
      const asked = Array.from(said.matchAll(/\$P(\/\S*)$/gm), ([, rest = ""]) => `${base}${path}${rest}`)
      const [list, comments] = yield* Effect.forEach(asked.slice(-2), (url) => send(url, "GET", { key }))
      assert.include(list?.text ?? "", "Share a tour by link")
      assert.deepStrictEqual([list?.status, comments?.status], [200, 200])
    }))
})
