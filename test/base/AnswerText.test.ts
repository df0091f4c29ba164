import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:http"
import { gzipSync } from "node:zlib"
import { answerText } from "../../src/base/AnswerText.js"

const request = HttpClientRequest.get("http://plane.test")

/** The text of an answer, or why it is not read. */
const read = (body: string, headers: Readonly<Record<string, string>>, limit: number) =>
  answerText(HttpClientResponse.fromWeb(request, new Response(body, { headers })), limit).pipe(
    Effect.catchAll(({ _tag }) => Effect.succeed(_tag))
  )

/** A server whose answers are packed: few bytes on the wire, many for who reads them. */
const packing = (body: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly close: () => void }>((resume) => {
      const packed = gzipSync(body)
      const server = createServer((_, response) => {
        response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length })
        response.end(packed)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

describe("answerText", () => {
  it.effect("is the whole text, however its length is announced", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* read("abcd", { "content-length": "4" }, 4), "abcd")
      assert.strictEqual(yield* read("abcd", {}, 4), "abcd")
      assert.strictEqual(yield* read("", {}, 0), "")
    }))

  it.effect("is not read beyond the limit, whatever is announced", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* read("abcde", { "content-length": "5" }, 4), "BodyTooLarge")
      assert.strictEqual(yield* read("abcde", {}, 4), "BodyTooLarge")
      assert.strictEqual(yield* read("abcde", { "content-length": "many" }, 4), "BodyTooLarge")
    }))

  it.scopedLive("is not read beyond the limit when the client unpacks more than is announced", () =>
    Effect.gen(function*() {
      const { url } = yield* packing("a".repeat(1_000_000))
      const response = yield* HttpClient.get(url)
      assert.isBelow(Number(response.headers["content-length"]), 10_000)
      assert.strictEqual((yield* Effect.flip(answerText(response, 10_000)))._tag, "BodyTooLarge")
    }).pipe(Effect.provide(FetchHttpClient.layer)))
})
