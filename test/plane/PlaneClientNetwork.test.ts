import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Exit, Fiber, Layer, Option, Runtime, Schedule, Scope, Tracer } from "effect"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { connect } from "node:net"
import { Worker } from "node:worker_threads"
import { connections } from "../../src/base/Connections.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { firstClient } from "../support/FirstClient.js"
import { item, settings, token } from "./FakePlane.js"

/** A server on loopback, and how many sockets it has had and has. */
const server = (answer: (request: Http.IncomingMessage, response: Http.ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.async<{ url: string; sockets: { all: number; open: number } }>((resume) => {
      const sockets = { all: 0, open: 0 }
      const http = Http.createServer(answer)
      servers.set(sockets, http)
      http.on("connection", (socket) => {
        sockets.all += 1
        sockets.open += 1
        socket.on("close", () => sockets.open -= 1)
      })
      http.listen(0, "127.0.0.1", () => {
        const address = http.address()
        resume(Effect.succeed({ url: `http://127.0.0.1:${isAddress(address) ? address.port : 0}`, sockets }))
      })
    }),
    ({ sockets }) =>
      Effect.sync(() => {
        servers.get(sockets)?.closeAllConnections()
        servers.get(sockets)?.close()
      })
  )

const servers = new Map<object, Http.Server>()

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === "object" && address !== null

/**
 * Listens in a thread that stands still from then on: it accepts nobody, and when its queue is full nobody is connected
 * any more.
 */
const deaf = Effect.gen(function*() {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() =>
      new Worker(
        `const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
          require("node:worker_threads").parentPort.postMessage(server.address().port)
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
        })`,
        { eval: true }
      )
    ),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const port = yield* Effect.async<number>((resume) => {
    worker.once("message", (port: unknown) => resume(Effect.succeed(Number(port))))
  })
  const connects = Effect.acquireRelease(
    Effect.sync(() => connect(port, "127.0.0.1")),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(
    Effect.flatMap((socket) =>
      Effect.async<void>((resume) => void socket.once("connect", () => resume(Effect.void))).pipe(
        Effect.timeoutTo({
          duration: "500 millis",
          onSuccess: () => Effect.succeed(false),
          // On a busy machine it may be connected by now, and only not have said so.
          onTimeout: () => Effect.map(Effect.sleep("50 millis"), () => socket.connecting)
        }),
        Effect.flatten
      )
    )
  )
  yield* Effect.repeat(connects, { until: (stuck) => stuck, times: 16 })
  return `http://127.0.0.1:${port}`
})

/** How many sockets of this process are connecting. */
const connecting = Effect.sync(() =>
  process.getActiveResourcesInfo().filter((name) => name.includes("ConnectWrap")).length
)

const planeAt = (url: string, timeout = "10 seconds") => {
  const config = settings({ ORCH_PLANE_API_URL: url, ORCH_PLANE_TIMEOUT: timeout })
  return Layer.provideMerge(firstClient, Layer.mergeAll(projectsLayer, RateBudget.layer, connections)).pipe(
    Layer.provide(config),
    Layer.orDie
  )
}

const read = Effect.flatMap(PlaneClient, (plane) => plane.read(ItemId("e7000000-0000-4000-8000-000000000002")))

const ok = (response: Http.ServerResponse) => {
  response.writeHead(200, { "content-type": "application/json", "x-ratelimit-remaining": "50" })
  response.end(JSON.stringify(item(2, "Second")))
}

/** Fails once it has taken much longer than it should. */
const soon = Effect.timeout("5 seconds")

const closed = (sockets: { open: number }) =>
  Effect.repeat(Effect.sync(() => sockets.open), {
    until: (open) => open === 0,
    schedule: Schedule.spaced("10 millis")
  }).pipe(soon)

describe("PlaneClient over the network", () => {
  it.scopedLive("keeps its connections for requests one after the other", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* server((_, response) => ok(response))
      yield* Effect.provide(Effect.repeatN(read, 9), planeAt(url))
      // A second one where the next request comes before the first is handed back.
      assert.isAtMost(sockets.all, 2)
    }))

  it.scopedLive("holds a peer that sends a byte now and then to the deadline, and lets the connection go", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* server((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const timer = setInterval(() => response.write(" "), 50)
        response.on("close", () => clearInterval(timer))
      })
      yield* Effect.gen(function*() {
        const start = yield* Clock.currentTimeMillis
        const error = yield* Effect.flip(read)
        const took = (yield* Clock.currentTimeMillis) - start
        assert.deepStrictEqual([error.reason, error.sent], ["Unavailable", "unknown"])
        assert.include(error.message, "300ms")
        assert.isAtLeast(took, 290)
        assert.isBelow(took, 2_000)
        assert.strictEqual((yield* Effect.flatMap(RateBudget, (budget) => budget.status)).used, 1)
        yield* closed(sockets)
      }).pipe(Effect.provide(planeAt(url, "300 millis")))
    }))

  it.scopedLive("holds one that says how long its answer is, and never ends it, to the same", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* server((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
        response.write("{")
      })
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(soon(read))
        assert.isTrue(error._tag === "PlaneError" && error.sent === "unknown")
        yield* closed(sockets)
      }).pipe(Effect.provide(planeAt(url, "200 millis")))
    }))

  it.scopedLive("holds a peer that never answers to the deadline", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* server(() => undefined)
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(soon(read))
        assert.isTrue(error._tag === "PlaneError" && error.sent === "unknown")
        yield* closed(sockets)
      }).pipe(Effect.provide(planeAt(url, "200 millis")))
    }))

  it.scopedLive("lets the connection go when it is interrupted, before the headers and amid the body", () =>
    Effect.gen(function*() {
      const arrived = yield* Deferred.make<void>()
      const runtime = yield* Effect.runtime()
      for (const headers of [false, true]) {
        const { sockets, url } = yield* server((_, response) => {
          if (headers) {
            response.writeHead(200, { "content-type": "application/json" })
            response.write("{")
          }
          Runtime.runSync(runtime)(Deferred.succeed(arrived, undefined))
        })
        yield* Effect.gen(function*() {
          const fiber = yield* Effect.fork(read)
          yield* Deferred.await(arrived)
          yield* Effect.sleep("50 millis")
          yield* Fiber.interrupt(fiber)
          yield* closed(sockets)
          // It may have arrived, so it counts.
          assert.strictEqual((yield* Effect.flatMap(RateBudget, (budget) => budget.status)).used, 1)
        }).pipe(Effect.provide(planeAt(url)))
      }
    }))

  it.scopedLive("lets go what is still connecting when its layer closes", () =>
    Effect.gen(function*() {
      const url = yield* deaf
      const before = yield* connecting
      const count = (wanted: number) =>
        Effect.repeat(connecting, { until: (n) => n === wanted, schedule: Schedule.spaced("10 millis") }).pipe(
          Effect.timeout("5 seconds")
        )
      const scope = yield* Scope.make()
      const plane = yield* Layer.buildWithScope(planeAt(url), scope)
      const fiber = yield* Effect.fork(Effect.provide(read, plane))
      yield* count(before + 1)
      yield* Fiber.interrupt(fiber)
      yield* Effect.timeout(Scope.close(scope, Exit.void), "5 seconds")
      yield* count(before)
    }))

  it.scopedLive("knows that nothing was sent when nobody listens", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read)
      assert.deepStrictEqual([error.reason, error.sent, error.status], ["Unavailable", "no", Option.none()])
      assert.include(error.message, "ECONNREFUSED")
      assert.strictEqual((yield* Effect.flatMap(RateBudget, (budget) => budget.status)).used, 0)
    }).pipe(Effect.provide(planeAt("http://127.0.0.1:1"))))

  it.effect("does not know the outcome of a request whose route is lost, though connecting fails with the same code", () =>
    Effect.gen(function*() {
      for (const [syscall, sent] of [["read", "unknown"], ["connect", "no"]] as const) {
        const cause = Object.assign(new Error("no route"), { code: "EHOSTUNREACH", syscall })
        const lost = Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make((request) => new HttpClientError.RequestError({ request, reason: "Transport", cause }))
        )
        const layer = Layer.provideMerge(firstClient, Layer.mergeAll(projectsLayer, RateBudget.layer, lost)).pipe(
          Layer.provide(settings({})),
          Layer.orDie
        )
        assert.strictEqual((yield* Effect.flip(Effect.provide(read, layer))).sent, sent)
      }
    }))

  it.scopedLive("does not know the outcome of a request whose connection breaks", () =>
    Effect.gen(function*() {
      const { url } = yield* server((request) => request.socket.destroy())
      const cut = yield* server((_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
        response.write("{\"id\":")
        setTimeout(() => response.destroy(), 20)
      })
      const reset = yield* Effect.flip(Effect.provide(read, planeAt(url)))
      assert.deepStrictEqual([reset.reason, reset.sent, reset.status], ["Unavailable", "unknown", Option.none()])
      const truncated = yield* Effect.flip(Effect.provide(read, planeAt(cut.url)))
      assert.deepStrictEqual([truncated.reason, truncated.sent, truncated.status], [
        "Unavailable",
        "unknown",
        Option.some(200)
      ])
    }))

  it.scopedLive("refuses an answer above 16 MiB and does not wait for its end", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* server((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const chunk = Buffer.alloc(1024 * 1024, " ")
        const more = () => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once("drain", more)
        }
        more()
      })
      const error = yield* Effect.flip(Effect.provide(Effect.zipLeft(read, closed(sockets)), planeAt(url)))
      assert.strictEqual(error._tag === "PlaneError" ? error.sent : "", "unknown")
      assert.include(error.message, "16 MiB")
    }))

  it.scopedLive("shows the token in no span, also where the host has a list of its own of what to leave out", () =>
    Effect.gen(function*() {
      const { url } = yield* server((_, response) => ok(response))
      const seen: Array<string> = []
      const tracer = Tracer.make({
        context: (f) => f(),
        span: (name, parent, context, links, startTime, kind) => {
          const attributes = new Map<string, unknown>()
          return {
            _tag: "Span",
            name,
            spanId: "1",
            traceId: "2",
            parent,
            context,
            links,
            kind,
            sampled: true,
            status: { _tag: "Started", startTime },
            attributes,
            attribute: (key, value) => {
              seen.push(`${key}=${String(value)}`)
            },
            end: () => undefined,
            event: () => undefined,
            addLinks: () => undefined
          }
        }
      })
      yield* read.pipe(
        Effect.provide(planeAt(url)),
        Effect.locally(Headers.currentRedactedNames, ["authorization"]),
        Effect.withTracer(tracer)
      )
      assert.include(seen.join("\n"), "http.request.header.x-api-key=<redacted>")
      assert.notInclude(seen.join("\n"), token)
    }))
})
