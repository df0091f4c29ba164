import { Effect } from "effect"
import { createServer } from "node:http"
import type { ServerResponse } from "node:http"

export interface FakeGitea {
  readonly url: string
  readonly token: string
  /** Paths that were asked for, with their query. */
  readonly asked: Array<string>
  /** What is answered to a path (without query), as JSON. Others are 404. */
  readonly answers: Map<string, unknown>
  /** Instead of an answer. */
  misbehave: ((response: ServerResponse) => void) | undefined
}

/** The part of Gitea's API that is asked, over a socket; 401 without the token. */
export const fakeGitea = Effect.acquireRelease(
  Effect.async<FakeGitea & { readonly close: () => void }>((resume) => {
    const token = "9f1c2a77e05b4d"
    const gitea = {
      url: "",
      token,
      asked: [] as Array<string>,
      answers: new Map<string, unknown>(),
      misbehave: undefined as FakeGitea["misbehave"],
      close: () => {
        server.closeAllConnections()
        server.close()
      }
    }
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://x")
      gitea.asked.push(url.pathname + url.search)
      if (gitea.misbehave !== undefined) return gitea.misbehave(response)
      if (request.headers.authorization !== `token ${token}`) return response.writeHead(401).end("{}")
      const answer = gitea.answers.get(url.pathname)
      if (answer === undefined) return response.writeHead(404).end("{}")
      const first = url.searchParams.get("page") === "1"
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify(Array.isArray(answer) && !first ? [] : answer))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      gitea.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
      resume(Effect.succeed(gitea))
    })
  }),
  ({ close }) => Effect.sync(close)
)
