import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Either, Schema } from "effect"
import { decoderOf } from "../base/Decoder.js"
import { shortened } from "../base/Issue.js"
import { Projects } from "../domain/Projects.js"
import { OffsetInstant } from "../domain/StageEvent.js"
import { TaskPullRequests } from "../gitea/TaskPullRequests.js"
import { Health } from "../health/Health.js"
import type { NotAsked, NothingAsked } from "../people/People.js"
import { People } from "../people/People.js"
import { readWaiting } from "../people/Waiting.js"
import { Storage } from "../storage/Storage.js"
import { StorageError } from "../storage/StorageError.js"
import type { NotActive, NotPaused } from "../tasks/ByHand.js"
import { activeTask, pauseByHand } from "../tasks/ByHand.js"
import type { NotOverruled } from "../tasks/Overrule.js"
import type { UnknownStage } from "../tasks/RequireStage.js"
import type { Task } from "../tasks/Task.js"
import { TaskStatus } from "../tasks/Task.js"
import { Tasks } from "../tasks/Tasks.js"
import type { NoTask } from "../tasks/TaskStore.js"
import { TaskView, taskView, TaskWithStory, taskWithStory } from "../views/TaskView.js"
import { WaitView, waitView } from "../views/WaitView.js"
import type { Api } from "./Api.js"
import { Authorization, Caller, OperatorAuthorization } from "./Authorization.js"
import { jsonBody, optionalJsonBody } from "./JsonBody.js"
import { cursor, limit, nextCursor, pageOf } from "./Page.js"
import { KeyPath, oneOf, optional, queryOf } from "./Parameters.js"
import {
  BadRequest,
  badRequest,
  Conflict,
  forbidden,
  notActive,
  notAsked,
  NotFound,
  notFound,
  nothingAsked,
  notJson,
  notOverruled,
  notPaused,
  storageFailed,
  tooLarge,
  unavailable
} from "./Problem.js"
import { withOptionalBody } from "./Specification.js"
import { AnswerQuestion, AskQuestion, PauseTask, ReportStage, StartTask } from "./TaskBodies.js"

/** A task, and what an override has done. */
const ReportedTask = Schema.Struct({
  ...TaskView.fields,
  overruled: optional(
    Schema.Struct({ from: Schema.String, to: Schema.String, by: Schema.String }).annotations({
      description: "what an override has done: the stage that was left and the one that was entered, by whom and why"
    })
  )
}).annotations({ identifier: "ReportedTask" })

const list = HttpApiEndpoint.get("list", "/tasks")
  .setUrlParams(queryOf({
    status: optional(oneOf("a status", TaskStatus)),
    since: optional(OffsetInstant.annotations({
      description: "only those that have changed since: whose `updatedAt` is this instant or a later one"
    })),
    limit,
    cursor
  }))
  .addSuccess(Schema.Struct({ tasks: Schema.Array(TaskView), nextCursor }))
  .addError(badRequest).addError(unavailable)
  .annotate(OpenApi.Summary, "List tasks, newest first, each with what it has taken so far")

const get = HttpApiEndpoint.get("get", "/tasks/:key").setPath(KeyPath).addSuccess(TaskWithStory)
  .addError(badRequest).addError(notFound).addError(unavailable)
  .annotate(OpenApi.Summary, "Show a task: its stage, what its gates say, what it has taken, its links, and its story")

const start = HttpApiEndpoint.post("start", "/tasks").setPayload(StartTask).addSuccess(TaskView)
  .addError(badRequest).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Start a task")
  .annotate(
    OpenApi.Description,
    "Safe to send again. A task that was paused or stopped continues at its stage; one that is done starts anew; one " +
      "that is active stays as it is."
  )

