import { Effect } from "effect"
import { createServer } from "node:http"
import type { ServerResponse } from "node:http"

export interface FakeGitea {
  readonly url: string
  readonly token: string
  /** Paths that were asked for, with their query. */
  readonly asked: Array<string>
  /**
   * What is answered to a path (without query), as JSON; a list has one page. Others are 404, but a pull request is
   * open, the branch main is not protected, and the version is 1.22.0.
   */
  readonly answers: Map<string, unknown>
  /** What is answered to a path with its query, as JSON, with the total that is said. */
  readonly pages: Map<string, { readonly total?: number; readonly answer: unknown }>
  /** Paths that are answered 404, though they usually have an answer. */
  readonly refused: Set<string>
  /** What is answered to a path instead of 200. */
  readonly statuses: Map<string, number>
  /** Instead of an answer. */
  misbehave: ((response: ServerResponse) => void) | undefined
}

const usual: ReadonlyArray<readonly [RegExp, unknown]> = [
  [/\/pulls\/\d+$/, { state: "open", merged: false }],
  [/\/branches\/main$/, { name: "main", protected: false }],
  [/^\/api\/v1\/version$/, { version: "1.22.0" }]
]

/** The part of Gitea's API that is asked, over a socket; 401 without the token. */
export const fakeGitea = Effect.acquireRelease(
  Effect.async<FakeGitea & { readonly close: () => void }>((resume) => {
    const token = "9f1c2a77e05b4d"
    const gitea = {
      url: "",
      token,
      asked: [] as Array<string>,
      answers: new Map<string, unknown>(),
      pages: new Map<string, { readonly total?: number; readonly answer: unknown }>(),
      refused: new Set<string>(),
      statuses: new Map<string, number>(),
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
      const page = gitea.pages.get(url.pathname + url.search)
      const answer = page?.answer ?? gitea.answers.get(url.pathname) ??
        usual.find(([path]) => path.test(url.pathname))?.[1]
      const status = gitea.statuses.get(url.pathname)
      if (status !== undefined) return response.writeHead(status).end("{}")
      if (answer === undefined || gitea.refused.has(url.pathname)) return response.writeHead(404).end("{}")
      const first = page !== undefined || (url.searchParams.get("page") ?? "1") === "1"
      const empty = Array.isArray(answer) ? [] : { state: "", statuses: [] }
      const total = page?.total
      response.writeHead(200, {
        "content-type": "application/json",
        ...(total === undefined ? {} : { "x-total-count": String(total) })
      })
      response.end(JSON.stringify(first ? answer : empty))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      gitea.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
      resume(Effect.succeed(gitea))
    })
  }),
  ({ close }) => Effect.sync(close)
)
