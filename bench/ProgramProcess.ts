import * as HttpClient from "@effect/platform/HttpClient"
import { Data, Effect, Schedule } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { freePort } from "./Port.js"

class DidNotStart extends Data.TaggedError("DidNotStart")<{ readonly path: string; readonly said: string }> {
  override get message(): string {
    return `${this.path} did not answer GET /health: ${this.said}`
  }
}

/** The program, and the bare program that it is compared with. */
export const programs = {
  program: fileURLToPath(new URL("../src/main.js", import.meta.url)),
  bare: fileURLToPath(new URL("BareApi.js", import.meta.url))
}

/**
 * Starts a program in a separate process with no settings but the given ones and `ORCH_PORT`. Waits until it answers
 * `GET /health`, and returns that answer. It is killed when the scope closes.
 */
export const startProgram = (path: string, args: ReadonlyArray<string>, settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const port = yield* freePort
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [path, ...args], {
          env: { PATH: process.env["PATH"], ORCH_PORT: String(port), ...settings },
          stdio: ["ignore", "ignore", "pipe"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (part: string) => {
      said += part
    })
    const health = Effect.flatMap(client.get(`http://127.0.0.1:${port}/health`), (response) => response.text)
    const answer = yield* health.pipe(
      Effect.retry(Schedule.spaced("2 millis")),
      Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => new DidNotStart({ path, said }) })
    )
    return { pid: child.pid ?? 0, health: answer }
  })
