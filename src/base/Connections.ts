import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import type { HttpClient } from "@effect/platform/HttpClient"
import { Effect, Layer } from "effect"
import { Socket } from "node:net"

/**
 * How long a connection nobody uses is kept, in milliseconds. A server that closes it at the moment the next request is
 * sent leaves open whether that was received, and none closes after so short a time.
 */
const keptFor = 1_000

/** Undici's agent does not end what is still connecting when it is destroyed, and the process would wait for that. */
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
 * The HTTP client that talks to Plane and to Gitea. Undici's, for requests that follow each other share a connection, and
 * one takes half the time of the caller's event loop that `node:http` takes through Effect (measured). A request that is
 * given up costs a connection more, over which nothing is sent.
 */
export const connections: Layer.Layer<HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  dispatcher
)
