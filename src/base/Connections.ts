import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import type { HttpClient } from "@effect/platform/HttpClient"
import { Duration, Effect, Layer } from "effect"
import { Socket } from "node:net"

/**
 * How long an idle connection is kept. If a server closes it at the moment the next request is sent,
 * nobody knows whether that request was received. No server closes a connection after so short a time.
 */
const keptFor = Duration.toMillis("1 second")

/**
 * Destroying undici's agent does not end connections that are still being made, and the process would wait for them.
 */
const makeAgent = () => {
  const connecting = new Set<Socket>()
  const connector = Undici.buildConnector({})
  const agent = new Undici.Agent({
    keepAliveTimeout: keptFor,
    keepAliveMaxTimeout: keptFor,
    connect: (options, callback) => {
      const socket: unknown = connector(options, callback)
      if (!(socket instanceof Socket)) return
      connecting.add(socket)
      for (const event of ["connect", "close"]) socket.once(event, () => connecting.delete(socket))
    }
  })
  const destroy = async () => {
    const destroyed = agent.destroy()
    for (const socket of connecting) socket.destroy()
    await destroyed
  }
  return { agent, destroy }
}

const dispatcher = Layer.scoped(
  NodeHttpClient.Dispatcher,
  Effect.map(
    Effect.acquireRelease(Effect.sync(makeAgent), ({ destroy }) => Effect.promise(destroy)),
    ({ agent }) => agent
  )
)

/**
 * The HTTP client of all REST clients. It is undici's, because requests that follow each other share a
 * connection, and a request takes half the time of the caller's event loop that `node:http` takes through Effect
 * (measured). A request that is interrupted costs one more connection, over which nothing is sent.
 */
export const connections: Layer.Layer<HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  dispatcher
)
