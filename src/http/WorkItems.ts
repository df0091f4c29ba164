import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Schema } from "effect"
import { PlaneSync } from "../sending/PlaneSync.js"
import { ExplainWorkItem } from "../views/ExplainWorkItem.js"
import { WorkItemView } from "../views/WorkItemView.js"
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
  .annotate(OpenApi.Summary, "Explain a work item: its whole story, and what is done next for it")
  .annotate(
    OpenApi.Description,
    "`story` has webhooks, its task, what was published, and each request with its answer, in one order. `next` is made " +
      "by the planner that sends. `plane-sync explain` prints the same."
  )

/** `/api/work-items`. */
export const workItemsGroup = HttpApiGroup.make("workItems").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "What is owed to a work item of Plane, and what was done.")

/** What answers it. */
export const workItemsHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "workItems", (handlers) =>
    Effect.gen(function*() {
      const { explain } = yield* ExplainWorkItem
      const { projects } = yield* PlaneSync
      return handlers.handle("get", ({ path: { key }, urlParams: { limit } }) =>
        Effect.gen(function*() {
          const parsed = yield* keyOf(key)
          const all = yield* projects
          const planeOf = (project: string) => all.find(({ identifier }) => identifier === project)?.destination
          return yield* explain(parsed, limit, planeOf)
        }).pipe(Effect.catchTags({
          StorageError: storageFailed,
          UnknownWorkItem: ({ message }) => new NotFound({ error: message })
        })))
    }))
