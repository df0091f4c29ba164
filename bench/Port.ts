import { Data, Effect } from "effect"
import { createServer } from "node:net"

export class NoPort extends Data.TaggedError("NoPort")<{ readonly cause?: Error }> {}

/** A free port of this machine. */
export const freePort = Effect.async<number, NoPort>((resume) => {
  const server = createServer()
  server.once("error", (error) => resume(new NoPort({ cause: error })))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() =>
      resume(
        typeof address === "object" && address !== null
          ? Effect.succeed(address.port)
          : new NoPort({})
      )
    )
  })
})
