import { Effect } from "effect"
import type { Scope } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import { createServer } from "node:http"

/** What the receiver does with a notice. All but `ok` and `resets` have not taken it. */
export type NoticeAnswer = "ok" | "fails" | "hangs" | "redirects" | "resets"

/** A notice as it came. */
export interface Taken {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly answer: NoticeAnswer
}

export interface NoticeReceiver {
  readonly url: string
  /** All that came, in that order. */
  readonly seen: ReadonlyArray<Taken>
  /** Whether it takes none at all, from now on. */
  readonly refuse: (all: boolean) => void
}

/** A server that takes notices. `answers`: what it does with the first ones; then it takes them. */
export const noticeReceiver = (
  ...answers: Array<NoticeAnswer>
): Effect.Effect<NoticeReceiver, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<NoticeReceiver & { readonly close: () => void }>((resume) => {
      const seen: Array<Taken> = []
      let refusesAll = false
      const server = createServer((request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", () => {
          const answer = refusesAll ? "fails" : answers.shift() ?? "ok"
          const path = request.url ?? ""
          seen.push({ path, headers: request.headers, body: Buffer.concat(parts).toString(), answer })
          if (answer === "hangs") return
          if (answer === "resets") request.socket.resetAndDestroy()
          else if (answer === "redirects") response.writeHead(307, { location: "/elsewhere" }).end()
          else response.writeHead(answer === "fails" ? 500 : 200).end(`no ${path}`)
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        const refuse = (all: boolean) => {
          refusesAll = all
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}/hook/s3cret`, seen, refuse, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
