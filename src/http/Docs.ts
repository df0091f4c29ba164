import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, Effect, Layer } from "effect"

const specification = (api: HttpApi.Api["Type"]["api"]) =>
  Effect.suspend(() => Effect.orDie(HttpServerResponse.json(OpenApi.fromApi(api))))

// The page carries its two megabytes of script itself, so that it needs no network. It is loaded when it is asked for.
const page = (api: Layer.Layer<HttpApi.Api>) =>
  Effect.gen(function*() {
    const swagger = yield* Effect.promise(() => import("@effect/platform/HttpApiSwagger"))
    const pages = yield* Layer.build(
      swagger.layer({ path: "/docs" }).pipe(Layer.provideMerge(HttpApiBuilder.Router.Live), Layer.provide(api))
    )
    return yield* HttpRouter.toHttpApp(yield* Context.get(pages, HttpApiBuilder.Router).router)
  }).pipe(Effect.scoped)

/** `/openapi.json` and `/docs`. Each is made when it is first asked for. */
export const docsLayer = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function*() {
    const api = yield* HttpApi.Api
    yield* router.get("/openapi.json", yield* Effect.cached(specification(api.api)))
    yield* router.get("/docs", Effect.flatten(yield* Effect.cached(page(Layer.succeed(HttpApi.Api, api)))))
  })
)
