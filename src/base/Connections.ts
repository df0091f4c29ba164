import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import { HttpClient } from "@effect/platform/HttpClient"
import type { ConfigError } from "effect"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { Socket } from "node:net"
import { ProxyUnreached, textOf } from "./NetworkCause.js"
import type { Proxies } from "./Proxies.js"
import { isThisMachine, proxies } from "./Proxies.js"

/**
 * How long an idle connection is kept. If a server closes it at the moment the next request is sent,
 * nobody knows whether that request was received. No server closes a connection after so short a time.
 */
const keptFor = Duration.toMillis("1 second")

const agentOptions = { keepAliveTimeout: keptFor, keepAliveMaxTimeout: keptFor }

/** The sockets of an agent that are still being made, or lead through a proxy. */
const makeSockets = () => {
  const sockets = new Set<Socket>()
  return {
    /** Connects as `connector` does; the socket is known until one of the events. */
    knowing:
      (connector: Undici.buildConnector.connector, until: ReadonlyArray<string>): Undici.buildConnector.connector =>
      (options, callback) => {
        const socket: unknown = connector(options, callback)
        if (!(socket instanceof Socket)) return
        sockets.add(socket)
        for (const event of until) socket.once(event, () => sockets.delete(socket))
      },
    destroy: () => {
      for (const socket of sockets) socket.destroy()
    }
  }
}

type Sockets = ReturnType<typeof makeSockets>

const makeDirect = (sockets: Sockets) =>
  new Undici.Agent({
    ...agentOptions,
    connect: sockets.knowing(Undici.buildConnector({}), ["connect", "close"])
  })

/** Connects to a proxy. Its failures are told from those of the servers behind it. */
const toProxy = (origin: URL): Undici.buildConnector.connector => {
  const connector = Undici.buildConnector({})
  return (options, callback) =>
    connector(options, (...[error, socket]) => {
      if (error === null) return callback(null, socket)
      const message = textOf(error, "message") ?? ""
      callback(new ProxyUnreached({ message, code: textOf(error, "code") ?? "", proxy: origin.host }), null)
    })
}

/** Goes by the proxies of the environment, by CONNECT for both kinds of addresses. */
const makeProxied = ({ http, https, none }: Proxies, sockets: Sockets) =>
  new Undici.EnvHttpProxyAgent({
    ...agentOptions,
    httpProxy: http,
    httpsProxy: https,
    noProxy: none,
    // For hosts of NO_PROXY.
    connect: sockets.knowing(Undici.buildConnector({}), ["connect", "close"]),
    // To the proxy. Until the way through it is made, nobody else would end such a connection.
    clientFactory: (origin) => new Undici.Pool(origin, { connect: sockets.knowing(toProxy(origin), ["close"]) })
  })

/** Sends what goes to this machine by one agent, and everything else by another. */
class Routes extends Undici.Dispatcher {
  constructor(private readonly direct: Undici.Dispatcher, private readonly proxied: Undici.Dispatcher) {
    super()
  }
  override dispatch(options: Undici.Dispatcher.DispatchOptions, handler: Undici.Dispatcher.DispatchHandler): boolean {
    const { origin } = options
    const isDirect = origin !== undefined && isThisMachine(new URL(origin).hostname)
    return (isDirect ? this.direct : this.proxied).dispatch(options, handler)
  }
}

/**
 * Destroying undici's agents does not end connections that are still being made, and the process would wait for them.
 */
const makeDispatcher = (found: Proxies) => {
  const sockets = makeSockets()
  const direct = makeDirect(sockets)
  const isProxied = found.http !== "" || found.https !== ""
  const proxied = isProxied ? makeProxied(found, sockets) : direct
  const destroy = async () => {
    const destroyed = Promise.all([direct.destroy(), isProxied ? proxied.destroy() : undefined])
    sockets.destroy()
    await destroyed
  }
  return { dispatcher: isProxied ? new Routes(direct, proxied) : direct, destroy }
}

const dispatcher = Layer.scoped(
  NodeHttpClient.Dispatcher,
  Effect.flatMap(proxies, (found) =>
    Effect.map(
      Effect.acquireRelease(Effect.sync(() => makeDispatcher(found)), ({ destroy }) => Effect.promise(destroy)),
      ({ dispatcher }) => dispatcher
    ))
)

/**
 * What a host may provide to have Plane and Gitea asked by a client of its own, instead of over connections of ours: in
 * a test by that of the simulator, which needs no sockets. Such a client must not repeat a request by itself, follow no
 * redirect, and turn no status into an error.
 */
export class Connections extends Context.Tag("plane-sync/Connections")<Connections, HttpClient>() {
  /** By the `HttpClient` that is there. */
  static readonly layerHttpClient: Layer.Layer<Connections, never, HttpClient> = Layer.effect(Connections, HttpClient)
}

const ownConnections = Layer.provide(NodeHttpClient.layerUndiciWithoutDispatcher, dispatcher)

/**
 * The HTTP client of all REST clients. It is undici's, because requests that follow each other share a
 * connection, and a request takes half the time of the caller's event loop that `node:http` takes through Effect
 * (measured). A request that is interrupted costs one more connection, over which nothing is sent. It goes by the
 * proxies of the environment (`Proxies`), but never to this machine itself. Where there are `Connections` of a host, it
 * is theirs.
 */
export const connections: Layer.Layer<HttpClient, ConfigError.ConfigError> = Layer.unwrapEffect(
  Effect.map(
    Effect.serviceOption(Connections),
    Option.match({ onNone: () => ownConnections, onSome: (client) => Layer.succeed(HttpClient, client) })
  )
)
