import { Effect } from "effect"
import { createServer, request as ask } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer as createSecure } from "node:https"
import type { AddressInfo } from "node:net"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server on loopback, with a certificate if one is given; its authority. */
export const listening = (answer: Answer, certificate?: { readonly cert: string; readonly key: string }) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        const server = certificate === undefined ? createServer(answer) : createSecure(certificate, answer)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    (server) => `127.0.0.1:${(server.address() as AddressInfo).port}`
  )

/** What stands in front of the simulated Plane: it may answer itself, or change the headers of Plane's answers. */
export const before = (
  options: {
    readonly instead?: (
      url: string
    ) => { readonly status: number; readonly body: string; readonly headers?: Record<string, string> } | undefined
    readonly headers?: (
      headers: Record<string, string | ReadonlyArray<string> | undefined>
    ) => Record<string, string | undefined>
  }
) =>
  Effect.flatMap(PlaneSimulator, ({ url }) =>
    Effect.map(
      listening((request, response) => {
        const own = options.instead?.(request.url ?? "/")
        if (own !== undefined) {
          request.resume()
          response.writeHead(own.status, { "content-type": "text/html", ...own.headers }).end(own.body)
          return
        }
        const passed = ask(
          url + (request.url ?? "/"),
          { method: request.method, headers: request.headers },
          (answer) => {
            const changed = options.headers?.(answer.headers) ?? {}
            for (const [name, value] of Object.entries({ ...answer.headers, ...changed })) {
              if (value !== undefined) response.setHeader(name, value)
            }
            response.writeHead(answer.statusCode ?? 500)
            answer.pipe(response)
          }
        )
        request.pipe(passed)
      }),
      (authority) => `http://${authority}`
    ))
