import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as OpenApi from "@effect/platform/OpenApi"
import { Layer } from "effect"
import { version } from "../base/Version.js"
import { Authorization, OperatorAuthorization } from "./Authorization.js"
import { boardGroup, boardHandlers } from "./Board.js"
import { deliveriesGroup, deliveriesHandlers } from "./Deliveries.js"
import { eventsGroup, eventsHandlers } from "./Events.js"
import { healthGroup, healthHandlers } from "./HealthResource.js"
import { historyGroup, historyHandlers } from "./History.js"
import { liveGroup, liveHandlers } from "./Live.js"
import { metricsGroup, metricsHandlers } from "./Metrics.js"
import { noticesGroup, noticesHandlers } from "./Notices.js"
import { overviewGroup, overviewHandlers } from "./Overview.js"
import { probeGroup, probeHandlers } from "./Probe.js"
import { specification } from "./Specification.js"
import { tasksGroup, tasksHandlers } from "./Tasks.js"
import { workItemsGroup, workItemsHandlers } from "./WorkItems.js"

/**
 * The program's HTTP interface: one group of endpoints for each resource. `HttpApiClient` makes a typed client of it;
 * for all others there is `/openapi.json`.
 */
export class Api extends HttpApi.make("plane-sync")
  .add(healthGroup)
  .add(metricsGroup)
  .add(historyGroup)
  .add(eventsGroup)
  .add(workItemsGroup)
  .add(deliveriesGroup)
  .add(noticesGroup)
  .add(tasksGroup)
  .add(probeGroup)
  .add(overviewGroup)
  .add(boardGroup)
  .add(liveGroup)
  .annotateContext(OpenApi.annotations({
    title: "plane-sync",
    version,
    description:
      "Shows in Plane what happens to an orchestrator's tasks: a task's work item gets the right state and a comment.",
    license: { name: "MIT", url: "https://opensource.org/license/mit" },
    servers: [{ url: "/" }],
    transform: specification
  }))
{}

/** The interface with what answers its requests. */
export const apiLayer = HttpApiBuilder.api(Api).pipe(
  Layer.provide([
    healthHandlers(Api),
    metricsHandlers(Api),
    historyHandlers(Api),
    eventsHandlers(Api),
    workItemsHandlers(Api),
    deliveriesHandlers(Api),
    noticesHandlers(Api),
    tasksHandlers(Api),
    probeHandlers(Api),
    overviewHandlers(Api),
    boardHandlers(Api),
    liveHandlers(Api)
  ]),
  Layer.provide([Authorization.layer, OperatorAuthorization.layer])
)
