import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Fiber, Layer, Schedule, Scope } from "effect"
import * as Http from "node:http"
import type { AddressInfo, Server } from "node:net"
import { connect, createServer } from "node:net"
import { inspect } from "node:util"
import { connections } from "../../src/base/Connections.js"
import { isThisMachine } from "../../src/base/Proxies.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { ItemId } from "../../src/domain/Ids.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { firstClient } from "../support/FirstClient.js"
import { item, token } from "./FakePlane.js"

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === "object" && address !== null

/** A server on loopback, by its port. */
const listening = <A extends Server>(make: () => A) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: A; readonly port: number }>((resume) => {
      const server = make()
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({ server, port: isAddress(address) ? address.port : 0 }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        if (server instanceof Http.Server) server.closeAllConnections()
        server.close()
      })
  )

const plane = listening(() =>
  Http.createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.end(JSON.stringify(item(2, "Second")))
  })
)

/** A proxy that brings everybody to one port, whatever name was asked for; `seen` are the names and their headers. */
const proxy = (port: number, answer = "HTTP/1.1 200 Connection Established\r\n\r\n") => {
  const seen: Array<{ readonly target: string; readonly login: string | undefined }> = []
  return Effect.map(
    listening(() =>
      Http.createServer((_, response) => response.writeHead(405).end()).on("connect", (request, socket) => {
        seen.push({ target: request.url ?? "", login: request.headers["proxy-authorization"] })
        const upstream = connect(port, "127.0.0.1", () => {
          socket.write(answer)
          if (answer.startsWith("HTTP/1.1 200")) upstream.pipe(socket).pipe(upstream)
          else socket.end()
        })
        for (const each of [socket, upstream]) {
          each.on("error", () => undefined)
          each.on("close", () => (each === socket ? upstream : socket).destroy())
        }
      })
    ),
    (server) => ({ ...server, seen, url: `http://127.0.0.1:${server.port}` })
  )
}

const clientWith = (settings: Readonly<Record<string, string>>) =>
  Layer.provideMerge(firstClient, Layer.mergeAll(projectsLayer, RateBudget.layer, connections)).pipe(
    Layer.provide(Layer.setConfigProvider(
      ConfigProvider.fromMap(
        new Map(Object.entries({ ORCH_PLANE_API_TOKEN: token, ORCH_PLANE_TIMEOUT: "3 seconds", ...settings }))
      )
    ))
  )

const read = Effect.flatMap(PlaneClient, (client) => client.read(ItemId("e7000000-0000-4000-8000-000000000002")))
const readWith = (settings: Readonly<Record<string, string>>) => Effect.provide(read, clientWith(settings))

// No name service knows it: only a proxy brings anybody there.
const far = { ORCH_PLANE_API_URL: "http://plane.example.test:8091" }

