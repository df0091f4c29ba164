import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect } from "effect"
import { Health } from "../health/Health.js"
import { HealthReport } from "../health/HealthReport.js"
import type { Api } from "./Api.js"

const health = HttpApiEndpoint.get("health", "/health").addSuccess(HealthReport)
  .annotate(OpenApi.Summary, "Health")
  .annotate(
    OpenApi.Description,
    "Answers 200 within 0.1 seconds, whatever storage does. A monitor looks at `status`."
  )

/** `/health`, which needs no token. */
export const healthGroup = HttpApiGroup.make("health", { topLevel: true }).add(health)
  .annotate(OpenApi.Description, "Whether everything works. It needs no token.")

/** What answers it. */
export const healthHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "health",
    (handlers) => Effect.map(Health, ({ report }) => handlers.handle("health", () => report))
  )
