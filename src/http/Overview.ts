import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect } from "effect"
import { Overview } from "../overview/Overview.js"
import { Overview as OverviewView } from "../overview/OverviewView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"

const get = HttpApiEndpoint.get("get", "/overview").addSuccess(OverviewView)
  .annotate(OpenApi.Summary, "Show whether anything is stuck, and what needs a person")
  .annotate(
    OpenApi.Description,
    "What the page shows first: one sentence, what needs a person with what mends it, and Plane's condition for each " +
      "project. While storage fails, it shows what was read last, and says so. A monitor looks at `/health`."
  )

/** `/api/overview`. */
export const overviewGroup = HttpApiGroup.make("overview").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "Whether anything is stuck, and what needs a person.")

/** What answers it. */
export const overviewHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "overview",
    (handlers) => Effect.map(Overview, ({ read }) => handlers.handle("get", () => read))
  )
