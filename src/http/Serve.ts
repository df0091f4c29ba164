import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServer from "@effect/platform/HttpServer"
import { Effect, Layer, Option } from "effect"
import { BodyRoom } from "../base/BodyRoom.js"
import { version } from "../base/Version.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import { ServerConfig, urlOf } from "../config/ServerConfig.js"
import { Projects } from "../domain/Projects.js"
import { gatesLayer } from "../gitea/GiteaGates.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Health } from "../health/Health.js"
import { launcherLayer } from "../launching/Launcher.js"
import { servedPipeline } from "../launching/ServedPipeline.js"
import { Board } from "../overview/Board.js"
import { History } from "../overview/History.js"
import { Live } from "../overview/Live.js"
import { Metrics } from "../overview/Metrics.js"
import { Overview } from "../overview/Overview.js"
import { noticeConfig } from "../people/NoticeConfig.js"
import { peopleLayer } from "../people/PeopleLayer.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { repairLayer } from "../repair/Repair.js"
import { PlaneSync } from "../sending/PlaneSync.js"
import { Storage } from "../storage/Storage.js"
import { orchestratorLayer } from "../tasks/Orchestrator.js"
import { ExplainWorkItem } from "../views/ExplainWorkItem.js"
import { heardSources } from "../webhooks/Secrets.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { webhooksLayer } from "../webhooks/Webhooks.js"
import { apiLayer } from "./Api.js"
import { docsLayer } from "./Docs.js"
import { edgeLayer } from "./Edge.js"
import { Listener } from "./Listener.js"
import { pageRoutes } from "./PageRoutes.js"
import { webhookRoutes } from "./WebhookRoutes.js"

const app = HttpApiBuilder.serve().pipe(
  Layer.provide([docsLayer, edgeLayer, pageRoutes, webhookRoutes]),
  Layer.provide(apiLayer),
  Layer.provide(NodeHttpServer.layerContext)
)

/** What a person wants to see at the start: the database, Plane, the projects, which webhooks are taken, and who is told. */
const startLine = Effect.gen(function*() {
  const { url, workspaceSlug } = yield* PlaneConfig
  const known = yield* Projects
  const { all } = known
  const { sql: { isShared }, where } = yield* Storage
  const heard = heardSources(yield* WebhookConfig, known)
  const hooks = heard.length === 0 ? "no webhooks, because no secret is set" : `webhooks of ${heard.join(" and ")}`
  const workspaces = Array.from(new Set(all.map(({ own }) => own.workspaceSlug ?? workspaceSlug))).join(", ")
  const projects = all.map(({ identifier }) => identifier).join(", ")
  const notices = Option.match(yield* noticeConfig, {
    onNone: () => "no notices, so before Plane 1.4 nobody is reached when a task waits",
    onSome: ({ format, host }) => `notices to ${host} (${format})`
  })
  return `plane-sync ${version}: ${
    isShared ? "" : "file "
  }${where}, Plane ${url} (workspace ${workspaces}, projects ${projects}), ${hooks}, ${notices}`
})

const announceAndDrain = Layer.scopedDiscard(Effect.gen(function*() {
  const { drain } = yield* Listener
  const { end } = yield* Live
  // Streams would last for all the time that requests have.
  yield* Effect.addFinalizer(() => Effect.zipRight(end, drain))
  const { host } = yield* ServerConfig
  const { address } = yield* HttpServer.HttpServer
  // The port is the one that was given where the setting is 0.
  const url = address._tag === "TcpAddress" ? urlOf({ host, port: address.port }) : address.path
  yield* Effect.logInfo(yield* startLine)
  yield* Effect.logInfo(`plane-sync listens on ${url} (documentation: ${url}/docs)`)
}))

const orchestrator = Layer.provideMerge(peopleLayer, orchestratorLayer).pipe(
  Layer.provideMerge(gatesLayer),
  Layer.provide(Layer.merge(servedPipeline, launcherLayer)),
  Layer.provideMerge(PlaneSync.layerStorage),
  Layer.provideMerge(projectsLayer)
)

/**
 * The whole program: publishing, sending, tasks and hooks, with the HTTP interface. It binds the address first, then
 * opens the database, and then serves. When its scope closes, requests in flight have one second to end, and those to
 * Plane have 8 more.
 */
export const serveLayer = announceAndDrain.pipe(
  Layer.provide(app),
  Layer.provide([Board.layer, History.layer, Live.layer, Metrics.layer, Overview.layer]),
  Layer.provide([Health.layer, ExplainWorkItem.layer, BodyRoom.layer]),
  Layer.provide(TaskPullRequests.layer),
  Layer.provide(Layer.merge(webhooksLayer, repairLayer)),
  Layer.provide(orchestrator),
  Layer.provide(Storage.layer),
  Layer.provideMerge(Listener.layer)
)
