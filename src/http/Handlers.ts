import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import { Effect, Either, Layer } from "effect"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { StageEvents } from "../events/StageEvents.js"
import { Health } from "../health/Health.js"
import type { NeverTold, NoDeadLetter } from "../outbox/DeadLetterActions.js"
import { deadLetter, discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import { Outbox } from "../outbox/Outbox.js"
import { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { Task } from "../tasks/Task.js"
import { Tasks } from "../tasks/Tasks.js"
import type { NoTask } from "../tasks/TaskStore.js"
import { deadLetterView } from "../views/DeadLetterView.js"
import { eventView, workItemView } from "../views/EventView.js"
import { taskView } from "../views/TaskView.js"
import { Api, OfCode, ReportStage, StartTask } from "./Api.js"
import { BadRequest, Conflict, NotFound, Unavailable } from "./Problem.js"
import { bodyOfRequest, decodeEvent, decoderOf, shortened } from "./RequestBody.js"

// The request was decoded, so it is one.
const keyOf = (text: string) => Effect.orDieWith(WorkItemKey.parse(text), (why) => new Error(why))

const unavailable = (error: StorageError) => new Unavailable({ error: error.message })

// One row more than asked for tells whether there is a next page.
const pageOf = <A>(rows: ReadonlyArray<A>, limit: number) => {
  const page = rows.slice(0, limit)
  return { page, next: rows.length > limit ? page.at(-1) : undefined }
}

const health = HttpApiBuilder.group(
  Api,
  "health",
  (handlers) => Effect.map(Health, ({ report }) => handlers.handle("health", () => report))
)

const events = HttpApiBuilder.group(Api, "events", (handlers) =>
  Effect.gen(function*() {
    const stageEvents = yield* StageEvents
    const outbox = yield* Outbox
    const { noteWrite } = yield* Health
    return handlers
      // Raw, because the body is bounded, and each of its fields named when it is wrong.
      .handleRaw("publish", ({ request }) =>
        Effect.flatMap(bodyOfRequest(request, "an event", decodeEvent), stageEvents.publishOrFail).pipe(
          Effect.tap((receipt) =>
            noteWrite(Either.right(receipt))
          ),
          Effect.tapErrorTag(
            "StorageError",
            (error) =>
              Effect.zipRight(noteWrite(Either.left(error)), Effect.logError(`Event refused: ${error.message}`))
          ),
          Effect.catchTags({
            IdTaken: ({ message }) => new Conflict({ error: message }),
            StorageError: unavailable
          })
        ))
      .handle("list", ({ urlParams: { cursor, limit, status, workItem } }) =>
        Effect.gen(function*() {
          const key = workItem === undefined ? undefined : yield* keyOf(workItem)
          const rows = yield* outbox.events({ status, workItem: key?.normalized, limit: limit + 1, cursor })
          const { next, page } = pageOf(rows, limit)
          return { events: page.map(eventView), nextCursor: next?.sequence ?? null }
        }).pipe(Effect.mapError(unavailable)))
  }))

const workItems = HttpApiBuilder.group(
  Api,
  "workItems",
  (handlers) =>
    Effect.map(
      Outbox,
      (outbox) =>
        handlers.handle("get", ({ path: { key }, urlParams: { limit } }) =>
          Effect.gen(function*() {
            const { normalized } = yield* keyOf(key)
            const row = yield* Effect.mapError(outbox.workItem(normalized, limit), unavailable)
            if (row === undefined) return yield* new NotFound({ error: `No event was ever published for ${key}` })
            return workItemView(key, row)
          }))
    )
)

const decodeOfCode = decoderOf(OfCode)

const deliveries = HttpApiBuilder.group(Api, "deliveries", (handlers) =>
  Effect.gen(function*() {
    const outbox = yield* Outbox
    const wakeUps = yield* WakeUps
    const { noteWrite } = yield* Health

    const noted = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      effect.pipe(
        Effect.provideService(Outbox, outbox),
        Effect.tapError((error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void)
      )
    const retrying = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      noted(effect).pipe(Effect.zipLeft(wakeUps.notify), Effect.map((retried) => ({ retried })))
    const discarding = <E>(effect: Effect.Effect<number, E, Outbox>) =>
      Effect.map(noted(effect), (discarded) => ({ discarded }))

    const notFound = (error: NoDeadLetter) => new NotFound({ error: error.message })
    const neverTold = (error: NeverTold) => new Conflict({ error: error.message })
    const codeIn = (request: HttpServerRequest) =>
      Effect.map(bodyOfRequest(request, "a code of dead letters", decodeOfCode), ({ code }) => code)

    return handlers
      .handle("list", ({ urlParams: { code, cursor, limit } }) =>
        Effect.gen(function*() {
          const { next, page } = pageOf(yield* outbox.deadLetters({ code, cursor, limit: limit + 1 }), limit)
          return { deliveries: page.map(deadLetterView), nextCursor: next?.id ?? null }
        }).pipe(Effect.mapError(unavailable)))
      .handle("get", ({ path: { id } }) =>
        deadLetter(id).pipe(
          Effect.provideService(Outbox, outbox),
          Effect.map(deadLetterView),
          Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound })
        ))
      .handle("retry", ({ path: { id } }) =>
        retrying(retryOne(id)).pipe(
          Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound, NeverTold: neverTold })
        ))
      .handle("discard", ({ path: { id } }) =>
        discarding(discardOne(id)).pipe(Effect.catchTags({ StorageError: unavailable, NoDeadLetter: notFound })))
      // Raw, because the body is bounded, and its field named when it is wrong.
      .handleRaw("retryAll", ({ request }) =>
        Effect.flatMap(codeIn(request), (code) =>
          retrying(retryAll(code))).pipe(
            Effect.catchTags({ StorageError: unavailable, NeverTold: neverTold })
          ))
      .handleRaw("discardAll", ({ request }) =>
        Effect.flatMap(codeIn(request), (code) =>
          discarding(discardAll(code))).pipe(
            Effect.catchTags({ StorageError: unavailable })
          ))
  }))

