import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Schema } from "effect"
import { Outbox } from "../outbox/Outbox.js"
import { WorkItemView, workItemView } from "../views/WorkItemView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"
import { limit } from "./Page.js"
import { keyOf, KeyPath } from "./Parameters.js"
import { badRequest, NotFound, notFound, storageFailed, unavailable } from "./Problem.js"

const get = HttpApiEndpoint.get("get", "/work-items/:key")
  .setPath(KeyPath)
  .setUrlParams(Schema.Struct({ limit }))
  .addSuccess(WorkItemView)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Show a work item: its events and deliveries, and what went wrong")

/** `/api/work-items`. */
export const workItemsGroup = HttpApiGroup.make("workItems").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "What is owed to a work item of Plane, and what was done.")

/** What answers it. */
export const workItemsHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "workItems",
    (handlers) =>
      Effect.map(Outbox, (outbox) =>
        handlers.handle("get", ({ path: { key }, urlParams: { limit } }) =>
          Effect.gen(function*() {
            const { normalized } = yield* keyOf(key)
            const row = yield* Effect.mapError(outbox.workItem(normalized, limit), storageFailed)
            if (row === undefined) {
              return yield* new NotFound({ error: `No event was ever published for ${key}` })
            }
            return workItemView(key, row)
          })))
  )
