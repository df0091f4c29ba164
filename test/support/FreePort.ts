import { Effect } from "effect"
import { createServer } from "node:net"

const isFree = (port: number) =>
  Effect.async<boolean>((resume) => {
    const server = createServer()
    server.on("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(true))))
  })

// Below the ports that the system gives to connections, because between two lives of a server the port belongs to
// nobody and must stay free.
export const freePort: Effect.Effect<number> = Effect.iterate({ port: 0, free: false }, {
  while: ({ free }) => !free,
  body: () =>
    Effect.flatMap(
      Effect.sync(() => 20_000 + Math.floor(Math.random() * 10_000)),
      (port) => Effect.map(isFree(port), (free) => ({ port, free }))
    )
}).pipe(Effect.map(({ port }) => port))
