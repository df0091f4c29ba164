import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Schema } from "effect"
import { textLimit } from "../base/Text.js"
import { Board } from "../overview/Board.js"
import { Board as BoardView } from "../overview/BoardView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"
import { cursor } from "./Page.js"
import { optional, queryOf } from "./Parameters.js"
import { BadRequest, badRequest, storageFailed, unavailable } from "./Problem.js"

const text = (description: string) =>
  optional(Schema.String.pipe(Schema.maxLength(textLimit)).annotations({ description }))

const get = HttpApiEndpoint.get("get", "/board")
  .setUrlParams(queryOf({
    project: text("the identifier of a project; the first one where it is missing"),
    find: text("what a work item's key, its name or its agent contains"),
    stage: text("only this stage has cards"),
    cursor
  }))
  .addSuccess(BoardView)
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "Show where the tasks of a project are: a column for each stage")
  .annotate(
    OpenApi.Description,
    "A stage has at most 50 cards. The next ones are asked for by `stage` and its `nextCursor`. The last stage has what " +
      "was done in the last 24 hours. A task that was stopped is shown for as long."
  )

/** `/api/board`. */
export const boardGroup = HttpApiGroup.make("board").add(get).middleware(Authorization).prefix("/api")
  .annotate(OpenApi.Description, "Where everything is.")

/** What answers it. */
export const boardHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "board",
    (handlers) =>
      Effect.map(Board, ({ read }) =>
        handlers.handle("get", ({ urlParams }) =>
          read(urlParams).pipe(Effect.catchTags({
            StorageError: storageFailed,
            UnknownProject: ({ message, project }) =>
              new BadRequest({ error: message, issues: [{ field: "project", message, given: project }] })
          }))))
  )
