import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
// Not the platform's server: dropping, resetting, half bodies and never answering need the socket itself.
import * as Http from "node:http"
import type { Control } from "./Control.js"
import { controlPrefix } from "./Control.js"
import type { Core, Outcome } from "./Core.js"
import type { Answer, Request } from "./Http.js"
import { maxBodyBytes } from "./Http.js"
import { SimulatorError } from "./Options.js"

const requestOf = (incoming: Http.IncomingMessage, chunks: ReadonlyArray<Buffer>, size: number): Request => {
  const url = incoming.url ?? "/"
  const mark = url.indexOf("?")
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value[0] : value
  return {
    method: incoming.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? "" : url.slice(mark + 1),
    headers,
    body: Buffer.concat(chunks).toString("utf8"),
    size
  }
}

const start = (response: Http.ServerResponse, answer: Answer, bytes: number): void => {
  response.writeHead(
    answer.status,
    answer.status === 204 ? answer.headers : { ...answer.headers, "Content-Length": bytes }
  )
}

const whole = (response: Http.ServerResponse, answer: Answer): void => {
  const body = Buffer.from(answer.body)
  start(response, answer, body.length)
  response.end(body)
}

const slowly = (response: Http.ServerResponse, answer: Answer, everyMillis: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    const body = Buffer.from(answer.body)
    start(response, answer, body.length)
    response.flushHeaders()
    for (const [index] of body.entries()) {
      yield* Effect.sleep(everyMillis)
      // The client has left, so nobody reads what is written.
      if (response.destroyed) return
      response.write(body.subarray(index, index + 1))
    }
    response.end()
  })

const give = (response: Http.ServerResponse, outcome: Outcome): Effect.Effect<void> => {
  switch (outcome._tag) {
    case "Whole":
      return Effect.sync(() => whole(response, outcome.answer))
    case "Slow":
      return slowly(response, outcome.answer, outcome.everyMillis)
    case "Half":
      return Effect.async<void>((resume) => {
        const body = Buffer.from(outcome.answer.body)
        start(response, outcome.answer, body.length)
        response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
          response.socket?.destroy()
          resume(Effect.void)
        })
      })
    case "Drop":
      return Effect.sync(() => {
        response.socket?.destroy()
      })
    case "Reset":
      return Effect.sync(() => {
        response.socket?.resetAndDestroy()
      })
    case "Silent":
      // The socket stays open until the client or the layer closes it.
      return Effect.void
  }
}

/** Serves on 127.0.0.1 until the scope closes, which cuts every connection. Answers the base address. */
export const serve = (
  core: Core,
  control: Control
): Effect.Effect<string, SimulatorError, Scope.Scope> =>
  Effect.gen(function*() {
    // One fiber per request. It does not end when its client leaves, because Plane goes on too.
    const fork = yield* FiberSet.makeRuntime()
    // A bug in the simulator must not look like a silent Plane.
    const run = (answering: Effect.Effect<void>) =>
      fork(Effect.tapDefect(answering, (cause) => Effect.logError("Plane simulator: a request died", cause)))

    const received = (request: Request, response: Http.ServerResponse) => {
      if (request.path.startsWith(controlPrefix)) {
        run(Effect.map(control(request), (answer) => whole(response, answer)))
        return
      }
      const { answered, gone, outcome } = core.handle(request)
      const closed = () => {
        if (!response.writableFinished) gone()
      }
      response.on("close", closed)
      response.on("finish", answered)
      run(Effect.flatMap(outcome, (given) => {
        // From here on the simulator closes the connection itself.
        if (given._tag === "Drop" || given._tag === "Reset" || given._tag === "Half") response.off("close", closed)
        return give(response, given)
      }))
    }

    const server = Http.createServer({ keepAliveTimeout: 65_000 }, (incoming, response) => {
      const chunks: Array<Buffer> = []
      let size = 0
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length
        // The bytes over the limit are read and thrown away, so that the client can finish sending and read its 413.
        if (size <= maxBodyBytes) chunks.push(chunk)
      })
      incoming.on("end", () => received(requestOf(incoming, chunks, size), response))
      // The client has reset the connection while sending: there is no request, and nothing to answer.
      incoming.on("error", () => response.destroy())
    })

    yield* Effect.acquireRelease(
      Effect.async<void, SimulatorError>((resume) => {
        const failed = (cause: Error) =>
          resume(Effect.fail(
            new SimulatorError({
              reason: "CannotListen",
              detail: `cannot listen on 127.0.0.1:${core.settings.port}: ${cause.message}`,
              cause
            })
          ))
        server.once("error", failed)
        server.listen(core.settings.port, "127.0.0.1", () => {
          server.off("error", failed)
          resume(Effect.void)
        })
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : core.settings.port
    return `http://127.0.0.1:${port}`
  })
