import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { textLimit } from "../base/Text.js"
import { version } from "../base/Version.js"
import { StageEventJson } from "../domain/StageEvent.js"
import { WorkItemKeyText } from "../domain/WorkItemKey.js"
import { HealthReport } from "../health/Health.js"
import { EventStatus } from "../outbox/StoredEvent.js"
import { ReportOutcome, TaskStatus } from "../tasks/Task.js"
import { DeadCodeText, DeadLetterView } from "../views/DeadLetterView.js"
import { EventView, WorkItemView } from "../views/EventView.js"
import { TaskView } from "../views/TaskView.js"
import {
  badRequest,
  conflict,
  neverTold,
  notActive,
  notFound,
  notJson,
  tooLarge,
  unauthorized,
  unavailable
} from "./Problem.js"
import { withoutDecodeError } from "./Specification.js"

/** The bearer token of `ORCH_API_TOKEN`, when one is set. */
export class Authorization extends HttpApiMiddleware.Tag<Authorization>()("plane-sync/Authorization", {
  failure: unauthorized,
  security: { bearer: HttpApiSecurity.bearer }
}) {}

const wholeNumber = (least: number, most: number) =>
  Schema.NumberFromString.pipe(
    Schema.int(),
    Schema.between(least, most),
    Schema.annotations({
      description: `a whole number from ${least} to ${most}`,
      jsonSchema: { type: "integer", minimum: least, maximum: most },
      message: ({ actual }) => ({
        message: `${JSON.stringify(actual)} is not right: expected a whole number from ${least} to ${most}`,
        override: true
      })
    })
  )

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** One of a few words; `what` they are, in a word. */
const oneOf = <L extends readonly [string, ...Array<string>]>(what: string, schema: Schema.Literal<[...L]>) =>
  schema.annotations({
    message: ({ actual }) => ({
      message: `${JSON.stringify(actual)} is not ${what}: expected one of ${schema.literals.join(", ")}`,
      override: true
    })
  })

const status = oneOf("a status", EventStatus)

const limit = Schema.optionalWith(wholeNumber(1, 200), { exact: true, default: () => 50 })

const cursor = wholeNumber(1, Number.MAX_SAFE_INTEGER)
const nextCursor = Schema.NullOr(Schema.Number).annotations({
  description: "`cursor` of the next page; null: this was the last one"
})

const Accepted = Schema.Struct({
  id: Schema.String,
  duplicate: Schema.Boolean.annotations({ description: "it was published before, with the same content" })
}).annotations({
  identifier: "Accepted",
  ...HttpApiSchema.annotations({ status: 202, description: "It is on disk, and will be told to Plane" })
})

const health = HttpApiEndpoint.get("health", "/health").addSuccess(HealthReport)
  .annotate(OpenApi.Summary, "How the program is")
  .annotate(
    OpenApi.Description,
    "Always 200, within 0.1 s whatever storage does: `status` says what a monitor wants to know."
  )

const publish = HttpApiEndpoint.post("publish", "/events").setPayload(StageEventJson).addSuccess(Accepted)
  .addError(badRequest).addError(conflict).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Publish what happened to a task")
  .annotate(
    OpenApi.Description,
    "Answers once the event is on disk, and never waits for Plane. An `id` makes it safe to send again: the same id with " +
      "the same content is a duplicate, not a second event."
  )