describe("row 50: a proxy of the environment", () => {
  it.scopedLive("row 50: is used, in either case of its name, and with its user and password", () =>
    Effect.gen(function*() {
      const { port } = yield* plane
      for (const name of ["HTTP_PROXY", "http_proxy"]) {
        const { seen, url } = yield* proxy(port)
        const login = url.replace("http://", "http://me:secret@")
        const found = yield* readWith({ ...far, [name]: login })
        assert.strictEqual(found.number, 2)
        assert.deepStrictEqual(seen, [{
          target: "plane.example.test:8091",
          login: `Basic ${Buffer.from("me:secret").toString("base64")}`
        }])
      }
    }))

  it.scopedLive("row 50: is that of HTTPS_PROXY for https, and may stand there without http://", () =>
    Effect.gen(function*() {
      const { port } = yield* plane
      const { port: proxyPort, seen } = yield* proxy(port)
      const error = yield* Effect.flip(
        readWith({ ORCH_PLANE_API_URL: "https://plane.example.test", HTTPS_PROXY: `127.0.0.1:${proxyPort}` })
      )
      assert.deepStrictEqual(seen.map(({ target }) => target), ["plane.example.test:443"])
      // Behind this proxy stands a server without TLS.
      assert.match(error.message, /^this port speaks plain http: set ORCH_PLANE_API_URL to http:\/\//)
    }))

  it.scopedLive("row 50: is not used for NO_PROXY, nor ever for this machine", () =>
    Effect.gen(function*() {
      const { port } = yield* plane
      const { seen, url } = yield* proxy(port)
      const proxies = { HTTP_PROXY: url, HTTPS_PROXY: url }
      for (const host of ["127.0.0.1", "localhost"]) {
        const here = { ...proxies, ORCH_PLANE_API_URL: `http://${host}:${port}` }
        assert.strictEqual((yield* readWith(here)).number, 2)
      }
      for (const NO_PROXY of ["*", ".example.test", "other.test, plane.example.test"]) {
        const error = yield* Effect.flip(readWith({ ...far, ...proxies, NO_PROXY }))
        assert.match(error.message, /plane\.example\.test/)
      }
      assert.deepStrictEqual(seen, [])
    }))

  it.scopedLive("row 50: that refuses is named, and nothing was sent", () =>
    Effect.gen(function*() {
      const { port } = yield* plane
      const { url } = yield* proxy(port, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
      const error = yield* Effect.flip(readWith({ ...far, HTTP_PROXY: url }))
      assert.match(error.message, /^the proxy does not let plane-sync through to plane\.example\.test:8091 \(407\)/)
      assert.isTrue(error._tag === "PlaneError" && error.sent === "no")
    }))

  it.scopedLive("row 50: that is not reached is named, and not the server's address", () =>
    Effect.gen(function*() {
      const proxies = [["http://127.0.0.1:1", "127.0.0.1:1"], ["http://proxy.invalid:3128", "proxy.invalid:3128"]]
      for (const [HTTP_PROXY = "", named] of proxies) {
        const error = yield* Effect.flip(readWith({ ...far, HTTP_PROXY: HTTP_PROXY.replace("//", "//me:secret@") }))
        assert.include(
          error.message,
          `the proxy ${named} is not reached: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY (GET`
        )
        assert.notInclude(error.message, "ORCH_PLANE_API_URL")
        assert.notInclude(inspect(error), "secret")
        assert.isTrue(error._tag === "PlaneError" && error.sent === "no")
      }
    }))

  it.effect("row 50: whose address is none stops the program, which says so without its password", () =>
    Effect.gen(function*() {
      for (const HTTPS_PROXY of ["http://me:secret@:99999", "socks5://127.0.0.1:1080", "a b"]) {
        const said = inspect(yield* Effect.flip(readWith({ ...far, HTTPS_PROXY })))
        assert.include(said, "HTTPS_PROXY")
        assert.notInclude(said, "secret")
      }
    }))

  it.scopedLive("row 50: that never answers keeps nobody from closing", () =>
    Effect.gen(function*() {
      const sockets = { open: 0 }
      const { port } = yield* listening(() =>
        createServer((socket) => {
          sockets.open += 1
          socket.on("error", () => undefined).on("close", () => sockets.open -= 1).resume()
        })
      )
      const until = (count: number) =>
        Effect.repeat(Effect.sync(() => sockets.open), {
          until: (open) => open === count,
          schedule: Schedule.spaced("10 millis")
        }).pipe(Effect.timeout("5 seconds"))
      const scope = yield* Scope.make()
      const settings = { ...far, HTTP_PROXY: `http://127.0.0.1:${port}` }
      const client = yield* Layer.buildWithScope(clientWith(settings), scope)
      const fiber = yield* Effect.fork(Effect.provide(read, client))
      yield* until(1)
      yield* Fiber.interrupt(fiber)
      yield* Effect.timeout(Scope.close(scope, Exit.void), "5 seconds")
      yield* until(0)
    }))

  it("row 50: this machine is known by its names", () => {
    for (
      const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:7f00:1]"]
    ) {
      assert.isTrue(isThisMachine(host), host)
    }
    for (const host of ["localhost.example.test", "notlocalhost", "128.0.0.1", "[::2]", "127.0.0.1.example.test"]) {
      assert.isFalse(isThisMachine(host), host)
    }
  })
})

describe("row 49: over the network", () => {
  it.scopedLive("row 49: https at a port of plain http, and the reverse", () =>
    Effect.gen(function*() {
      const { port } = yield* plane
      const plain = yield* Effect.flip(readWith({ ORCH_PLANE_API_URL: `https://127.0.0.1:${port}` }))
      assert.include(
        plain.message,
        `this port speaks plain http: set ORCH_PLANE_API_URL to http://127.0.0.1:${port} (GET`
      )
      assert.isTrue(plain._tag === "PlaneError" && plain.sent === "no")
      // A server of TLS answers plain words with an alert.
      const tls = yield* listening(() =>
        createServer((socket) => {
          socket.on("error", () => undefined).once("data", () => socket.end(Buffer.from("15030100020246", "hex")))
        })
      )
      const secure = yield* Effect.flip(readWith({ ORCH_PLANE_API_URL: `http://127.0.0.1:${tls.port}` }))
      assert.include(
        secure.message,
        `this port speaks https: set ORCH_PLANE_API_URL to https://127.0.0.1:${tls.port} (GET`
      )
      const nobody = yield* Effect.flip(readWith({ ORCH_PLANE_API_URL: "http://127.0.0.1:1" }))
      assert.match(nobody.message, /^nothing listens at 127\.0\.0\.1:1: check ORCH_PLANE_API_URL \(GET/)
    }))
})
