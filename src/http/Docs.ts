import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, Effect, Layer } from "effect"
import { createHash } from "node:crypto"
import { pagePolicy } from "./SecurityHeaders.js"

const specification = (api: HttpApi.Api["Type"]["api"]) =>
  Effect.suspend(() => Effect.orDie(HttpServerResponse.json(OpenApi.fromApi(api))))

const decoder = new TextDecoder()

/** Lets the page run the scripts that it has itself, and no others. */
const withPolicy = (response: HttpServerResponse.HttpServerResponse) => {
  const html = response.body._tag === "Uint8Array" ? decoder.decode(response.body.body) : ""
  const hashes = Array.from(
    html.matchAll(/<script>(.*?)<\/script>/gs),
    ([, script = ""]) => createHash("sha256").update(script).digest("base64")
  )
  return HttpServerResponse.setHeader(response, "content-security-policy", pagePolicy(hashes))
}

// The page carries its two megabytes of script itself, so that it needs no network. It is loaded when it is asked for.
const page = (api: Layer.Layer<HttpApi.Api>) =>
  Effect.gen(function*() {
    const swagger = yield* Effect.promise(() => import("@effect/platform/HttpApiSwagger"))
    const pages = yield* Layer.build(
      swagger.layer({ path: "/docs" }).pipe(Layer.provideMerge(HttpApiBuilder.Router.Live), Layer.provide(api))
    )
    const app = yield* HttpRouter.toHttpApp(yield* Context.get(pages, HttpApiBuilder.Router).router)
    return Effect.map(app, withPolicy)
  }).pipe(Effect.scoped)

/** `/openapi.json` and `/docs`. Each is made when it is first asked for. */
export const docsLayer = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function*() {
    const api = yield* HttpApi.Api
    yield* router.get("/openapi.json", yield* Effect.cached(specification(api.api)))
    yield* router.get("/docs", Effect.flatten(yield* Effect.cached(page(Layer.succeed(HttpApi.Api, api)))))
  })
)
