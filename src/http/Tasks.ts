import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { decoderOf } from "../base/Decoder.js"
import { shortened } from "../base/Issue.js"
import { textLimit } from "../base/Text.js"
import { WorkItemKeyText } from "../domain/WorkItemKey.js"
import { Health } from "../health/Health.js"
import { StorageError } from "../storage/StorageError.js"
import type { Task } from "../tasks/Task.js"
import { ReportOutcome, TaskStatus } from "../tasks/Task.js"
import { Tasks } from "../tasks/Tasks.js"
import type { NoTask } from "../tasks/TaskStore.js"
import { TaskView, taskView, TaskWithStory, taskWithStory } from "../views/TaskView.js"
import type { Api } from "./Api.js"
import { Authorization } from "./Authorization.js"
import { jsonBody } from "./JsonBody.js"
import { cursor, limit, nextCursor, pageOf } from "./Page.js"
import { KeyPath, oneOf, optional, queryOf } from "./Parameters.js"
import {
  BadRequest,
  badRequest,
  Conflict,
  notActive,
  NotFound,
  notFound,
  notJson,
  storageFailed,
  tooLarge,
  unavailable
} from "./Problem.js"

const StartTask = Schema.Struct({
  workItem: WorkItemKeyText,
  agent: optional(
    Schema.Trimmed.pipe(
      Schema.nonEmptyString(),
      Schema.maxLength(textLimit),
      Schema.annotations({ description: "takes the place of every stage's agent, for this task" })
    )
  )
}).annotations({ identifier: "StartTask" })

const ReportStage = Schema.Struct({
  stage: Schema.String,
  outcome: oneOf("an outcome", ReportOutcome),
  reason: optional(Schema.String.annotations({ description: "why it failed, as people read it" }))
}).annotations({ identifier: "ReportStage" })

const list = HttpApiEndpoint.get("list", "/tasks")
  .setUrlParams(queryOf({ status: optional(oneOf("a status", TaskStatus)), limit, cursor }))
  .addSuccess(Schema.Struct({ tasks: Schema.Array(TaskView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "List tasks, newest first")

const get = HttpApiEndpoint.get("get", "/tasks/:key").setPath(KeyPath).addSuccess(TaskWithStory)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Show a task: its stage, what its gates say, and its story")

const start = HttpApiEndpoint.post("start", "/tasks").setPayload(StartTask).addSuccess(TaskView)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Start a task")
  .annotate(
    OpenApi.Description,
    "Safe to send again. A task that was paused or stopped continues at its stage; one that is active or done stays as " +
      "it is."
  )

const report = HttpApiEndpoint.post("report", "/tasks/:key/report").setPath(KeyPath).setPayload(ReportStage)
  .addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Report that a stage is passed or failed")
  .annotate(
    OpenApi.Description,
    "The gate `reported` decides by these reports. A report on a stage that the task has not reached yet counts when " +
      "it gets there. Safe to send again: the last report on a stage counts."
  )

const advance = HttpApiEndpoint.post("advance", "/tasks/:key/advance").setPath(KeyPath).addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(notActive).addError(unavailable)
  .annotate(OpenApi.Summary, "Ask the gates of a task's stage now")
  .annotate(OpenApi.Description, "Answers when all gates have answered. If they hold, the task has left the stage.")

/** `/api/tasks`. */
export const tasksGroup = HttpApiGroup.make("tasks").add(list).add(get).add(start).add(report).add(advance)
  .middleware(Authorization).prefix("/api")

const decodeStart = decoderOf(StartTask)
const decodeReport = decoderOf(ReportStage)

// A client that starts a task or reports on it is shown what comes of it, but does not wait for a slow gate: the
// orchestrator continues without it.
const advanceWithin = "2 seconds"

/** What answers it. */
export const tasksHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "tasks", (handlers) =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { noteWrite } = yield* Health

      const noted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.tapError(effect, (error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void)
      const advanced = ({ id, workItem }: Task) =>
        tasks.advance(id).pipe(
          Effect.disconnect,
          Effect.timeoutOption(advanceWithin),
          // What the client said is stored. The orchestrator tries again, and logs what is wrong.
          Effect.ignore,
          Effect.zipRight(tasks.get(workItem)),
          Effect.map(taskView)
        )
      const noTask = (error: NoTask) => new NotFound({ error: error.message })

      return handlers
        .handle("list", ({ urlParams: { cursor, limit, status } }) =>
          Effect.gen(function*() {
            const { next, page } = pageOf(yield* tasks.list({ status, cursor, limit: limit + 1 }), limit)
            return { tasks: page.map(taskView), nextCursor: next?.id ?? null }
          }).pipe(Effect.mapError(storageFailed)))
        .handle("get", ({ path: { key } }) =>
          Effect.gen(function*() {
            const task = yield* tasks.get(key)
            return taskWithStory(task, yield* tasks.story(task.id))
          }).pipe(
            Effect.catchTags({ StorageError: storageFailed, NoTask: noTask })
          ))
        .handleRaw("start", ({ request }) =>
          Effect.flatMap(jsonBody(request, "a task to start", decodeStart), tasks.start).pipe(
            Effect.flatMap(advanced),
            noted,
            Effect.catchTags({
              StorageError: storageFailed,
              NoTask: (error) =>
                Effect.die(error),
              InvalidKey: (error) => Effect.die(error)
            })
          ))
        .handleRaw("report", ({ path: { key }, request }) =>
          Effect.flatMap(jsonBody(request, "a report", decodeReport), (report) =>
            tasks.report(key, report)).pipe(
              Effect.flatMap(advanced),
              noted,
              Effect.catchTags({
                StorageError: storageFailed,
                NoTask: noTask,
                UnknownStage: ({ message, stage }) =>
                  new BadRequest({
                    error: `Not a report: stage: ${message}`,
                    issues: [{ field: "stage", message, given: shortened(stage) }]
                  })
              })
            ))
        .handle("advance", ({ path: { key } }) =>
          Effect.gen(function*() {
            const { id, stage, status } = yield* tasks.get(key)
            if (status !== "active") {
              return yield* new Conflict({ error: `The task of ${key} is ${status} at ${stage}: it does not advance` })
            }
            yield* noted(tasks.advance(id))
            return taskView(yield* tasks.get(key))
          }).pipe(Effect.catchTags({ StorageError: storageFailed, NoTask: noTask })))
    }))
