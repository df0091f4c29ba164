import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Fiber, Layer, Stream, TestClock } from "effect"
import { createHash } from "node:crypto"
import * as Http from "node:http"
import { connect } from "node:net"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { Storage } from "../../src/StorageLayers.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { Receiver } from "../../src/webhooks/Receiver.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import { request, served, withPlane } from "../http/Server.js"
import { changed, fixture } from "./Fixtures.js"
import { alone, moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"
import { deliver, secrets, signature } from "./Sender.js"

const mebi = 1024 * 1024

/** A description of so many bytes. */
const description = (bytes: number) => "<p class=\"a\">&lt;</p>\n".repeat(bytes / 22)

/** As Plane writes it where it escapes markup. */
const escaped = (body: string) => body.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026")

/** A move to a started state of a work item with a large description. */
const largeMove = (number: number, bytes: number) => {
  const move = JSON.parse(moveBody({ number, to: "inProgress", at: number })) as { readonly data: object }
  const html = description(bytes)
  return escaped(
    JSON.stringify({ ...move, data: { description_html: html, ...move.data, description_stripped: html } })
  )
}

const largePush = (bytes: number) =>
  changed("gitea/push", {
    commits: Array.from({ length: bytes / 500 }, (_, n) => ({ id: sha(`commit ${n}`), message: "x".repeat(400) }))
  })

interface Skipped {
  readonly kind: string
  readonly count: number
}

const skippedOf = (url: string) =>
  Effect.map(
    request(`${url}/health`),
    ({ body }) =>
      (body as { readonly webhooks: Record<"gitea" | "plane", { readonly skipped: ReadonlyArray<Skipped> }> }).webhooks
  )

const kindsOf = (skipped: ReadonlyArray<Skipped>) => skipped.map(({ count, kind }) => `${kind} ${count}`)

describe("row 32: a large hook", () => {
  it.live("of Plane, 9 MB and 25 MB, moves its work item; only what is read is kept", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      for (const [number, bytes] of [[7, 4.5 * mebi], [8, 12 * mebi]] as const) {
        const body = largeMove(number, bytes)
        assert.isAbove(body.length, (number === 7 ? 9 : 25) * 1_000_000)
        yield* at.plane(body)
        assert.strictEqual(yield* at.stage(number), "analysis active")
        const digest = createHash("sha256").update(body).digest("hex")
        const [row] = yield* at.sql<{ characters: number; body: string }>`SELECT characters, body
          FROM plane_sync_webhook JOIN plane_sync_webhook_body USING (id) WHERE digest = ${digest}`
        assert.isBelow(row?.characters ?? Infinity, 1_000)
        assert.strictEqual(row?.body.length, row?.characters)
        // It is known again.
        yield* at.plane(body)
      }
      yield* at.settled
      const reasons = (yield* at.inbox).map(({ reason }) => reason)
      const moved = "lea moved the work item to In Progress in Plane, so its task starts"
      assert.deepStrictEqual(reasons, [moved, "the same was worked on before", moved, "the same was worked on before"])
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("of Gitea that tells a fact is worked on like a small one", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const pull = { number: 88, workItem: 7, head: sha("large") }
      const body = `Closes ET-8\n${description(2 * mebi)}`
      yield* at.gitea("pull_request", pullBody("pull_request_opened", { ...pull, change: { body } }))
      const status = JSON.parse(statusBody({ id: 1, sha: pull.head })) as object
      yield* at.gitea("status", JSON.stringify({ ...status, commit: { message: description(3 * mebi) } }))
      yield* at.settled
      const claims = yield* at.sql<{ canonical: string }>`SELECT key AS canonical FROM plane_sync_claim ORDER BY key`
      assert.deepStrictEqual(claims.map(({ canonical }) => canonical), ["ET-7", "ET-8"])
      const statuses = yield* at.sql<{ state: string }>`SELECT state FROM plane_sync_commit_status`
      assert.deepStrictEqual(statuses.map(({ state }) => state), ["success"])
      const [kept] = yield* at.sql<{ characters: number }>`SELECT max(characters) AS characters FROM plane_sync_webhook`
      assert.isBelow(kept?.characters ?? Infinity, 400_000)
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("that moves nothing is verified, counted and not kept, nor is a small one", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const push = largePush(11 * mebi)
      assert.isAbove(push.length, 11_000_000)
      yield* at.gitea("push", push)
      yield* at.gitea("push", fixture("gitea/push"))
      yield* at.gitea("issues", fixture("gitea/pr_issue_comment"))
      const forged = yield* deliver(at.url, "gitea", push, { event: "push", signature: signature("plane", push) })
      assert.strictEqual(forged.status, 401)
      assert.deepStrictEqual(yield* at.inbox, [])
      const { gitea, plane } = yield* skippedOf(at.url)
      assert.deepStrictEqual([kindsOf(gitea.skipped), kindsOf(plane.skipped)], [["push 2", "issues 1"], []])
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live(
    "is refused over 32 MiB, announced or not, and so is one that is wrongly signed or no JSON",
    () =>
      Effect.gen(function*() {
        const at = yield* scene(alone)
        const over = Buffer.alloc(33 * mebi, " ")
        assert.strictEqual((yield* deliver(at.url, "plane", over)).status, 413)
        // Its connection ends with the answer, so this must not come before all is sent.
        assert.strictEqual(yield* sendAndEnd(at.url, over), "HTTP/1.1 413 Payload Too Large")
        const chunked = { headers: { "content-length": "", "transfer-encoding": "chunked" } }
        assert.strictEqual((yield* sendInChunks(at.url, over)).status, 413, JSON.stringify(chunked))
        const right = largeMove(7, mebi)
        for (const signed of [signature("gitea", right), signature("plane", `${right} `)]) {
          const answer = yield* deliver(at.url, "plane", right, { signature: signed })
          assert.strictEqual(answer.status, 401)
          assert.include(answer.body, "ORCH_PLANE_WEBHOOK_SECRET")
        }
        const deep = `{"a":${"[".repeat(2 * mebi)}${"]".repeat(2 * mebi)}}`
        const latin = Buffer.concat([Buffer.from(`{"a":"${"x".repeat(2 * mebi)}`), Buffer.from([0xff, 0x22, 0x7d])])
        const control = `{"b":"${"x".repeat(2 * mebi)}\n"}`
        for (const broken of [right.slice(0, -1), `${right}}`, deep, latin, " ".repeat(2 * mebi), control]) {
          assert.strictEqual((yield* deliver(at.url, "plane", broken)).status, 400)
        }
        const name = JSON.stringify({ event: "issue", data: { id: "x".repeat(2 * mebi) } })
        assert.strictEqual((yield* deliver(at.url, "plane", name)).status, 413)
        assert.deepStrictEqual(yield* at.inbox, [])
        assert.strictEqual((yield* sendInChunks(at.url, Buffer.from(right))).status, 202)
        assert.strictEqual(yield* at.stage(7), "analysis active")
      }).pipe(Effect.scoped, withPlane),
    90_000
  )

  it.live("is taken up to 5 MiB where nobody signs", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_WEBHOOKS_INSECURE: "true" })
      const sized = (bytes: number) => deliver(url, "plane", `{${" ".repeat(bytes - 2)}}`, { signature: undefined })
      assert.strictEqual((yield* sized(5 * mebi)).status, 202)
      assert.strictEqual((yield* sized(5 * mebi + 1)).status, 413)
    }).pipe(Effect.scoped, withPlane), 90_000)

  it.live("waits for those before it, and lets small ones pass: all are taken", () =>
    Effect.gen(function*() {
      const at = yield* scene(alone)
      const numbers = Array.from({ length: 9 }, (_, n) => n + 1)
      const pushes = Array.from({ length: 12 }, () => largePush(6 * mebi))
      const large = yield* Effect.fork(Effect.all([
        Effect.forEach(numbers.slice(0, 3), (n) => at.plane(largeMove(n, 3 * mebi)), { concurrency: "unbounded" }),
        Effect.forEach(pushes, (body) => at.gitea("push", body), { concurrency: "unbounded" })
      ], { concurrency: "unbounded" }))
      yield* Effect.forEach(
        numbers.slice(3),
        (number) => at.plane(moveBody({ number, to: "inProgress", at: number })),
        { concurrency: 4 }
      )
      assert.isNull(large.unsafePoll())
      yield* Fiber.join(large)
      for (const number of numbers) assert.strictEqual(yield* at.stage(number), "analysis active")
    }).pipe(Effect.scoped, withPlane), 90_000)
})

