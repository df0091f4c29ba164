import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { createHmac } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { folder } from "../http/Server.js"
import { freePort } from "../main/Child.js"
import { killed } from "../support/OtherProcess.js"
import { program, until } from "./Agents.js"

const page = readFileSync(fileURLToPath(new URL("../../docs/agents.md", import.meta.url)), "utf8")

/** The example of docs/agents.md in a language. */
const example = (language: string) =>
  new RegExp(`<!-- test/launching/Examples[^\\n]*\\n\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "none"

describe("the examples of docs/agents.md", () => {
  it.scoped("in shell starts a container, reports how it ended, does nothing twice, and stops it", () =>
    Effect.gen(function*() {
      const home = yield* folder
      // They say what they were asked to do. Only containers named in KNOWN are there.
      program(home, "docker", [
        "#!/bin/sh",
        "test \"$1\" = inspect && exec test \"$2\" = \"$KNOWN\"",
        "echo docker \"$@\"; test \"$1\" = run && cat && exit \"$ENDS\""
      ])
      program(home, "plane-sync", ["#!/bin/sh", "echo plane-sync \"$@\""])
      const path = program(home, "agent", [example("sh")])
      const run = (variables: Readonly<Record<string, string>>) => {
        const { status, stderr, stdout } = spawnSync(path, {
          input: "{}\n",
          encoding: "utf8",
          env: {
            PATH: `${home}:${process.env["PATH"] ?? ""}`,
            PLANE_SYNC_ACTION: "launch",
            PLANE_SYNC_TRANSITION: "7",
            PLANE_SYNC_AGENT: "analyst",
            PLANE_SYNC_WORK_ITEM: "ET-2",
            PLANE_SYNC_STAGE: "analysis",
            KNOWN: "",
            ENDS: "0",
            ...variables
          }
        })
        return { status, stderr, lines: stdout.trimEnd().split("\n") }
      }
      const started = "docker run --rm --interactive --name agent-7 my-agents/analyst"
      const reports = (outcome: string) => `plane-sync task report ET-2 ${outcome} --stage analysis`
      assert.deepStrictEqual(run({}), { status: 0, stderr: "", lines: [started, "{}", reports("passed")] })
      assert.deepStrictEqual(run({ ENDS: "3" }).lines, [started, "{}", reports("failed")])
      assert.deepStrictEqual(run({ KNOWN: "agent-7" }), { status: 0, stderr: "", lines: [""] })
      assert.deepStrictEqual(run({ PLANE_SYNC_ACTION: "stop" }).lines, ["docker rm --force agent-7"])
    }))

  it.scopedLive("in Python takes what is signed, and nothing else", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const receiver = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn("python3", ["-c", example("python")], {
            env: { PATH: process.env["PATH"], PORT: String(port), AGENT_SECRET: "s3cret" },
            stdio: ["ignore", "pipe", "ignore"]
          })
        ),
        killed
      )
      let out = ""
      receiver.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString()
      })
      const body = JSON.stringify({ action: "launch", agent: "analyst", workItem: "ET-2" })
      const send = (signature: string) =>
        Effect.tryPromise(() =>
          fetch(`http://127.0.0.1:${port}/`, {
            method: "POST",
            body,
            headers: { "x-plane-sync-signature": signature }
          })
        ).pipe(Effect.map(({ status }) => status), Effect.retry({ times: 200, schedule: Schedule.spaced("50 millis") }))
      assert.strictEqual(yield* send("0".repeat(64)), 401)
      assert.strictEqual(yield* send(createHmac("sha256", "s3cret").update(body).digest("hex")), 202)
      yield* until(() => out === "launch analyst for ET-2\n")
    }))
})
