import { Effect } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { text } from "node:stream/consumers"
import type { Answers } from "./Fixtures.js"

/** A request that changes something. */
export interface Asked {
  readonly path: string
  readonly body: unknown
  readonly authorization: string | undefined
}

/** What a stub answers in the place of plane-sync. All of it may be changed while it runs. */
export interface Stub {
  url: string
  answers: () => Answers
  /** The status of what changes something, in order; 200 when there are no more. */
  readonly refusals: Array<number>
  readonly asked: Array<Asked>
  /** Tells all pages that something has changed. */
  readonly change: () => void
  /** Ends all streams, and refuses new ones until `back`. */
  readonly away: () => void
  readonly back: () => void
}

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

/** The page itself comes from `target`, which is the real program. */
const forward = async (target: string, { url = "/" }: IncomingMessage, response: ServerResponse) => {
  const answer = await fetch(`${target}${url}`)
  const kept = ["content-type", "content-security-policy", "cache-control"]
  const headers = kept.flatMap((name) => [name, answer.headers.get(name) ?? ""])
  response.writeHead(answer.status, headers)
  response.end(Buffer.from(await answer.arrayBuffer()))
}

/** A server that has the page of `target`, and answers for its `/api`. It stops when the scope closes. */
export const stub = (target: string, answers: () => Answers) =>
  Effect.acquireRelease(
    Effect.async<{ readonly stub: Stub; readonly close: () => void }>((resume) => {
      const streams = new Set<ServerResponse>()
      let isAway = false
      const said = (path: string, query: URLSearchParams, response: ServerResponse): void => {
        const { board, history, letters, overview, task, workItem } = own.answers()
        if (path === "overview") return json(response, overview)
        if (path === "board") return json(response, board)
        if (path === "history") return json(response, history)
        if (path.startsWith("work-items/")) return json(response, workItem)
        if (path.startsWith("tasks/")) return json(response, task)
        if (path === "deliveries") {
          const matching = letters.filter(({ code }) => (query.get("code") ?? code) === code)
          const nextCursor = matching.length > 5 ? 1 : null
          return json(response, { deliveries: matching.slice(0, 5), nextCursor, total: matching.length })
        }
        if (path === "live") {
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.write("event: hello\ndata: {}\n\n")
          streams.add(response)
          return
        }
        return json(response, { error: `There is nothing at ${path}` }, 404)
      }
      const changes = async (path: string, request: IncomingMessage, response: ServerResponse) => {
        const { authorization } = request.headers
        own.asked.push({ path, body: JSON.parse(await text(request)), authorization })
        const status = own.refusals.shift() ?? 200
        if (status !== 200) return json(response, { error: `It needs the token of ORCH_OPERATOR_TOKEN` }, status)
        return json(response, { retried: 14, discarded: 14 })
      }
      const server = createServer((request, response) => {
        const { pathname, searchParams } = new URL(request.url ?? "/", "http://stub")
        const path = /^\/api\/(.*)$/.exec(pathname)?.[1]
        if (isAway) return void request.socket.destroy()
        if (path === undefined) return void forward(target, request, response)
        if (request.method === "POST") return void changes(path, request, response)
        return said(path, searchParams, response)
      })
      const own: Stub = {
        url: "",
        answers,
        refusals: [],
        asked: [],
        change: () => streams.forEach((one) => one.write("event: changed\ndata: {\"workItems\":[]}\n\n")),
        away: () => {
          isAway = true
          server.closeAllConnections()
          streams.clear()
        },
        back: () => {
          isAway = false
        }
      }
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        own.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ stub: own, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ stub }) => stub))