/**
 * As a sender does that reads the answer only after it has sent all, and then closes the connection: its first line.
 */
const sendAndEnd = (url: string, body: Buffer) =>
  Effect.async<string>((resume) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.on("error", (error) => resume(Effect.succeed(String(error))))
    socket.write(
      `POST /webhooks/plane HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `X-Plane-Signature: ${signature("plane", body)}\r\nContent-Length: ${body.length}\r\n\r\n`
    )
    socket.write(body, () => {
      let answer = ""
      socket.on("data", (bytes) => void (answer += String(bytes)))
      socket.on("end", () => resume(Effect.succeed(answer.split("\r\n")[0] ?? "")))
    })
  })

/** Without a Content-Length. */
const sendInChunks = (url: string, body: Buffer) =>
  Effect.async<{ readonly status: number }>((resume) => {
    const sending = Http.request(`${url}/webhooks/plane`, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "x-plane-event": "issue",
        "x-plane-signature": signature("plane", body)
      }
    }, (response) => {
      response.resume()
      resume(Effect.succeed({ status: response.statusCode ?? 0 }))
    })
    sending.on("error", (error) => resume(Effect.die(error)))
    for (let from = 0; from < body.length; from += 50_000) sending.write(body.subarray(from, from + 50_000))
    sending.end()
  })

const receiving = Layer.provideMerge(
  Receiver.layer,
  Layer.mergeAll(BodyRoom.layer, Inbox.layer, SkippedHooks.layer, Stirs.layer, projectsLayer)
).pipe(
  Layer.provideMerge(Storage.layerFile(":memory:")),
  Layer.provide(
    Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["ORCH_GITEA_WEBHOOK_SECRET", secrets.gitea]])))
  )
)

describe("the receiver, of large hooks", () => {
  it.live(
    "row 66: reads sixteen at a time, and no other before; what goes away holds up nobody",
    () =>
      Effect.gen(function*() {
        const { receive } = yield* Receiver
        const body = Buffer.from(largePush(2 * mebi))
        const open = yield* Effect.makeLatch()
        let begun = 0
        const delivering = (announced: boolean) =>
          receive("gitea", {
            headers: {
              "content-type": "application/json",
              "x-gitea-event-type": "push",
              "x-gitea-signature": signature("gitea", body),
              ...(announced ? { "content-length": String(body.length) } : {})
            },
            body: Stream.fromEffect(Effect.sync(() => void (begun += 1))).pipe(
              Stream.zipRight(Stream.fromEffect(open.await)),
              Stream.flatMap(() => Stream.make(body))
            )
          })
        const first = yield* Effect.forEach(Array.from({ length: 16 }), (_, n) => Effect.fork(delivering(n % 2 === 0)))
        const others = yield* Effect.forEach(Array.from({ length: 8 }), (_, n) => Effect.fork(delivering(n % 2 === 0)))
        yield* Effect.sleep("50 millis")
        assert.strictEqual(begun, 16)
        yield* Fiber.interruptAll(others.slice(0, 2))
        yield* Fiber.interruptAll(first.slice(0, 4))
        yield* Effect.sleep("50 millis")
        assert.strictEqual(begun, 20)
        yield* open.open
        const taken = yield* Effect.forEach([...first.slice(4), ...others.slice(2)], Fiber.join)
        assert.deepStrictEqual(taken, Array.from({ length: 18 }, () => "counted"))
      }).pipe(Effect.provide(receiving)),
    90_000
  )

  it.effect("row 32: those whose senders are slow end, and one whose sender is not is taken meanwhile", () =>
    Effect.gen(function*() {
      const { receive } = yield* Receiver
      const body = Buffer.from(largePush(2 * mebi))
      const delivering = (bytes: Stream.Stream<Uint8Array>) =>
        receive("gitea", {
          headers: {
            "content-type": "application/json",
            "content-length": String(body.length),
            "x-gitea-event-type": "push",
            "x-gitea-signature": signature("gitea", body)
          },
          body: bytes
        })
      const pieces = (size: number) =>
        Stream.range(0, Math.ceil(body.length / size) - 1).pipe(
          Stream.map((n) => body.subarray(n * size, (n + 1) * size)),
          Stream.rechunk(1)
        )
      const slow = yield* Effect.forEach(
        Array.from({ length: 5 }),
        () => Effect.fork(Effect.flip(delivering(Stream.tap(pieces(1), () => Effect.sleep("1 second"))))),
        { concurrency: 1 }
      )
      yield* TestClock.adjust("1 second")
      // This one needs nearly all of the ten seconds, and comes in time.
      const steady = yield* Effect.fork(
        delivering(Stream.tap(pieces(64 * 1024), () => Effect.sleep("200 millis")))
      )
      yield* TestClock.adjust("15 seconds")
      for (const fiber of slow) {
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error._tag === "Refused" ? error.status : error._tag, 408)
      }
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* Fiber.join(steady), "counted")
    }).pipe(Effect.provide(receiving)))

  it.live(
    "row 25: any hook that names a repository is a reason to ask about it, large or small",
    () =>
      Effect.gen(function*() {
        const { receive } = yield* Receiver
        const { take } = yield* Stirs
        const repository = { id: 41, name: "rideworks/trail-maps" }
        for (
          const [event, body] of [
            ["push", largePush(2 * mebi)],
            ["push", fixture("gitea/push")],
            ["workflow_run", fixture("gitea/workflow_run_completed_pull_request")],
            ["workflow_job", fixture("gitea/workflow_job_completed")],
            ["action_run_success", fixture("gitea/action_run_failure")],
            ["action_run_recover", fixture("gitea/action_run_failure")]
          ] as const
        ) {
          const headers = { "content-type": "application/json", "x-forgejo-event-type": event }
          const signed = { ...headers, "x-forgejo-signature": signature("gitea", body) }
          assert.strictEqual(
            yield* receive("gitea", { headers: signed, body: Stream.make(Buffer.from(body)) }),
            "counted"
          )
          assert.deepStrictEqual(yield* take, [repository], event)
          const forged = { ...headers, "x-forgejo-signature": signature("plane", body) }
          yield* Effect.flip(receive("gitea", { headers: forged, body: Stream.make(Buffer.from(body)) }))
        }
        assert.isTrue((yield* Effect.timeoutOption(take, "20 millis"))._tag === "None")
      }).pipe(Effect.provide(receiving)),
    90_000
  )
})
