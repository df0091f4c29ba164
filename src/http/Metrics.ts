import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect } from "effect"
import { prometheusType } from "../metrics/Prometheus.js"
import { Metrics } from "../overview/Metrics.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"

const get = HttpApiEndpoint.get("metrics", "/metrics")
  .addSuccess(HttpApiSchema.Text({ contentType: prometheusType }))
  .annotate(OpenApi.Summary, "Metrics, in Prometheus's text format")
  .annotate(OpenApi.Description, "Which there are stands in docs/metrics.md. It waits at most 2 seconds for storage.")

/** `/metrics`, which asks for the token of the API where one is set. */
export const metricsGroup = HttpApiGroup.make("metrics", { topLevel: true }).add(get).middleware(Authorization)
  .annotate(OpenApi.Description, "What a monitor collects.")

/** What answers it. */
export const metricsHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "metrics",
    (handlers) => Effect.map(Metrics, ({ text }) => handlers.handle("metrics", () => text))
  )
