import type { Scope } from "effect"
import { Effect } from "effect"
// Refusing a connection needs the listening socket itself.
import * as Net from "node:net"

/** A way to a port of this machine, at another address. It can be cut, and then connecting is refused. */
export interface Wire {
  readonly url: string
  readonly cut: Effect.Effect<void>
  readonly mend: Effect.Effect<void>
}

const portOf = (server: Net.Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** Makes a wire to `target` ("http://127.0.0.1:43121") until the scope closes. */
export const make = (target: string): Effect.Effect<Wire, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sockets = new Set<Net.Socket>()
    const server = Net.createServer((near) => {
      const far = Net.connect(Number(new URL(target).port), "127.0.0.1")
      for (const [from, to] of [[near, far], [far, near]] as const) {
        sockets.add(from)
        // When one end breaks, the other breaks too, as it would without a wire between them.
        from.on("error", () => to.destroy())
        from.on("close", () => {
          sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    const listen = (port: number) =>
      Effect.async<void>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.void))
      })
    const cut = Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
    yield* Effect.acquireRelease(listen(0), () => cut)
    const port = portOf(server)
    return { url: `http://127.0.0.1:${port}`, cut, mend: listen(port) }
  })
