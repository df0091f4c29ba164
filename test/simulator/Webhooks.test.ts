import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { createHmac } from "node:crypto"
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import { PlaneSimulator, type WebhookRequest } from "../../src/simulator/PlaneSimulator.js"
import { differences } from "./shape.js"
import { comment, itemUrl, move, projectPath, send, until, withItem } from "./support.js"

const secret = "plane_wh_3f9c"

interface Receipt {
  readonly method: string
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** A receiver on a real socket that answers every delivery with `status`. */
const receiver = (status: number, answer: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const receipts: Array<Receipt> = []
    const server = Http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        receipts.push({
          method: request.method ?? "",
          headers: request.headers,
          body: Buffer.concat(chunks).toString()
        })
        response.writeHead(status, answer).end()
      })
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const address = server.address()
    return { receipts, url: `http://127.0.0.1:${typeof address === "object" ? address?.port ?? 0 : 0}/plane` }
  })

const Shape = Schema.Struct({
  name: Schema.String,
  body: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})

const shapes = readFileSync(new URL("./fixtures/webhooks.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => Schema.decodeUnknownSync(Schema.parseJson(Shape))(line))

const field = (body: string, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), JSON.parse(body))

describe("webhooks", () => {
  it.scopedLive("tell of its own writes and of a person's, signed over Python's JSON", () =>
    Effect.gen(function*() {
      const { receipts, url } = yield* receiver(500)
      yield* Effect.gen(function*() {
        const { item, plane } = yield* withItem
        yield* move(plane, item.id, "Done")
        yield* move(plane, item.id, "Done")
        yield* comment(plane, item.id, "a")
        yield* send(itemUrl(plane, item.id), "PATCH", {
          key: plane.token,
          body: { name: "Żółw – “🐢”", priority: "high" }
        })
        yield* plane.moveWorkItem(item.id, "Cancelled")
        yield* plane.deleteWorkItem(item.id)
        yield* until(Effect.sync(() => receipts.length >= 6))
        yield* until(Effect.map(plane.hooks, (all) => all.length >= 6))

        const told = receipts.map(({ body }) => [
          field(body, "event"),
          field(body, "action"),
          field(body, "activity", "field"),
          field(body, "activity", "actor", "display_name")
        ])
        const bot = plane.bot.name
        const person = plane.person.name
        assert.sameDeepMembers(told, [
          ["issue", "created", null, person],
          ["issue", "updated", "state", bot],
          ["issue_comment", "created", null, bot],
          ["issue", "updated", "name", bot],
          ["issue", "updated", "priority", bot],
          ["issue", "updated", "state_id", person]
        ])
        for (const { body, headers } of receipts) {
          const signature = (text: string) => createHmac("sha256", secret).update(text).digest("hex")
          assert.strictEqual(headers["x-plane-signature"], signature(body))
          assert.notStrictEqual(headers["x-plane-signature"], signature(JSON.stringify(JSON.parse(body))))
          assert.strictEqual(headers["x-plane-event"], field(body, "event"))
          assert.match(String(headers["x-plane-delivery"]), /^[0-9a-f-]{36}$/)
          assert.match(body, /^[\x20-\x7e]+$/)
          assert.isTrue(body.startsWith(`{"event": "issue`))
        }
        const moved = receipts.find(({ body }) => field(body, "activity", "field") === "state")
        assert.strictEqual(field(moved?.body ?? "", "activity", "new_value"), plane.stateId("Done"))
        assert.strictEqual(field(moved?.body ?? "", "activity", "old_value"), plane.stateId("Todo"))
        const named = receipts.find(({ body }) => field(body, "activity", "field") === "name")
        assert.include(named?.body, `\\u017b\\u00f3\\u0142w \\u2013 \\u201c\\ud83d\\udc22\\u201d`)
        assert.include(named?.body, `"sort_order": 65535.0`)
        assert.deepStrictEqual(
          (yield* plane.hooks).map(({ attempt, status }) => [attempt, status]),
          told.map(() => [1, 500])
        )
      }).pipe(Effect.provide(PlaneSimulator.layer({ rateLimit: "off", webhook: { url, secret } })))
    }))

  it.scopedLive("go to the receiver that was registered last, and to no other", () =>
    Effect.gen(function*() {
      const first = yield* receiver(200)
      const second = yield* receiver(200)
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        yield* plane.addWorkItem({ name: "before there was any" })
        for (const { receipts, url } of [first, second]) {
          yield* plane.registerWebhook({ url, secret })
          yield* plane.addWorkItem({ name: "after" })
          yield* until(Effect.sync(() => receipts.length >= 1))
        }
        assert.deepStrictEqual([first, second].map(({ receipts }) => receipts.length), [1, 1])
      }).pipe(Effect.provide(PlaneSimulator.layer({ rateLimit: "off" })))
    }))

  it.scopedLive("follow a redirect on 1.3, which loses a POST to a 302; 1.4 follows none", () =>
    Effect.forEach(["1.3", "1.4"] as const, (version) =>
      Effect.gen(function*() {
        const last = yield* receiver(200)
        const first = yield* receiver(302, { Location: last.url })
        yield* Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          yield* plane.addWorkItem({ name: "sent on" })
          yield* until(Effect.map(plane.hooks, ({ length }) => length > 0))
          assert.deepStrictEqual(
            last.receipts.map(({ body, method }) => [method, body]),
            version === "1.3" ? [["GET", ""]] : []
          )
          assert.deepStrictEqual((yield* plane.hooks).map(({ status }) => status), [version === "1.3" ? 200 : 302])
        }).pipe(Effect.provide(PlaneSimulator.layer({ plane: version, webhook: { url: first.url, secret } })))
      }), { discard: true }))

  it.scopedLive("have the keys and types of the real one's", () =>
    Effect.gen(function*() {
      const { receipts, url } = yield* receiver(200)
      yield* Effect.gen(function*() {
        const { item, plane } = yield* withItem
        const key = plane.token
        const made = yield* comment(plane, item.id, "poke-1")
        // Its snapshot is of the moment of sending: the change must come after that.
        yield* until(Effect.sync(() => receipts.length >= 2))
        const comments = `${itemUrl(plane, item.id)}comments/`
        yield* send(`${comments}${String(field(made.text, "id"))}/`, "PATCH", {
          key,
          body: { comment_html: "<p>b</p>" }
        })
        yield* send(itemUrl(plane, item.id), "PATCH", { key, body: { priority: "high" } })
        yield* send(`${plane.url}${projectPath(plane)}work-items/`, "POST", { key, body: { name: "Buy new poles" } })
        yield* until(Effect.sync(() => receipts.length >= 5))
        for (const { body, name } of shapes) {
          const actor = field(JSON.stringify(body), "activity", "actor", "display_name")
          const like = receipts.find((receipt) =>
            `${String(field(receipt.body, "event"))} ${String(field(receipt.body, "action"))}` ===
              `${String(body["event"])} ${String(body["action"])}` &&
            field(receipt.body, "activity", "actor", "display_name") === actor
          )
          assert.deepStrictEqual(differences(body, JSON.parse(like?.body ?? "null"), false, name), [])
        }
      }).pipe(Effect.provide(PlaneSimulator.layer({ rateLimit: "off", webhook: { url, secret } })))
    }))

  it.scoped("are retried after connection errors only, five times, and then switched off", () => {
    const sent: Array<WebhookRequest> = []
    const send = (request: WebhookRequest) =>
      Effect.suspend(() => {
        sent.push(request)
        return Effect.fail("connection refused")
      })
    return Effect.gen(function*() {
      const { item, plane } = yield* withItem
      yield* TestClock.adjust("0 millis")
      assert.lengthOf(sent, 1)
      yield* TestClock.adjust("50 minutes")
      assert.lengthOf(sent, 6)
      assert.strictEqual(new Set(sent.map((each) => each.headers["X-Plane-Delivery"])).size, 6)
      yield* plane.moveWorkItem(item.id, "Done")
      yield* TestClock.adjust("50 minutes")
      assert.lengthOf(sent, 6)
    }).pipe(Effect.provide(PlaneSimulator.layerMemory({ webhook: { url: "http://orchestrator.test/", secret, send } })))
  })
})
