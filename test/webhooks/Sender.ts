import { Effect } from "effect"
import { createHmac, randomUUID } from "node:crypto"
import * as Http from "node:http"
import type { Source } from "../../src/webhooks/WebhookConfig.js"

/** The tests' own secrets. */
export const secrets: Readonly<Record<Source, string>> = {
  plane: "plane_wh_5f0d1c7be2a94c3c8f",
  gitea: "between gravel and mud"
}

/** Of each sender a type that may move something. */
const types: Readonly<Record<Source, string>> = { plane: "issue", gitea: "status" }

export const signature = (source: Source, body: string | Buffer, secret = secrets[source]): string =>
  createHmac("sha256", secret).update(body).digest("hex")

export interface DeliverOptions {
  /** Instead of the right one; `undefined`: no such header. */
  readonly signature?: string | undefined
  readonly event?: string
  readonly uuid?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** Delivers as the senders do: over a socket, signed. Fails when the connection breaks. */
export const deliver = (url: string, source: Source, body: string | Buffer, options: DeliverOptions = {}) =>
  Effect.async<Answer, Error>((resume) => {
    const signed = "signature" in options ? options.signature : signature(source, body)
    const name = source === "plane" ? "X-Plane" : "X-Gitea"
    const request = Http.request(`${url}/webhooks/${source}`, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
        [`${name}-Delivery`]: options.uuid ?? randomUUID(),
        [source === "plane" ? "X-Plane-Event" : "X-Gitea-Event-Type"]: options.event ?? types[source],
        ...(signed === undefined ? {} : { [`${name}-Signature`]: signed }),
        ...options.headers
      }
    }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      response.on(
        "end",
        () => resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
      )
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end(body)
  })
