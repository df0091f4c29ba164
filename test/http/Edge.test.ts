import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { delivery, event, publishing, raw, secret, send } from "../attack/Wire.js"
import { request, served, withPlane } from "./Server.js"

const started = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.map(served({ ORCH_PLANE_API_TOKEN: "", ORCH_GITEA_WEBHOOK_SECRET: secret, ...settings }), (url) => ({
    url,
    port: Number(new URL(url).port)
  }))

const host = ["Host", "localhost"] as const

describe("a request at the edge", () => {
  it.live("row 67: whose body comes in a great number of tiny chunks is cut off, and some tiny ones are taken", () =>
    Effect.gen(function*() {
      const to = yield* started()
      const chunked = (line: string, chunks: ReadonlyArray<string>, extra: ReadonlyArray<readonly [string, string]>) =>
        raw(
          line,
          [host, ["Content-Type", "application/json"], ["Transfer-Encoding", "chunked"], ...extra],
          chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("") + "0\r\n\r\n"
        )
      const signed = [["X-Gitea-Event-Type", "push"], ["X-Gitea-Signature", "0".repeat(64)]] as const
      const tiny = Array.from({ length: 100_000 }, () => " ")
      for (const line of ["POST /api/events", "POST /webhooks/gitea", "POST /nothing", "GET /health"]) {
        const { took } = yield* send(to, chunked(line, tiny, signed))
        assert.isBelow(took, 3_000, line)
      }
      assert.strictEqual((yield* send(to, chunked("POST /api/events", Array.from(event), []))).status, 202)
      const long = [event, ...Array.from({ length: 3_000 }, () => " ".repeat(100))]
      assert.strictEqual((yield* send(to, chunked("POST /api/events", long, []))).status, 202)
    }).pipe(Effect.scoped, withPlane))

  it.live("row 64: that offers another protocol is answered as HTTP/1.1, with its body read", () =>
    Effect.gen(function*() {
      const to = yield* started()
      const offers = [
        [["Connection", "Upgrade, HTTP2-Settings"], ["Upgrade", "h2c"], ["HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"]],
        [["Connection", "keep-alive, Upgrade"], ["Upgrade", "websocket"], ["Sec-WebSocket-Version", "13"]],
        [["Upgrade", "TLS/1.0"], ["Connection", "Upgrade"]]
      ] as const
      for (const offer of offers) {
        assert.strictEqual((yield* send(to, publishing(event, offer))).status, 202)
        assert.strictEqual((yield* send(to, delivery("{}", { extra: offer }))).status, 202)
        assert.strictEqual((yield* send(to, raw("GET /health", [host, ...offer]))).status, 200)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("row 81: with two of a header that there is one of is refused, and so is one of two lengths", () =>
    Effect.gen(function*() {
      const to = yield* started()
      const twice = [
        publishing(event, [host]),
        publishing(event, [["HOST", "evil.example"]]),
        publishing(event, [["Authorization", "Bearer a"], ["Authorization", "Bearer b"]]),
        publishing(event, [["content-type", "text/plain"]]),
        publishing(event, [["Content-Length", "1"]]),
        publishing(event, [["Transfer-Encoding", "chunked"]]),
        delivery("{}", { extra: [["Host", "b.example"]] }),
        raw("GET /docs", [host, host]),
        raw("GET /nothing", [host, host]),
        raw("GET /health", [])
      ]
      for (const bytes of twice) assert.strictEqual((yield* send(to, bytes)).status, 400, bytes.toString())
      const { text } = yield* send(to, raw("GET /health", [host, host]))
      assert.include(text, "More than one header host")
      assert.strictEqual((yield* send(to, raw("GET /health", [host]))).status, 200)
    }).pipe(Effect.scoped, withPlane))
})

describe("an answer at the edge", () => {
  it.live("row 73: whatever it is, forbids frames, guesses and foreign content, and is not kept", () =>
    Effect.gen(function*() {
      const to = yield* started({ ORCH_API_TOKEN: "s3cret" })
      const requests = [
        [200, raw("GET /health", [host])],
        [200, raw("HEAD /health", [host])],
        [200, raw("GET /openapi.json", [host])],
        [401, raw("GET /api/events", [host])],
        [404, raw("GET /nothing", [host])],
        [405, raw("DELETE /api/events", [host])],
        [403, raw("GET /health", [host, ["Origin", "http://evil.example"]])],
        [400, raw("GET /health", [host, host])],
        [202, delivery("{}")],
        [401, delivery("{}", { signature: "0".repeat(64) })],
        [503, raw("POST /webhooks/plane", [host, ["Content-Type", "application/json"], ["Content-Length", "0"]])],
        [400, Buffer.from("nonsense\r\n\r\n")],
        [431, raw("GET /health", [host, ["X", "x".repeat(20_000)]])]
      ] as const
      for (const [status, bytes] of requests) {
        const answer = yield* send(to, bytes, 1_000)
        const what = `${bytes.toString().slice(0, 80)}: ${answer.text}`
        assert.strictEqual(answer.status, status, what)
        for (
          const header of [
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
          ]
        ) assert.include(answer.text.toLowerCase(), `\r\n${header.toLowerCase()}\r\n`, what)
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("row 73: of the documentation runs the scripts of its page, and no others", () =>
    Effect.gen(function*() {
      const { url } = yield* started()
      const { body, headers } = yield* request(`${url}/docs`)
      const policy = headers.get("content-security-policy") ?? ""
      const [, script = ""] = /<script>(.*?)<\/script>/s.exec(String(body)) ?? []
      assert.isAbove(script.length, 1_000_000)
      assert.include(policy, `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}';`)
      assert.notMatch(policy, /script-src[^;]*unsafe/)
      assert.include(policy, "frame-ancestors 'none'")
      assert.include(policy, "connect-src 'self'")
    }).pipe(Effect.scoped, withPlane))
})

describe("a token", () => {
  it.live("row 73: of another scheme than Bearer is none", () =>
    Effect.gen(function*() {
      const { url } = yield* started({ ORCH_API_TOKEN: "s3cret", ORCH_OPERATOR_TOKEN: "0perator" })
      const events = (authorization: string) => request(`${url}/api/events`, { headers: { authorization } })
      for (const token of ["s3cret", "0perator"]) {
        for (const given of ["XXXXXXX", "Basic ", "Bearer", "Token ", "", "Bearer Bearer ", "xBearer ", "Bearer x "]) {
          assert.strictEqual((yield* events(`${given}${token}`)).status, 401, given)
        }
        for (const given of ["Bearer ", "bearer ", "BEARER  "]) {
          assert.strictEqual((yield* events(`${given}${token}`)).status, 200, given)
        }
      }
    }).pipe(Effect.scoped, withPlane))
})
