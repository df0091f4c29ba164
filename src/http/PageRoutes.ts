import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { operatorPagePolicy } from "./SecurityHeaders.js"

/** The files of the page, by their paths. All is in them, so that a browser loads nothing from elsewhere. */
const files = {
  "/": { name: "index.html", type: "text/html; charset=utf-8" },
  "/page.css": { name: "page.css", type: "text/css; charset=utf-8" },
  "/page.js": { name: "page.js", type: "text/javascript; charset=utf-8" }
} as const

export const pagePaths = ["/", "/page.css", "/page.js"] as const

/** Where `npm run page` puts them: the same folder beside `src` and around the built program. */
const folder = new URL("../../dist/page/", import.meta.url)

const missing = HttpServerResponse.unsafeJson({
  error: "The page was not made: npm run page makes it, and npm start and npm run build do so too"
}, { status: 503 })

/** One file as it is answered. A browser asks each time whether it is still the same, so an update shows at once. */
const answerOf = ({ name, type }: (typeof files)[keyof typeof files]) =>
  Effect.promise(() => readFile(new URL(name, folder)).catch(() => undefined)).pipe(
    Effect.map((body) => {
      if (body === undefined) return () => missing
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
      const headers = { etag, "cache-control": "no-cache", "content-security-policy": operatorPagePolicy }
      const whole = HttpServerResponse.uint8Array(body, { headers, contentType: type })
      const same = HttpServerResponse.empty({ status: 304, headers })
      return (known: string | undefined) => known === etag ? same : whole
    })
  )

/** Below a path of a host, addresses are relative to what stands before the last slash: it must be there. */
const withoutSlash = ({ originalUrl }: HttpServerRequest.HttpServerRequest) =>
  /\/([^/]+)$/.exec(originalUrl.replace(/[?#].*$/, ""))?.[1]

/**
 * The page for people, at `/`. It is empty markup and needs no token: what it shows and does comes from `/api`, which
 * does. The files are read when they are first asked for.
 */
export const pageRoutes = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function*() {
    for (const path of pagePaths) {
      const file = yield* Effect.cached(answerOf(files[path]))
      const answer = Effect.zipWith(
        file,
        HttpServerRequest.HttpServerRequest,
        (answer, request) => {
          const last = path === "/" ? withoutSlash(request) : undefined
          return last === undefined
            ? answer(request.headers["if-none-match"])
            : HttpServerResponse.empty({ status: 308, headers: { location: `./${last}/` } })
        }
      )
      yield* router.get(path, answer)
    }
  })
)
