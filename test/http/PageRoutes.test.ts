import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request as httpRequest } from "node:http"
import { gzipSync } from "node:zlib"
import { request, served, withPlane } from "./Server.js"

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

/** By Node's own client, because fetch sends no `Host` and no `Origin` of ours. */
const statusOf = (url: string, headers: Readonly<Record<string, string>>) =>
  Effect.async<number | undefined>((resume) => {
    httpRequest(url, { headers }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    }).end()
  })

describe("the page at /", () => {
  it.live("is empty markup that needs no token, under a policy that lets nothing in", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "s3cret" })
      for (
        const [path, type] of [
          ["/", "text/html; charset=utf-8"],
          ["/page.js", "text/javascript; charset=utf-8"],
          ["/page.css", "text/css; charset=utf-8"]
        ] as const
      ) {
        const { headers, status } = yield* request(`${url}${path}`)
        assert.strictEqual(status, 200, path)
        assert.strictEqual(headers.get("content-type"), type)
        assert.strictEqual(headers.get("content-security-policy"), policy)
        assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
        assert.strictEqual(headers.get("cache-control"), "no-cache")
      }
      assert.strictEqual((yield* request(`${url}/api/events`)).status, 401)
      const { body } = yield* request(url)
      assert.notMatch(String(body), /(src|href)="(\/|https?:)| style=/)
    }).pipe(Effect.scoped, withPlane))

  it.live("is sent once, and again only when it is another", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const first = yield* request(`${url}/page.js`)
      const etag = first.headers.get("etag") ?? ""
      assert.match(etag, /^"[\w-]{22}"$/)
      const again = yield* request(`${url}/page.js`, { headers: { "if-none-match": etag } })
      assert.deepStrictEqual([again.status, again.body], [304, ""])
      assert.strictEqual((yield* request(`${url}/page.js`, { headers: { "if-none-match": "\"other\"" } })).status, 200)
    }).pipe(Effect.scoped, withPlane))

  it.live("is refused to foreign pages, and answers no other method", () =>
    Effect.gen(function*() {
      const url = yield* served()
      assert.strictEqual(yield* statusOf(url, { host: "evil.example" }), 403)
      assert.strictEqual(yield* statusOf(`${url}/page.js`, { origin: "http://evil.example" }), 403)
      assert.strictEqual((yield* request(url, { method: "POST" })).status, 405)
      assert.strictEqual((yield* request(`${url}/page`)).status, 404)
    }).pipe(Effect.scoped, withPlane))

  it.live("stays small: its script below 24 kB and its style below 6 kB, compressed", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const sizeOf = (path: string) => Effect.map(request(`${url}${path}`), ({ body }) => gzipSync(String(body)).length)
      assert.isBelow(yield* sizeOf("/page.js"), 24_000)
      assert.isBelow(yield* sizeOf("/page.css"), 6_000)
    }).pipe(Effect.scoped, withPlane))
})
