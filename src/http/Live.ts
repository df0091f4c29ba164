import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect } from "effect"
import { Live, mostReaders } from "../overview/Live.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"
import { Unavailable, unavailable } from "./Problem.js"

const contentType = "text/event-stream"

const get = HttpApiEndpoint.get("get", "/live")
  .addSuccess(HttpApiSchema.Text({ contentType }))
  .addError(unavailable)
  .annotate(OpenApi.Summary, "Hear at once that something has changed")
  .annotate(
    OpenApi.Description,
    "A stream of events: `hello` first, and then `changed` at most once a second, with the work items that have changed; " +
      "none is named if they are more than 50, or if something else has changed. A comment each 10 seconds shows that " +
      `the connection lives. At most ${mostReaders} may read at once. Who does not read for some seconds is dropped. ` +
      "After `hello`, and after each time that the connection was lost, a reader reads all again."
  )

/** `/api/live`. */
export const liveGroup = HttpApiGroup.make("live").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "What has changed, as a stream.")

const full = new Unavailable({
  error: `${mostReaders} pages are told of changes already: close one, or read again each few seconds`
})

/** What answers it. */
export const liveHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "live",
    (handlers) =>
      Effect.map(Live, ({ isFull, stream }) =>
        handlers.handleRaw("get", ({ request }) =>
          Effect.gen(function*() {
            if (yield* isFull) return yield* full
            const response = NodeHttpServerRequest.toServerResponse(request)
            // The platform waits for a reader without limit, so its connection is cut.
            const drop = Effect.sync(() => void response.destroy())
            return HttpServerResponse.stream(stream(drop), {
              contentType,
              headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
            })
          })))
  )
