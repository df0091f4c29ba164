import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Redacted } from "effect"
import { createHmac } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { connections } from "../../src/base/Connections.js"
import { webhookLayer } from "../../src/launching/AgentWebhook.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { LaunchFailed } from "../../src/tasks/LaunchFailed.js"
import { faster } from "../support/MovableClock.js"
import { hostile, launchOf, oneProject, until } from "./Agents.js"

const secret = "s3cret-of-agents"

interface Got {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** A server of somebody else, and the launcher that tells it. */
const receiver = (answer: (response: ServerResponse, request: IncomingMessage) => void) =>
  Effect.gen(function*() {
    const got: Array<Got> = []
    const closed: Array<string> = []
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            const { headers, method = "", url = "" } = request
            got.push({ method, path: url, headers, body: Buffer.concat(chunks).toString() })
            answer(response, request)
          })
          response.on("close", () => closed.push(request.url ?? ""))
        })
      ),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const url = yield* Effect.async<string>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed(`http://127.0.0.1:${port}`))
      })
    })
    const context = yield* Layer.build(
      webhookLayer({ url: `${url}/agents`, secret: Redacted.make(secret) }).pipe(
        Layer.provide([connections, oneProject])
      )
    )
    return { got, closed, url, ...Context.get(context, AgentLauncher) }
  })

const answers = (status: number, headers: Record<string, string> = {}, body = "") => (response: ServerResponse) =>
  void response.writeHead(status, headers).end(body)

const errorOf = <A, E>(call: Effect.Effect<A, E>) => Effect.map(Effect.flip(call), String)

describe("an agent that is launched by a webhook", () => {
  it.scopedLive("is a signed POST: the raw body's HMAC, the action, and the transition as idempotency key", () =>
    Effect.gen(function*() {
      const { got, launch, stop } = yield* receiver(answers(202))
      yield* launch(launchOf({ agent: hostile }))
      yield* launch(launchOf({ agent: hostile }))
      yield* stop(launchOf())
      assert.deepStrictEqual(got.map(({ headers, method, path }) => [method, path, headers["x-plane-sync-event"]]), [
        ["POST", "/agents", "launch"],
        ["POST", "/agents", "launch"],
        ["POST", "/agents", "stop"]
      ])
      for (const { body, headers } of got) {
        assert.strictEqual(headers["x-plane-sync-delivery"], "0193-entry")
        assert.strictEqual(headers["content-type"], "application/json")
        assert.strictEqual(
          headers["x-plane-sync-signature"],
          createHmac("sha256", secret).update(body).digest("hex")
        )
        assert.notInclude(JSON.stringify(headers) + body, secret)
      }
      assert.strictEqual(got[0]?.body, got[1]?.body)
      assert.containSubset(JSON.parse(got[0]?.body ?? ""), {
        action: "launch",
        transition: "0193-entry",
        workItem: "ET-002",
        stage: "analysis",
        agent: hostile,
        task: { status: "active", startedAt: "2026-11-29T08:30:00.000Z" }
      })
      assert.containSubset(JSON.parse(got[2]?.body ?? ""), { action: "stop", workItem: "ET-002" })
    }))

  it.scopedLive("is not launched when the receiver refuses: what it says is shown, without secret and controls", () =>
    Effect.gen(function*() {
      let status = 401
      const { launch } = yield* receiver((response) =>
        void response.writeHead(status).end(`no \u001b[31m${secret}\u0007`)
      )
      const said = yield* errorOf(launch(launchOf()))
      assert.include(said, "ORCH_AGENT_WEBHOOK answered 401: check that the receiver has the secret of ")
      assert.include(said, "ORCH_AGENT_WEBHOOK_SECRET (no \\u001b[31m<redacted>\\u0007)")
      status = 404
      assert.include(yield* errorOf(launch(launchOf())), "answered 404: check ORCH_AGENT_WEBHOOK (")
      status = 503
      assert.include(yield* errorOf(launch(launchOf())), "ORCH_AGENT_WEBHOOK answered 503 (")
    }))

  it.scopedLive("is not asked again before the moment that the receiver names", () =>
    Effect.gen(function*() {
      const { launch } = yield* receiver(answers(429, { "Retry-After": "90" }))
      const error = yield* Effect.flip(launch(launchOf()))
      assert.deepStrictEqual(error instanceof LaunchFailed ? error.retryAfter : undefined, Duration.seconds(90))
    }))

  it.scopedLive("follows no redirect, so that nobody else gets the launch", () =>
    Effect.gen(function*() {
      for (const status of [301, 302, 307, 308]) {
        const { got, launch } = yield* receiver(answers(status, { location: "/elsewhere" }))
        const said = yield* errorOf(launch(launchOf()))
        assert.include(said, `answered ${status}, a redirect, which is not followed: set ORCH_AGENT_WEBHOOK`)
        assert.lengthOf(got, 1)
      }
    }))

  it.scopedLive("reads no endless answer: a refusal has failed, and what was taken is taken", () =>
    Effect.gen(function*() {
      let status = 500
      let sent = 0
      const { closed, launch } = yield* receiver((response) => {
        response.writeHead(status)
        const write = () => {
          while (!response.destroyed) {
            sent += 16_384
            if (!response.write("x".repeat(16_384))) {
              response.once("drain", write)
              return
            }
          }
        }
        write()
      })
      assert.include(yield* errorOf(launch(launchOf())), "ORCH_AGENT_WEBHOOK answered 500, and more than 64 KiB")
      yield* until(() => closed.length === 1)
      status = 200
      yield* launch(launchOf())
      yield* until(() => closed.length === 2)
      assert.isBelow(sent, 50 * 1024 * 1024)
    }))

  it.scopedLive("gives up a receiver that does not answer, or drips its answer, after 10 seconds", () =>
    Effect.gen(function*() {
      const silent = yield* receiver(() => undefined)
      const [took, said] = yield* Effect.timed(faster(20)(errorOf(silent.launch(launchOf()))))
      assert.include(said, "no whole answer within 10s")
      assert.isBelow(Duration.toMillis(took), 3_000)
      yield* until(() => silent.closed.length === 1)
      const dripping = yield* receiver((response) => {
        response.writeHead(500)
        const timer = setInterval(() => response.write("x"), 20)
        response.once("close", () => clearInterval(timer))
      })
      assert.include(yield* faster(20)(errorOf(dripping.launch(launchOf()))), "no whole answer within 10s")
    }))

  it.scopedLive("is not launched while nothing listens there", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(
        webhookLayer({ url: "http://127.0.0.1:1/", secret: Redacted.make(secret) }).pipe(
          Layer.provide([connections, oneProject])
        )
      )
      const said = yield* errorOf(Context.get(context, AgentLauncher).launch(launchOf()))
      assert.include(said, "nothing listens at 127.0.0.1:1: check ORCH_AGENT_WEBHOOK")
    }))
})