const report = HttpApiEndpoint.post("report", "/tasks/:key/report").setPath(KeyPath).setPayload(ReportStage)
  .addSuccess(ReportedTask)
  .addError(badRequest).addError(forbidden).addError(notFound).addError(notOverruled)
  .addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Report that a stage is passed or failed, or overrule its gates")
  .annotate(
    OpenApi.Description,
    "The gate `reported` decides by these reports. A report on a stage that the task has not reached yet counts when " +
      "it gets there. Safe to send again: the last report on a stage counts. What the agent has used (`usage`) is added to " +
      "the task's sums, once for each report. With `override` the task leaves its stage " +
      "whatever the gates say, which the comment in Plane tells with who did it and why. This needs the token of " +
      "ORCH_OPERATOR_TOKEN, if that is set. Sent again it is answered 409, because the task is not at this stage any more."
  )

const ask = HttpApiEndpoint.post("ask", "/tasks/:key/ask").setPath(KeyPath).setPayload(AskQuestion)
  .addSuccess(WaitView)
  .addError(badRequest).addError(notFound).addError(notAsked).addError(tooLarge).addError(notJson).addError(unavailable)
  .annotate(OpenApi.Summary, "Ask people a question: the task waits for somebody")
  .annotate(
    OpenApi.Description,
    "A comment says the question. The agent may end then: it is launched again with the answer. Safe to send again: the " +
      "same question within one entry of the stage is the same one, and its answer says whether it was answered."
  )

const answer = HttpApiEndpoint.post("answer", "/tasks/:key/answer").setPath(KeyPath).setPayload(AnswerQuestion)
  .addSuccess(WaitView)
  .addError(badRequest).addError(notFound).addError(nothingAsked).addError(tooLarge).addError(notJson).addError(
    unavailable
  )
  .annotate(OpenApi.Summary, "Answer the oldest open question of a task")
  .annotate(
    OpenApi.Description,
    "The agent of the task's stage is launched again, with the answer. A second answer is one to the next question."
  )
  .middleware(OperatorAuthorization)

const pause = HttpApiEndpoint.post("pause", "/tasks/:key/pause").setPath(KeyPath).setPayload(PauseTask)
  .addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(notPaused).addError(tooLarge).addError(notJson).addError(
    unavailable
  )
  .annotate(OpenApi.Summary, "Pause a task: it stays at its stage until it is started again")
  .annotate(
    OpenApi.Description,
    "Safe to send again. Reports are kept meanwhile. The body may be left out. `POST /api/tasks` continues the task."
  )
  .annotate(OpenApi.Transform, withOptionalBody)
  .middleware(OperatorAuthorization)

const advance = HttpApiEndpoint.post("advance", "/tasks/:key/advance").setPath(KeyPath).addSuccess(TaskView)
  .addError(badRequest).addError(notFound).addError(notActive).addError(unavailable)
  .annotate(OpenApi.Summary, "Ask the gates of a task's stage now")
  .annotate(OpenApi.Description, "Answers when all gates have answered. If they hold, the task has left the stage.")
  .middleware(OperatorAuthorization)

/** `/api/tasks`. */
export const tasksGroup = HttpApiGroup.make("tasks").add(list).add(get).add(start).add(report).add(ask)
  // Of the endpoints above alone: those below have their own.
  .middlewareEndpoints(Authorization)
  .add(answer).add(pause).add(advance).prefix("/api")
  .annotate(OpenApi.Description, "Work items that go through a pipeline of stages, and the gates of these.")

const decodeStart = decoderOf(StartTask)
const decodeReport = decoderOf(ReportStage)
const decodeAnswer = decoderOf(AnswerQuestion)
const decodeAsk = decoderOf(AskQuestion)
const decodePause = decoderOf(PauseTask)

// A client that starts a task or reports on it is shown what comes of it, but does not wait for a slow gate: the
// orchestrator continues without it.
const advanceWithin = "2 seconds"

