import type { Scope } from "effect"
import { Effect } from "effect"
import { once } from "node:events"
import type { Server, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { freePort } from "./FreePort.js"

/** The network between a program and a server on this machine, which can fail. */
export interface TcpProxy {
  readonly port: number
  /** The same address by way of this proxy. */
  readonly via: (url: string) => string
  /** As at first: passes all on. What was held back meanwhile arrives now. */
  readonly pass: Effect.Effect<void>
  /** Resets all connections that are open. Says how many that were. New ones are taken. */
  readonly cut: Effect.Effect<number>
  /** Passes nothing on any more, and ends nothing: also new connections are taken, and hear nothing. */
  readonly hang: Effect.Effect<void>
  /** Takes no new connections. Those that are open stay so. */
  readonly refuse: Effect.Effect<void>
  /** Sends new connections to another port. Those that are open stay where they are: `cut` them, too. */
  readonly to: (port: number) => Effect.Effect<void>
}

interface Pair {
  readonly client: Socket
  /** Undefined while it waits for `pass`. */
  server: Socket | undefined
}

/**
 * A socket that is shutting down cannot be reset: the system refuses it, Node does not close it for good, and this
 * process could not end.
 */
const reset = (socket: Socket | undefined) =>
  socket?.writableEnded === true ? socket.destroy() : socket?.resetAndDestroy()

/** Listens until the scope closes. */
export const makeTcpProxy = (target: number): Effect.Effect<TcpProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const port = yield* freePort
    const pairs = new Set<Pair>()
    let goal = target
    let hangs = false

    const join = (pair: Pair) => {
      const { client } = pair
      const server = connect(goal, "127.0.0.1")
      pair.server = server
      server.on("error", () => reset(client))
      client.pipe(server)
      server.pipe(client)
      server.on("close", () => client.destroy())
    }
    const listener: Server = createServer({ allowHalfOpen: true }, (client) => {
      const pair: Pair = { client, server: undefined }
      pairs.add(pair)
      client.on("error", () => reset(pair.server))
      client.on("close", () => {
        pair.server?.destroy()
        pairs.delete(pair)
      })
      if (!hangs) join(pair)
    })
    const listen = Effect.promise(async () => {
      if (!listener.listening) await once(listener.listen(port, "127.0.0.1"), "listening")
    })
    // Only `listening` ends here: `close` waits for the connections, too.
    const refuse = Effect.sync(() => {
      listener.close()
    })
    const cut = Effect.sync(() => {
      const all = Array.from(pairs)
      for (const { client, server } of all) {
        reset(client)
        reset(server)
      }
      return all.length
    })

    yield* Effect.acquireRelease(listen, () => Effect.zipRight(refuse, cut))
    return {
      port,
      via: (url) => {
        const address = new URL(url)
        address.hostname = "127.0.0.1"
        address.port = String(port)
        return address.href
      },
      cut,
      refuse,
      pass: Effect.zipRight(
        listen,
        Effect.sync(() => {
          if (!hangs) return
          hangs = false
          for (const pair of pairs) {
            if (pair.server === undefined) join(pair)
            else {
              pair.client.pipe(pair.server)
              pair.server.pipe(pair.client)
            }
          }
        })
      ),
      hang: Effect.sync(() => {
        hangs = true
        for (const { client, server } of pairs) {
          for (const socket of [client, server]) socket?.unpipe().pause()
        }
      }),
      to: (other) =>
        Effect.sync(() => {
          goal = other
        })
    }
  })
