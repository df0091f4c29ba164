import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import type { HttpClient } from "@effect/platform/HttpClient"
import { Effect, Layer } from "effect"

/**
 * How long a connection nobody uses is kept, in milliseconds. A server that closes it at the moment the next request is
 * sent leaves open whether that was received, and none closes after so short a time.
 */
const keptFor = 1_000

const dispatcher = Layer.scoped(
  NodeHttpClient.Dispatcher,
  Effect.acquireRelease(
    Effect.sync(() => new Undici.Agent({ keepAliveTimeout: keptFor, keepAliveMaxTimeout: keptFor })),
    (agent) => Effect.promise(() => agent.destroy())
  )
)

/**
 * The HTTP client that talks to Plane and to Gitea. Undici's, for requests that follow each other share a connection, and one takes
 * half the time of the caller's event loop that `node:http` takes through Effect (measured).
 */
export const connections: Layer.Layer<HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  dispatcher
)