/** What answers it. */
export const tasksHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(api, "tasks", (handlers) =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const { consider } = yield* TaskPullRequests
      const projects = yield* Projects
      const storage = yield* Storage
      const people = yield* People
      const view = (task: Task) =>
        Effect.map(readWaiting(storage, [task]), (waiting) => taskView(projects, waiting)(task))
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
          Effect.flatMap(view)
        )
      const noTask = (error: NoTask) => new NotFound({ error: error.message })
      const unmoved = ({ message }: NotActive | NotAsked | NothingAsked | NotOverruled | NotPaused) =>
        new Conflict({ error: message })
      const unknownStage = ({ message, stage }: UnknownStage) =>
        new BadRequest({
          error: `Not a report: stage: ${message}`,
          issues: [{ field: "stage", message, given: shortened(stage) }]
        })

      return handlers
        .handle("list", ({ urlParams: { cursor, limit, since, status } }) =>
          Effect.gen(function*() {
            const { next, page } = pageOf(yield* tasks.list({ status, since, cursor, limit: limit + 1 }), limit)
            const waiting = yield* readWaiting(storage, page)
            return { tasks: page.map(taskView(projects, waiting)), nextCursor: next?.id ?? null }
          }).pipe(Effect.mapError(storageFailed)))
        .handle("get", ({ path: { key } }) =>
          Effect.gen(function*() {
            const task = yield* tasks.get(key)
            return taskWithStory(projects, task, {
              considered: yield* consider(task),
              links: yield* tasks.links(task),
              story: yield* tasks.story(task.id),
              waiting: yield* readWaiting(storage, [task])
            })
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
              InvalidKey: ({ message }) =>
                new BadRequest({
                  error: `Not a task to start: workItem: ${message}`,
                  issues: [{ field: "workItem", message }]
                })
            })
          ))
        .handleRaw("report", ({ path: { key }, request }) =>
          Effect.gen(function*() {
            const { by, links, override, reason, ...report } = yield* jsonBody(request, "a report", decodeReport)
            if (override !== true || by === undefined || reason === undefined) {
              return yield* advanced(yield* tasks.report(key, { ...report, links, reason }))
            }
            yield* Effect.flatMap(Caller, ({ mayOperate }) =>
              mayOperate)
            const { from, overruledBy, task, to } = yield* tasks.overrule(key, {
              stage: report.stage,
              by,
              reason,
              links
            })
            return { ...(yield* advanced(task)), overruled: { from, to, by: overruledBy } }
          }).pipe(
            noted,
            Effect.catchTags({
              StorageError: storageFailed,
              NoTask: noTask,
              NotOverruled: unmoved,
              UnknownStage: unknownStage,
              // The body was checked.
              InvalidUsage: Effect.die
            })
          ))
        .handleRaw("ask", ({ path: { key }, request }) =>
          Effect.flatMap(jsonBody(request, "a question", decodeAsk), (question) =>
            people.ask(key, question)).pipe(
              Effect.map(waitView),
              noted,
              Effect.catchTags({ StorageError: storageFailed, NoTask: noTask, NotAsked: unmoved })
            ))
        .handleRaw("answer", ({ path: { key }, request }) =>
          Effect.gen(function*() {
            const { who } = yield* Caller
            const { by = who, text } = yield* jsonBody(request, "an answer", decodeAnswer)
            return waitView((yield* people.answer(key, { text, by })).wait)
          }).pipe(
            noted,
            Effect.catchTags({ StorageError: storageFailed, NoTask: noTask, NothingAsked: unmoved })
          ))
        .handleRaw("pause", ({ path: { key }, request }) =>
          Effect.gen(function*() {
            const { who } = yield* Caller
            const { by = who, reason } = yield* optionalJsonBody(request, "a pause", decodePause)
            return yield* view(yield* pauseByHand(tasks, key, { by, reason }))
          }).pipe(noted, Effect.catchTags({ StorageError: storageFailed, NoTask: noTask, NotPaused: unmoved })))
        .handle("advance", ({ path: { key } }) =>
          Effect.gen(function*() {
            const { id, stage, workItem } = yield* activeTask(tasks, key)
            const { who } = yield* Caller
            yield* Effect.logInfo(`${workItem}: ${who} has the gates of ${stage} asked`)
            yield* noted(tasks.advance(id))
            return yield* view(yield* tasks.get(key))
          }).pipe(Effect.catchTags({ StorageError: storageFailed, NoTask: noTask, NotActive: unmoved })))
    }))
