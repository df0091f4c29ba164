import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Data, Effect, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Fault } from "../src/simulator/Faults.js"
import { endsWithParent } from "./ServiceProcess.js"

/** A simulated Plane in a separate process, as its users see it. */
export interface SimulatorProcess {
  readonly url: string
  readonly token: string
  /** Ends the present fault and begins another. `undefined` is a healthy Plane. */
  readonly misbehave: (fault: Fault | undefined) => Effect.Effect<void, unknown>
  readonly addWorkItem: (name: string) => Effect.Effect<WorkItem, unknown>
  /** A person moves a work item to the state of this name. */
  readonly moveWorkItem: (id: string, state: string) => Effect.Effect<void, unknown>
  /** The requests that it received and still keeps, in the order of arrival. */
  readonly requests: Effect.Effect<ReadonlyArray<Received>, unknown>
  readonly forgetRequests: Effect.Effect<void, unknown>
}

const WorkItem = Schema.Struct({ id: Schema.String, key: Schema.String })
export type WorkItem = typeof WorkItem.Type

/** A received request. Times are milliseconds since 1970, by the same clock as this process's. */
export type Received = typeof Received.Type

const Received = Schema.Struct({
  at: Schema.Number,
  answeredAt: Schema.NullOr(Schema.Number),
  method: Schema.String,
  path: Schema.String,
  query: Schema.String,
  body: Schema.String,
  kind: Schema.NullOr(Schema.String),
  status: Schema.NullOr(Schema.Number)
})

export interface SimulatorOptions {
  /** How many requests it takes in a window. Without this, all. */
  readonly limit?: { readonly requests: number; readonly windowMillis: number }
  /** How many received requests it keeps. */
  readonly record?: number
  /** Where its webhooks go; none without it. */
  readonly webhook?: { readonly url: string; readonly secret: string }
}

export class SimulatorDidNotStart extends Data.TaggedError("SimulatorDidNotStart")<{ readonly detail: string }> {
  override get message(): string {
    return `The simulated Plane did not start: ${this.detail}`
  }
}

const Started = Schema.parseJson(Schema.Struct({ url: Schema.String, token: Schema.String }))

const root = fileURLToPath(new URL("..", import.meta.url))

const child = ({ limit, record = 1_000, webhook }: SimulatorOptions) => {
  const hooks = webhook === undefined ? [] : ["--webhook-url", webhook.url, "--webhook-secret", webhook.secret]
  const flags = limit === undefined
    ? ["--limit", "off"]
    : ["--limit", String(limit.requests), "--window-millis", String(limit.windowMillis)]
  return Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        process.execPath,
        [
          "--import",
          endsWithParent,
          "src/simulator/main.js",
          ...flags,
          ...hooks,
          "--record",
          String(record)
        ],
        { cwd: root, stdio: ["pipe", "pipe", "inherit"] }
      )
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
}

const firstLine = (process: Effect.Effect.Success<ReturnType<typeof child>>) =>
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

/** Starts it; it ends with the scope. */
export const startWith = (
  options: SimulatorOptions
): Effect.Effect<SimulatorProcess, unknown, Scope.Scope | HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const { token, url } = yield* Effect.flatMap(Effect.flatMap(child(options), firstLine), Schema.decode(Started))
    const control = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.flatMap(
        client.execute(HttpClientRequest.prependUrl(request, `${url}/_simulator`)),
        (response) => response.text
      )
    const post = (path: string, body: unknown) =>
      control(HttpClientRequest.post(path).pipe(HttpClientRequest.bodyUnsafeJson(body)))
    return {
      url,
      token,
      misbehave: (fault) =>
        Effect.zipRight(
          control(HttpClientRequest.del("/faults")),
          fault === undefined ? Effect.void : Effect.asVoid(post("/faults", fault))
        ),
      addWorkItem: (name) => Effect.flatMap(post("/work-items", { name }), Schema.decode(Schema.parseJson(WorkItem))),
      moveWorkItem: (id, state) => Effect.asVoid(post(`/work-items/${id}/move`, { state })),
      requests: Effect.flatMap(
        client.execute(HttpClientRequest.get(`${url}/_simulator/requests`)),
        HttpClientResponse.schemaBodyJson(Schema.Array(Received))
      ),
      forgetRequests: Effect.asVoid(control(HttpClientRequest.del("/requests")))
    }
  })

/** Starts it without a rate limit. */
export const start = startWith({})
