import { Effect } from "effect"
import { createHash, createHmac } from "node:crypto"
import { caller } from "./Caller.js"

/** A signed hook, ready to be sent. */
export interface Hook {
  readonly body: Buffer
  readonly digest: string
  readonly headers: Readonly<Record<string, string>>
}

export const secret = "a bench's own secret"

const hex = (text: string) => createHash("sha1").update(text).digest("hex")

/** A hook of Gitea with this body. */
export const signed = (event: string, index: number, content: object): Hook => {
  const body = Buffer.from(JSON.stringify(content))
  return {
    body,
    digest: createHash("sha256").update(body).digest("hex"),
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-gitea-event-type": event,
      "x-gitea-delivery": `bench-${index}`,
      "x-gitea-signature": createHmac("sha256", secret).update(body).digest("hex")
    }
  }
}

/** The `index`th status of a busy Gitea: as large as a real one, for one of a thousand commits. */
export const statusHook = (index: number): Hook => {
  const sha = hex(`commit ${index % 1_000}`)
  return signed("status", index, {
    id: index + 1,
    sha,
    context: `ci/check-${index % 7}`,
    state: index % 3 === 0 ? "success" : "pending",
    description: `step ${index}`,
    commit: { id: sha, message: "x".repeat(1_500) },
    repository: { id: 1, full_name: "bench/load", description: "y".repeat(1_500) },
    sender: { id: 1, login: "builder", full_name: "z".repeat(600) }
  })
}

/** Posts hooks over connections that are kept, and returns the answer's status, or 0 if there was none. */
export const poster = (port: number) =>
  Effect.map(
    caller(port),
    (call) => ({ body, headers }: Hook) =>
      Effect.map(call({ method: "POST", path: "/webhooks/gitea", headers, body }), ({ status }) => status)
  )
