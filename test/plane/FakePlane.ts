import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { ConfigProvider, Effect, Layer } from "effect"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StateId } from "../../src/domain/StageStates.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { firstClient } from "../support/FirstClient.js"

export const project = "7a79f0a9-5278-49cd-9007-9a338f238f9c"
export const token = "plane_api_0123456789abcdef"

/** A request as Plane saw it: the path after `/api/v1/`, the query, the JSON body. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: Record<string, string>
  readonly headers: Record<string, string>
  readonly body: unknown
}

/** What the fake answers: a status with a JSON body (a string goes out as it is), or a broken connection. */
export type Reply = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export const item = (number: number, name: string, more: Record<string, unknown> = {}) => ({
  id: ItemId(`e7000000-0000-4000-8000-${String(number).padStart(12, "0")}`),
  sequence_id: number,
  name,
  state: StateId("113b24f6-cce8-4be9-9a22-a359b9cf0122"),
  updated_at: "2026-11-23T21:10:39.731779Z",
  project,
  ...more
})

export const gone: Reply = { status: 404, body: { error: "The requested resource does not exist." } }
export const noSuchPath: Reply = { status: 404, body: { error: "Page not found." } }

const requestBody = (body: { readonly _tag: string }): unknown =>
  "body" in body && body.body instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(body.body)) : undefined

/** An HttpClient that answers from a function and keeps what it was asked. Nothing waits. */
export const fakeHttp = (reply: (seen: Seen) => Reply) => {
  const seen: Array<Seen> = []
  const layer = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.sync(() => {
        const one: Seen = {
          method: request.method,
          path: url.pathname.replace("/api/v1/", ""),
          query: Object.fromEntries(url.searchParams),
          headers: request.headers,
          body: requestBody(request.body)
        }
        seen.push(one)
        const { body, headers, status } = reply(one)
        return HttpClientResponse.fromWeb(
          request,
          new Response(body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body), {
            status,
            headers: { "content-type": "application/json", ...headers }
          })
        )
      })
    )
  )
  return { seen, layer }
}

export const settings = (more: Record<string, string> = {}) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ ORCH_PLANE_API_TOKEN: token, ...more }))))

/** Runs with a PlaneClient over the fake; `seen` is what Plane was asked. */
export const withPlane = (reply: (seen: Seen) => Reply, more: Record<string, string> = {}) => {
  const { layer, seen } = fakeHttp(reply)
  return {
    seen,
    layer: firstClient.pipe(
      Layer.provide([layer, projectsLayer, Layer.provide(RateBudget.layer, settings(more))]),
      Layer.provide(settings(more)),
      Layer.orDie
    )
  }
}
