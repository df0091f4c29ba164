import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Data, Effect, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Fault } from "../src/simulator/Faults.js"

/** A simulated Plane in a process of its own, as its users see it. */
export interface SimulatorProcess {
  readonly url: string
  readonly token: string
  /** Ends the fault before; `undefined` is healthy. */
  readonly misbehave: (fault: Fault | undefined) => Effect.Effect<void, unknown>
  readonly addWorkItem: (name: string) => Effect.Effect<void, unknown>
}

export class SimulatorDidNotStart extends Data.TaggedError("SimulatorDidNotStart")<{ readonly detail: string }> {
  override get message(): string {
    return `The simulated Plane did not start: ${this.detail}`
  }
}

const Started = Schema.parseJson(Schema.Struct({ url: Schema.String, token: Schema.String }))

const root = fileURLToPath(new URL("..", import.meta.url))

// It ends with our end of its stdin, however we end: nothing is left behind by a bench that was killed.
const endsWithParent = `data:text/javascript,process.stdin.resume().on("end",()=>process.exit())`

const child = Effect.acquireRelease(
  Effect.sync(() =>
    spawn(
      process.execPath,
      ["--import", endsWithParent, "--import", "tsx", "src/simulator/main.ts", "--limit", "off", "--record", "1000"],
      { cwd: root, stdio: ["pipe", "pipe", "inherit"] }
    )
  ),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

const firstLine = (process: Effect.Effect.Success<typeof child>) =>
  Effect.async<string, SimulatorDidNotStart>((resume) => {
    let text = ""
    process.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part
      if (text.includes("\n")) resume(Effect.succeed(text.slice(0, text.indexOf("\n"))))
    })
    process.once("error", (error) => resume(new SimulatorDidNotStart({ detail: error.message })))
    process.once("exit", (code) => resume(new SimulatorDidNotStart({ detail: `it ended with ${String(code)}` })))
  }).pipe(
    Effect.timeoutFail({
      duration: "30 seconds",
      onTimeout: () => new SimulatorDidNotStart({ detail: "it said nothing for 30 seconds" })
    })
  )

/** Starts it without a rate limit; it ends with the scope. */
export const start: Effect.Effect<SimulatorProcess, unknown, Scope.Scope | HttpClient.HttpClient> = Effect.gen(
  function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const { token, url } = yield* Effect.flatMap(Effect.flatMap(child, firstLine), Schema.decode(Started))
    const control = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.asVoid(
        Effect.flatMap(
          client.execute(HttpClientRequest.prependUrl(request, `${url}/_simulator`)),
          (response) => response.text
        )
      )
    const post = (path: string, body: unknown) =>
      control(HttpClientRequest.post(path).pipe(HttpClientRequest.bodyUnsafeJson(body)))
    return {
      url,
      token,
      misbehave: (fault) =>
        Effect.zipRight(
          control(HttpClientRequest.del("/faults")),
          fault === undefined ? Effect.void : post("/faults", fault)
        ),
      addWorkItem: (name) => post("/work-items", { name })
    }
  }
)
