import { Effect } from "effect"
import { Agent, request } from "node:http"

/** A request of a load. */
export interface Call {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

/** The answer to it. The status is 0 if there was none, and the text why. */
export interface Called {
  readonly status: number
  readonly text: string
}

const nothing = (error: Error) => Effect.succeed<Called>({ status: 0, text: error.message })

const send = (port: number, agent: Agent, patience: number, call: Call): Effect.Effect<Called> =>
  Effect.async((resume) => {
    const { body, headers, method, path } = call
    const sending = request({
      agent,
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { ...headers },
      timeout: patience * 1_000
    }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, text })))
      response.on("error", (error) => resume(nothing(error)))
    })
    sending.on("timeout", () => {
      resume(nothing(new Error(`no answer for ${patience} s`)))
      sending.destroy()
    })
    // The server may close a kept connection at the very moment when it is used again.
    sending.on("error", (error) => resume(sending.reusedSocket ? send(port, agent, patience, call) : nothing(error)))
    sending.end(body)
  })

/**
 * Calls a program on loopback over connections that are kept. They are closed with the scope. An answer may take
 * `patience` seconds.
 */
export const caller = (port: number, { patience = 20 }: { readonly patience?: number } = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 128 })),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => (call: Call) => send(port, agent, patience, call)
  )
