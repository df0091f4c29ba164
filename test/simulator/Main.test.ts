import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
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
