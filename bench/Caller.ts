import { Effect } from "effect"
import { Agent, request } from "node:http"

/** A request of a load. */
export interface Call {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** The answer to it. The status is 0 if there was none. */
export interface Called {
  readonly status: number
  readonly text: string
}

const nothing: Called = { status: 0, text: "" }

/** Calls a program on loopback over connections that are kept. They are closed with the scope. */
export const caller = (port: number) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 128 })),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => ({ body, headers, method, path }: Call) =>
      Effect.async<Called>((resume) => {
        const sending = request({
          agent,
          host: "127.0.0.1",
          port,
          method,
          path,
          headers: { ...headers },
          timeout: 20_000
        }, (response) => {
          let text = ""
          response.setEncoding("utf8").on("data", (part: string) => {
            text += part
          })
          response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
          response.on("error", () => resume(Effect.succeed(nothing)))
        })
        sending.on("timeout", () => sending.destroy())
        sending.on("error", () => resume(Effect.succeed(nothing)))
        sending.end(body)
      })
  )
