import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Effect, Schema } from "effect"
import type { Kill } from "../../src/simulator/Kills.js"
import type { Fault } from "../../src/simulator/PlaneSimulator.js"

/** A request as the simulator recorded it, with the fields that are read here. Moments are milliseconds since 1970. */
export const Recorded = Schema.Struct({
  sequence: Schema.Number,
  at: Schema.Number,
  answeredAt: Schema.NullOr(Schema.Number),
  method: Schema.String,
  path: Schema.String,
  body: Schema.String,
  kind: Schema.NullOr(Schema.String),
  status: Schema.NullOr(Schema.Number),
  applied: Schema.Boolean,
  clientGone: Schema.Boolean,
  fault: Schema.NullOr(Schema.String)
})
export type Recorded = typeof Recorded.Type

const Item = Schema.Struct({
  id: Schema.String,
  number: Schema.Number,
  comments: Schema.Number,
  assignees: Schema.Array(Schema.String),
  state: Schema.Struct({ name: Schema.String })
})

const Killed = Schema.Struct({
  killed: Schema.NullOr(Schema.Struct({ sequence: Schema.Number, at: Schema.Number }))
})

const Comment = Schema.Struct({ html: Schema.String })

const Link = Schema.Struct({ url: Schema.String })

/** The simulated Plane in a separate process, by its control API. */
export const make = Effect.fnUntraced(function*(url: string) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.mapRequest(HttpClientRequest.prependUrl(`${url}/_simulator/`)),
    HttpClient.filterStatusOk
  )
  const get = <A, I>(path: string, schema: Schema.Schema<A, I>) =>
    Effect.scoped(Effect.flatMap(client.get(path), HttpClientResponse.schemaBodyJson(schema)))
  const post = <A, I>(path: string, body: unknown, schema: Schema.Schema<A, I>) =>
    HttpClientRequest.post(path).pipe(
      HttpClientRequest.bodyUnsafeJson(body),
      client.execute,
      Effect.flatMap(HttpClientResponse.schemaBodyJson(schema))
    )

  return {
    /** Without a project's id, the work item is made in the first project. */
    addWorkItem: (name: string, projectId?: string) =>
      post("work-items", { name, ...(projectId === undefined ? {} : { projectId }) }, Item),
    misbehave: (fault: Fault) => post("faults", fault, Schema.Unknown),
    orderKill: (kill: Kill) => Effect.asVoid(post("kill", kill, Schema.Unknown)),
    /** Takes the kill order back. Returns the request that killed, if one did. */
    endKill: client.del("kill").pipe(
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Killed)),
      Effect.scoped,
      Effect.map(({ killed }) => killed)
    ),
    /** A person makes these, and nobody else, the assignees of a work item. */
    assign: (id: string, assignees: ReadonlyArray<string>) =>
      HttpClientRequest.patch(`work-items/${id}`).pipe(
        HttpClientRequest.bodyUnsafeJson({ assignees }),
        client.execute,
        Effect.scoped,
        Effect.asVoid
      ),
    workItems: get("work-items", Schema.Array(Item)),
    workItem: (id: string) => get(`work-items/${id}`, Item),
    comments: (id: string) => get(`work-items/${id}/comments`, Schema.Array(Comment)),
    links: (id: string) => get(`work-items/${id}/links`, Schema.Array(Link)),
    requests: (after: number) => get(`requests?after=${after}`, Schema.Array(Recorded))
  }
})

export type Plane = Effect.Effect.Success<ReturnType<typeof make>>
