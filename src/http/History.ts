import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect } from "effect"
import { History } from "../overview/History.js"
import { History as HistoryView } from "../overview/HistoryView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"

const get = HttpApiEndpoint.get("get", "/history").addSuccess(HistoryView)
  .annotate(OpenApi.Summary, "Show the last 24 hours, or those since the start")
  .annotate(
    OpenApi.Description,
    "In buckets of five minutes, which are kept in memory; the last one is not over yet. Of several replicas each knows " +
      "what it has done itself. Where Prometheus reads /metrics, it has more of it."
  )

/** `/api/history`. */
export const historyGroup = HttpApiGroup.make("history").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "What happened in the last 24 hours.")

/** What answers it. */
export const historyHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "history",
    (handlers) => Effect.map(History, ({ read }) => handlers.handle("get", () => read))
  )
