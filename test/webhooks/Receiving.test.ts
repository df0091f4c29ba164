import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Http from "node:http"
import { connect } from "node:net"
import { folder, request, served, withPlane } from "../http/Server.js"
import { faster } from "../support/MovableClock.js"
import { deliver, secrets, signature } from "./Sender.js"

const settings = {
  ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
  ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea
}

const rowsOf = (file: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      sql<{ source: string; body: string }>`SELECT source, body
        FROM plane_sync_webhook JOIN plane_sync_webhook_body USING (id)`
  )
    .pipe(Effect.provide(SqliteClient.layer({ filename: file })))

/** A hook of which only `sent` bytes come, with a signature that is made up. */
const unfinished = (url: string, length: number | undefined, sent: number, source: "gitea" | "plane" = "gitea") => {
  const socket = connect(Number(new URL(url).port), "127.0.0.1")
  socket.on("error", () => undefined).write(
    `POST /webhooks/${source} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `X-${source}-Signature: ${"0".repeat(64)}\r\n` +
      (length === undefined
        ? `Transfer-Encoding: chunked\r\n\r\n${sent.toString(16)}\r\n`
        : `Content-Length: ${length}\r\n\r\n`) +
      " ".repeat(sent)
  )
  return socket
}

const healthOf = (url: string) =>
  Effect.map(request(`${url}/health`), ({ body }) =>
    (body as {
      webhooks: Record<"plane" | "gitea", { lastAccepted: string | null; lastRefused: { why: string } | null }>
    }).webhooks)

describe("POST /webhooks", () => {
  it.live("stores the bytes that were signed, whatever the Host, and answers 202", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file, ORCH_API_TOKEN: "t" })
      const body = "{\"event\": \"cycle\",\n \"name\": \"\\u017b\\u00f3\\u0142w\", \"data\" : {} }"
      for (const source of ["plane", "gitea"] as const) {
        const answer = yield* deliver(url, source, body, { headers: { host: "orchestrator.internal:8500" } })
        assert.deepStrictEqual([answer.status, answer.body], [202, "{\"accepted\":true}"])
      }
      assert.deepStrictEqual(yield* rowsOf(file), [{ source: "plane", body }, { source: "gitea", body }])
      const { gitea, plane } = yield* healthOf(url)
      assert.isString(plane.lastAccepted)
      assert.isString(gitea.lastAccepted)
      assert.isNull(plane.lastRefused)
    }).pipe(Effect.scoped, withPlane))

  it.live("refuses every signature that is not exactly right, and stores nothing", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file })
      const body = "{\"event\":\"cycle\",\"data\":{}}"
      for (const source of ["plane", "gitea"] as const) {
        const right = signature(source, body)
        const wrong = [
          undefined,
          "",
          right.slice(0, 63),
          right.slice(0, 8),
          right.toUpperCase(),
          `sha256=${right}`,
          ` ${right}0`,
          signature(source, `${body} `),
          signature(source === "plane" ? "gitea" : "plane", body)
        ]
        for (const signed of wrong) {
          const answer = yield* deliver(url, source, body, { signature: signed })
          assert.strictEqual(answer.status, 401, String(signed))
          assert.notInclude(answer.body, secrets[source])
          assert.isUndefined(answer.headers["www-authenticate"])
        }
        assert.include((yield* healthOf(url))[source].lastRefused?.why, `ORCH_${source.toUpperCase()}_WEBHOOK_SECRET`)
      }
      assert.deepStrictEqual(yield* rowsOf(file), [])
    }).pipe(Effect.scoped, withPlane))

  it.live("without a secret says which to set, unless unsigned hooks are allowed", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea })
      const refused = yield* deliver(url, "plane", "{}")
      assert.strictEqual(refused.status, 503)
      assert.include(refused.body, "ORCH_PLANE_WEBHOOK_SECRET")
      assert.strictEqual((yield* deliver(url, "gitea", "{}")).status, 202)

      const trusting = yield* served({ ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea, ORCH_WEBHOOKS_INSECURE: "true" })
      assert.strictEqual((yield* deliver(trusting, "plane", "{}", { signature: undefined })).status, 202)
      assert.strictEqual((yield* deliver(trusting, "gitea", "{}", { signature: undefined })).status, 401)
      const browser = { headers: { origin: "http://evil.example", host: "evil.example" } }
      assert.strictEqual((yield* deliver(trusting, "plane", "{}", browser)).status, 403)
    }).pipe(Effect.scoped, withPlane))

  it.live("names a wrong method, type and body", () =>
    Effect.gen(function*() {
      const url = yield* served(settings)
      for (const source of ["plane", "gitea"] as const) {
        const got = yield* request(`${url}/webhooks/${source}`)
        assert.deepStrictEqual([got.status, got.headers.get("allow")], [405, "POST"])
        const form = { headers: { "content-type": "application/x-www-form-urlencoded" } }
        assert.strictEqual((yield* deliver(url, source, "payload=%7B%7D", form)).status, 415)
        for (const broken of ["", "{", "\u0000", "{\"a\":1}}"]) {
          assert.strictEqual((yield* deliver(url, source, broken)).status, 400, broken)
        }
        assert.strictEqual((yield* deliver(url, source, Buffer.from([0x22, 0xff, 0x22]))).status, 400)
      }
      assert.strictEqual((yield* request(`${url}/webhooks/github`, { method: "POST" })).status, 404)
    }).pipe(Effect.scoped, withPlane))

  it.live("does not wait for a body that does not come", () =>
    Effect.gen(function*() {
      const url = yield* faster(10)(served(settings))
      const status = yield* Effect.async<number | undefined>((resume) => {
        const sending = Http.request(`${url}/webhooks/gitea`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "content-length": "100",
            "x-gitea-signature": signature("gitea", "{")
          }
        }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
        sending.on("error", () => undefined)
        sending.write("{")
      })
      assert.strictEqual(status, 408)
    }).pipe(Effect.scoped, withPlane))

  it.live("a hook cannot be stored: Plane's connection breaks, Gitea gets an answer", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file })
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP TABLE plane_sync_webhook`).pipe(
        Effect.provide(SqliteClient.layer({ filename: file }))
      )
      assert.strictEqual((yield* deliver(url, "gitea", "{}")).status, 500)
      const plane = yield* Effect.exit(deliver(url, "plane", "{}"))
      assert.strictEqual(plane._tag, "Failure")
      assert.include(JSON.stringify(plane), "ECONNRESET")
      const { status } = (yield* request(`${url}/health`)).body as { status: string }
      assert.strictEqual(status, "degraded")
    }).pipe(Effect.scoped, withPlane))

  it.live("a body that is announced and not sent takes up no room", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file })
      const sockets = [
        ...Array.from({ length: 20 }, () => unfinished(url, 5 * 1024 * 1024, 1)),
        ...Array.from({ length: 20 }, () => unfinished(url, undefined, 1))
      ]
      yield* Effect.sleep("100 millis")
      for (const source of ["plane", "gitea"] as const) {
        assert.strictEqual((yield* deliver(url, source, "{}")).status, 202)
      }
      assert.lengthOf(yield* rowsOf(file), 2)
      for (const socket of sockets) socket.destroy()
    }).pipe(Effect.scoped, withPlane))

  it.live("row 66: who holds a large hook open loses its room, by an answer at Gitea's path; others are taken", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file })
      const mebi = 1024 * 1024
      const answers: Array<string> = []
      const ended = { gitea: 0, plane: 0 }
      // All but the last byte of each.
      const sockets = Array.from({ length: 64 }, (_, n) => {
        const source = n % 2 === 0 ? "gitea" : "plane"
        return unfinished(url, mebi, mebi - 1, source)
          .on("data", (data) => void answers.push(`${source} ${String(data).slice(9, 12)}`))
          .on("close", () => void (ended[source] += 1))
      })
      for (const source of ["plane", "gitea"] as const) {
        assert.strictEqual((yield* deliver(url, source, `"${"x".repeat(1024)}"`)).status, 202)
        assert.strictEqual((yield* deliver(url, source, `"${"x".repeat(200_000)}"`)).status, 202)
      }
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => answers.length > 3 && ended.plane > 3 }).pipe(
        Effect.timeout("9 seconds")
      )
      // Plane sends again only when its connection breaks.
      assert.deepStrictEqual(Array.from(new Set(answers)), ["gitea 503"])
      assert.lengthOf(yield* rowsOf(file), 4)
      const refusals = yield* healthOf(url)
      for (const source of ["plane", "gitea"] as const) {
        assert.include(refusals[source].lastRefused?.why, "in flight")
      }
      for (const socket of sockets) socket.destroy()
    }).pipe(Effect.scoped, withPlane))

  it.live("a sender that goes away in the middle leaves nothing behind", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      const url = yield* served({ ...settings, ORCH_DATABASE_URL: file })
      const socket = connect(Number(new URL(url).port), "127.0.0.1")
      socket.write(
        "POST /webhooks/gitea HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n" +
          `X-Gitea-Signature: ${signature("gitea", "{")}\r\n\r\n{`
      )
      yield* Effect.sleep("50 millis")
      socket.destroy()
      assert.strictEqual((yield* deliver(url, "gitea", "{}")).status, 202)
      assert.lengthOf(yield* rowsOf(file), 1)
    }).pipe(Effect.scoped, withPlane))
})