const decodeStart = decoderOf(StartTask)
const decodeReport = decoderOf(ReportStage)

// Whoever starts a task or reports sees what comes of it, but waits for no slow gate: the orchestrator goes on.
const advanceWithin = "2 seconds"

const tasks = HttpApiBuilder.group(Api, "tasks", (handlers) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const { noteWrite } = yield* Health

    const noted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.tapError(effect, (error) => error instanceof StorageError ? noteWrite(Either.left(error)) : Effect.void)
    const soon = ({ id, workItem }: Task) =>
      tasks.advance(id).pipe(
        Effect.disconnect,
        Effect.timeoutOption(advanceWithin),
        // What was said is stored; the orchestrator tries again, and says what is wrong.
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
        }).pipe(Effect.mapError(unavailable)))
      .handle("get", ({ path: { key } }) =>
        tasks.get(key).pipe(
          Effect.map(taskView),
          Effect.catchTags({ StorageError: unavailable, NoTask: noTask })
        ))
      // Raw, because the body is bounded, and each of its fields named when it is wrong.
      .handleRaw("start", ({ request }) =>
        Effect.flatMap(bodyOfRequest(request, "a task to start", decodeStart), tasks.start).pipe(
          Effect.flatMap(soon),
          noted,
          Effect.catchTags({
            StorageError: unavailable,
            NoTask: (error) =>
              Effect.die(error),
            InvalidKey: (error) => Effect.die(error)
          })
        ))
      .handleRaw("report", ({ path: { key }, request }) =>
        Effect.flatMap(
          bodyOfRequest(request, "a report", decodeReport),
          (report) =>
            tasks.report(key, report)
        ).pipe(
          Effect.flatMap(soon),
          noted,
          Effect.catchTags({
            StorageError: unavailable,
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
        }).pipe(Effect.catchTags({ StorageError: unavailable, NoTask: noTask })))
  }))

/** What answers the requests of `Api`. */
export const handlersLayer = Layer.mergeAll(health, events, workItems, deliveries, tasks)