const events = HttpApiEndpoint.get("list", "/events")
  .setUrlParams(
    Schema.Struct({
      status: optional(status),
      workItem: optional(WorkItemKeyText),
      limit,
      cursor: optional(cursor)
    }).annotations({ parseOptions: { errors: "all" } })
  )
  .addSuccess(Schema.Struct({ events: Schema.Array(EventView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "Published events and what became of them, newest first")

const workItem = HttpApiEndpoint.get("get", "/work-items/:key")
  .setPath(Schema.Struct({ key: WorkItemKeyText }))
  .setUrlParams(Schema.Struct({ limit }))
  .addSuccess(WorkItemView)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "What a work item is owed, what was done and what went wrong")

const Id = Schema.Struct({ id: wholeNumber(1, Number.MAX_SAFE_INTEGER) })
/** All dead letters of a code. */
export const OfCode = Schema.Struct({ code: DeadCodeText }).annotations({ identifier: "DeadLettersOfCode" })

const Retried = Schema.Struct({ retried: Schema.Number }).annotations({ identifier: "Retried" })
const Discarded = Schema.Struct({ discarded: Schema.Number }).annotations({ identifier: "Discarded" })

const deadLetters = HttpApiEndpoint.get("list", "/deliveries")
  .setUrlParams(
    Schema.Struct({ code: optional(DeadCodeText), limit, cursor: optional(cursor) }).annotations({
      parseOptions: { errors: "all" }
    })
  )
  .addSuccess(Schema.Struct({ deliveries: Schema.Array(DeadLetterView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "Dead letters: deliveries that were given up, newest first")

const deadLetter = HttpApiEndpoint.get("get", "/deliveries/:id").setPath(Id).addSuccess(DeadLetterView)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "A dead letter")

const retryOwes =
  "A comment goes behind what its work item is owed now, with its own time and external id, so that it cannot double; " +
  "a state becomes that of the latest stage."

const retry = HttpApiEndpoint.post("retry", "/deliveries/:id/retry").setPath(Id).addSuccess(Retried)
  .addError(badRequest).addError(notFound).addError(neverTold).addError(unavailable)
  .annotate(OpenApi.Summary, "Owe a dead letter again")
  .annotate(OpenApi.Description, retryOwes)

const retryAll = HttpApiEndpoint.post("retryAll", "/deliveries/retry").setPayload(OfCode).addSuccess(Retried)
  .addError(badRequest).addError(neverTold).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Owe all dead letters of a code again")
  .annotate(OpenApi.Description, retryOwes)

const discard = HttpApiEndpoint.post("discard", "/deliveries/:id/discard").setPath(Id).addSuccess(Discarded)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Give a dead letter up for good")

const discardAll = HttpApiEndpoint.post("discardAll", "/deliveries/discard").setPayload(OfCode).addSuccess(Discarded)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Give all dead letters of a code up for good")

const Key = Schema.Struct({ key: WorkItemKeyText })

/** Starts a task by hand. */
export const StartTask = Schema.Struct({
  workItem: WorkItemKeyText,
  agent: optional(
    Schema.Trimmed.pipe(
      Schema.nonEmptyString(),
      Schema.maxLength(textLimit),
      Schema.annotations({ description: "takes the place of every stage's agent, for this task" })
    )
  )
}).annotations({ identifier: "StartTask" })

/** What an agent or a script says of a stage. */
export const ReportStage = Schema.Struct({
  stage: Schema.String,
  outcome: oneOf("an outcome", ReportOutcome),
  reason: optional(Schema.String.annotations({ description: "why it failed, as people read it" }))
}).annotations({ identifier: "ReportStage" })

const tasks = HttpApiEndpoint.get("list", "/tasks")
  .setUrlParams(
    Schema.Struct({ status: optional(oneOf("a status", TaskStatus)), limit, cursor: optional(cursor) })
      .annotations({ parseOptions: { errors: "all" } })
  )
  .addSuccess(Schema.Struct({ tasks: Schema.Array(TaskView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "Tasks, newest first")

const task = HttpApiEndpoint.get("get", "/tasks/:key").setPath(Key).addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "A task: where it is, and what its gates said")

const startTask = HttpApiEndpoint.post("start", "/tasks").setPayload(StartTask).addSuccess(TaskView)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Start a task by hand")
  .annotate(
    OpenApi.Description,
    "Safe to send again. One that was paused or stopped goes on at its stage; one that is active or done stays as it is."
  )

const report = HttpApiEndpoint.post("report", "/tasks/:key/report").setPath(Key).setPayload(ReportStage)
  .addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Report that a stage is passed or failed")
  .annotate(
    OpenApi.Description,
    "What the gate `reported` goes by. A report on a stage that the task has not reached counts when it does. Safe to " +
      "send again; the last on a stage stands."
  )

const advance = HttpApiEndpoint.post("advance", "/tasks/:key/advance").setPath(Key).addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(notActive).addError(unavailable)
  .annotate(OpenApi.Summary, "Ask the gates of a task's stage now")
  .annotate(OpenApi.Description, "Answers when all have spoken, and the task has left the stage if they hold.")

/**
 * The program's HTTP interface. `HttpApiClient` makes a typed client of it; everyone else has `/openapi.json`.
 */
export class Api extends HttpApi.make("plane-sync")
  .add(HttpApiGroup.make("health", { topLevel: true }).add(health))
  .add(HttpApiGroup.make("events").add(publish).add(events).middleware(Authorization).prefix("/api"))
  .add(HttpApiGroup.make("workItems").add(workItem).middleware(Authorization).prefix("/api"))
  .add(
    HttpApiGroup.make("deliveries").add(deadLetters).add(deadLetter).add(retry).add(discard).add(retryAll)
      .add(discardAll).middleware(Authorization).prefix("/api")
  )
  .add(
    HttpApiGroup.make("tasks").add(tasks).add(task).add(startTask).add(report).add(advance).middleware(Authorization)
      .prefix("/api")
  )
  .annotateContext(OpenApi.annotations({
    title: "plane-sync",
    version,
    description:
      "Makes Plane tell the truth: what happened to a task becomes the state and a comment of its work item.",
    transform: withoutDecodeError
  }))
{}
