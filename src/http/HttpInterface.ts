import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { ConfigError } from "effect"
import { Context, Effect, Layer, Option } from "effect"
import { BodyRoom } from "../base/BodyRoom.js"
import type { Projects } from "../domain/Projects.js"
import type { StageEvents } from "../events/StageEvents.js"
import { Gitea, giteaOf } from "../gitea/GiteaClient.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Health } from "../health/Health.js"
import type { Leadership } from "../outbox/Leadership.js"
import type { Outbox } from "../outbox/Outbox.js"
import { Board } from "../overview/Board.js"
import { History } from "../overview/History.js"
import { Live } from "../overview/Live.js"
import { Metrics } from "../overview/Metrics.js"
import { Overview } from "../overview/Overview.js"
import { DeadNotices } from "../people/DeadNotices.js"
import type { People } from "../people/People.js"
import type { PlaneSync } from "../sending/PlaneSync.js"
import type { Integrity } from "../storage/Integrity.js"
import type { Storage } from "../storage/Storage.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { Tasks } from "../tasks/Tasks.js"
import type { TaskStore } from "../tasks/TaskStore.js"
import { ExplainWorkItem } from "../views/ExplainWorkItem.js"
import type { Receiver } from "../webhooks/Receiver.js"
import { apiLayer } from "./Api.js"
import { docsLayer } from "./Docs.js"
import { edgeLayer } from "./Edge.js"
import { pageRoutes } from "./PageRoutes.js"
import { securityHeaders } from "./SecurityHeaders.js"
import { webhookRoutes } from "./WebhookRoutes.js"

/**
 * The whole HTTP interface as one application, to mount in a host's own server of `@effect/platform-node`. It brings its
 * checks of token, `Host` and `Origin` with it, by `ORCH_HOST`, `ORCH_API_TOKEN` and `ORCH_OPERATOR_TOKEN`: a server that
 * other machines reach sets the first two. The host's other routes are not its business.
 *
 * @example
 * const http = yield* HttpInterface
 * const router = HttpRouter.empty.pipe(HttpRouter.mountApp("/plane-sync", http))
 */
export class HttpInterface extends Context.Tag("plane-sync/HttpInterface")<HttpInterface, HttpApp.Default>() {
  static readonly layer: Layer.Layer<
    HttpInterface,
    ConfigError.ConfigError,
    | Integrity
    | Leadership
    | Outbox
    | People
    | PlaneSync
    | Projects
    | Receiver
    | StageEvents
    | Storage
    | Tasks
    | TaskStore
    | WakeUps
  > = Layer.suspend(() => mounted)
}

/** A server of our own gives these itself, to answers of no application, too. */
const withHeaders = (response: HttpServerResponse.HttpServerResponse) =>
  HttpServerResponse.setHeaders(response, { ...securityHeaders, ...response.headers })

const routed = Layer.mergeAll(docsLayer, edgeLayer, pageRoutes, webhookRoutes).pipe(
  Layer.provideMerge(apiLayer),
  Layer.provideMerge(Layer.merge(HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer)),
  Layer.provideMerge(NodeHttpServer.layerContext)
)

const make = Effect.gen(function*() {
  // Built by itself, so that its router is not that of an HttpApi of the host: layers are shared within one build.
  const context = yield* Layer.build(routed)
  const app = yield* Effect.provide(HttpApiBuilder.httpApp, context)
  return HttpInterface.of(Effect.map(Effect.provide(app, context), withHeaders))
})

/** A host whose gates are others has no Gitea, and its health says nothing of it. */
const giteaIfAny = Layer.effect(
  Gitea,
  Effect.map(Effect.serviceOption(Gitea), Option.getOrElse(() => giteaOf(new Map())))
)

const mounted = Layer.scoped(HttpInterface, make).pipe(
  Layer.provide([Board.layer, History.layer, Live.layer, Metrics.layer, Overview.layer]),
  Layer.provide([Health.layer, ExplainWorkItem.layer, BodyRoom.layer]),
  Layer.provide([DeadNotices.layer, TaskPullRequests.layer]),
  Layer.provide(giteaIfAny)
)
