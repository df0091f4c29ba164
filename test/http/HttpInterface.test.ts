import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, LogLevel, Schema } from "effect"
import * as Http from "node:http"
import { HttpInterface } from "../../src/HttpLayers.js"
import { AgentLauncher, Orchestrator, Pipeline, PlaneSync, QualityGates, Storage, Webhooks } from "../../src/index.js"
import { request } from "./Server.js"

/** A host's orchestrator, with gates of its own: it has no Gitea. */
const orchestrator = Webhooks.layer.pipe(
  Layer.provideMerge(Orchestrator.layerTasks),
  Layer.provide([
    Pipeline.layer([{ stage: "write", gates: ["reported"] }, { stage: "published", gates: [] }]),
    QualityGates.layer([]),
    AgentLauncher.layerLog
  ]),
  Layer.provideMerge(PlaneSync.layerStorage),
  Layer.provideMerge(Storage.layerFile(":memory:"))
)

// A host may have an HttpApi of its own, whose router is another one.
const hostApi = HttpApi.make("host").add(
  HttpApiGroup.make("own").add(HttpApiEndpoint.get("hello", "/hello").addSuccess(Schema.String))
)
const hostGroup = HttpApiBuilder.group(
  hostApi,
  "own",
  (handlers) => handlers.handle("hello", () => Effect.succeed("hi"))
)
const hostApp = HttpApiBuilder.httpApp.pipe(
  Effect.provide(
    HttpApiBuilder.api(hostApi).pipe(
      Layer.provide(hostGroup),
      Layer.provideMerge(Layer.merge(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer))
    )
  )
)

/** The address of a host's server, which has our interface below /plane-sync. */
const mounted = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const app = Effect.gen(function*() {
      const http = yield* HttpInterface
      const own = yield* hostApp
      return HttpRouter.empty.pipe(
        HttpRouter.get("/", HttpServerResponse.text("the host's own")),
        HttpRouter.mountApp("/own", own),
        HttpRouter.mountApp("/plane-sync", http),
        HttpServer.serve()
      )
    })
    const context = yield* Layer.build(
      Layer.unwrapEffect(app).pipe(
        Layer.provide(HttpInterface.layer),
        Layer.provide(orchestrator),
        Layer.provideMerge(NodeHttpServer.layer(() => Http.createServer(), { port: 0, host: "127.0.0.1" })),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None))
      )
    )
    return yield* HttpServer.addressFormattedWith(Effect.succeed).pipe(Effect.provide(context))
  })

const event = { type: "task_completed", workItem: "ET-2" }
const json = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  method: "POST",
  body: JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers }
})

describe("the HTTP interface in a host's own server", () => {
  it.scopedLive("answers below its path, beside what the host serves itself", () =>
    Effect.gen(function*() {
      const url = yield* mounted({ ORCH_PLANE_WEBHOOK_SECRET: "plane_wh_of_a_test" })
      assert.strictEqual((yield* request(`${url}/`)).body, "the host's own")
      assert.strictEqual((yield* request(`${url}/own/hello`)).body, "hi")
      assert.strictEqual((yield* request(`${url}/own/health`)).status, 404)
      // The page's addresses are relative, so its own must end with a slash.
      const page = yield* request(`${url}/plane-sync`)
      assert.include(page.body, "<script type=\"module\" src=\"page.js\">")
      assert.strictEqual(
        (yield* request(`${url}/plane-sync`, { redirect: "manual" })).headers.get("location"),
        "./plane-sync/"
      )
      assert.strictEqual((yield* request(`${url}/plane-sync/page.css`)).status, 200)
      const ours = `${url}/plane-sync`
      assert.deepInclude((yield* request(`${ours}/health`)).body, { live: true })
      assert.strictEqual((yield* request(`${ours}/api/events`, json(event))).status, 202)
      assert.strictEqual((yield* request(`${ours}/api/tasks`, json({ workItem: "ET-2" }))).status, 200)
      assert.deepInclude((yield* request(`${ours}/api/tasks/ET-2`)).body, { stage: "write", status: "active" })
      assert.strictEqual((yield* request(`${ours}/webhooks/plane`, json({}))).status, 401)
      assert.strictEqual((yield* request(`${ours}/openapi.json`)).status, 200)
      const missing = yield* request(`${ours}/nothing`)
      assert.strictEqual(missing.status, 404)
      assert.deepInclude(missing.body, { error: "There is nothing at /nothing: see /docs" })
      assert.strictEqual(missing.headers.get("x-frame-options"), "DENY")
      assert.include((yield* request(`${ours}/docs`)).headers.get("content-security-policy"), "script-src 'sha256-")
    }))

  it.scopedLive("asks for its tokens, and refuses what a foreign page sends", () =>
    Effect.gen(function*() {
      const url = yield* mounted({ ORCH_API_TOKEN: "the-token", ORCH_OPERATOR_TOKEN: "another" })
      const ours = `${url}/plane-sync`
      const bearer = { authorization: "Bearer the-token" }
      assert.strictEqual((yield* request(`${ours}/api/events`, json(event))).status, 401)
      assert.strictEqual((yield* request(`${ours}/api/events`, json(event, bearer))).status, 202)
      assert.strictEqual((yield* request(`${ours}/api/deliveries/1/retry`, json({}, bearer))).status, 403)
      const foreign = json(event, { ...bearer, origin: "http://evil.example" })
      assert.strictEqual((yield* request(`${ours}/api/events`, foreign)).status, 403)
      assert.strictEqual((yield* request(`${ours}/webhooks/plane`, foreign)).status, 403)
      assert.strictEqual((yield* request(`${url}/`)).body, "the host's own")
    }))
})
