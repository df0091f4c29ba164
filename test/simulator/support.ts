import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"

export type Plane = Context.Tag.Service<PlaneSimulator>

export interface Seen {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** One request over a real socket; fails when there is no whole answer. Interrupting it closes the connection. */
export const send = (
  url: string,
  method: string,
  options: { readonly key?: string; readonly body?: unknown } = {}
): Effect.Effect<Seen, unknown> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, {
        method,
        redirect: "manual",
        signal,
        headers: {
          ...(options.key === undefined ? {} : { "X-API-Key": options.key }),
          ...(options.body === undefined ? {} : { "Content-Type": "application/json" })
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    catch: (error) => error
  })

export const projectPath = (plane: Plane): string =>
  `/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/`

export const itemUrl = (plane: Plane, id: string): string => `${plane.url}${projectPath(plane)}work-items/${id}/`

/** A request below the workspace, by default with the bot's API token. */
export const ask = (
  plane: Plane,
  method: string,
  path: string,
  options: { readonly key?: string; readonly body?: unknown } = {}
) => send(`${plane.url}/api/v1/workspaces/${plane.workspace}/${path}`, method, { key: plane.token, ...options })

/** The simulator's own paths. */
export const controlOf = (plane: Plane) => (method: string, path: string, body?: unknown) =>
  send(`${plane.url}/_simulator/${path}`, method, body === undefined ? {} : { body })

export const comment = (plane: Plane, id: string, externalId: string) =>
  send(`${itemUrl(plane, id)}comments/`, "POST", {
    key: plane.token,
    body: { comment_html: `<p>${externalId}</p>`, external_id: externalId, external_source: "test" }
  })

export const move = (plane: Plane, id: string, state: string) =>
  send(itemUrl(plane, id), "PATCH", { key: plane.token, body: { state: plane.stateId(state) } })

export const read = (plane: Plane, id: string) => send(itemUrl(plane, id), "GET", { key: plane.token })

export const whoAmI = (plane: Plane) => send(`${plane.url}/api/v1/users/me/`, "GET", { key: plane.token })

/** The simulator and one item in it. */
export const withItem = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  return { plane, item: yield* plane.addWorkItem({ name: "Draw the lake loop", state: "Todo" }) }
})

/** Waits, up to 5 s of real time, until something that happens beside the test has happened. */
export const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.sleep("10 millis").pipe(
    Effect.zipRight(condition),
    Effect.repeat({ until: (held) => held }),
    Effect.timeoutOption("5 seconds"),
    Effect.asVoid
  )
