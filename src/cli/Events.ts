import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Either, Option, Schema } from "effect"
import { ToldEvent } from "../domain/StageEvent.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { Outbox } from "../outbox/Outbox.js"
import type { StoredEvent } from "../outbox/StoredEvent.js"
import { eventOfBody, EventStatus } from "../outbox/StoredEvent.js"
import { EventView, eventView } from "../views/EventView.js"
import { databasePath, existingDatabase } from "./Database.js"
import { lineOf } from "./Help.js"
import { invalidOption, jsonLike, limit } from "./ListOptions.js"
import { moment, shown, table } from "./Table.js"

const status = Options.choice("status", EventStatus.literals).pipe(
  Options.withDescription("Only events of this status"),
  Options.optional
)

const workItem = Options.text("work-item").pipe(
  Options.withDescription("Only events of the work item with this key, like ET-002"),
  Options.mapEffect((text) => Either.mapLeft(WorkItemKey.parse(text), invalidOption)),
  Options.optional
)

const json = jsonLike("GET /api/events")

const what = ToldEvent.$match({
  StageChanged: ({ from, overruledBy, to }) =>
    `${from} → ${to}${overruledBy === undefined ? "" : `, overruled by ${overruledBy}`}`,
  QualityGateFailed: ({ check, stage }) => `gate failed at ${stage}: ${check}`,
  TaskCompleted: () => "completed",
  QuestionAsked: ({ agent = "an agent", question }) => `${agent} asks: ${question}`,
  Noted: ({ text }) => text
})

const columns = (event: StoredEvent): ReadonlyArray<string> => [
  moment(event.occurredAt),
  shown(event.workItem),
  event.status,
  shown(Option.match(eventOfBody(event.body), { onNone: () => "unreadable", onSome: what })),
  event.reason === null ? "" : shown(event.reason)
]

const toJson = Schema.encodeSync(Schema.parseJson(EventView))

/** `plane-sync events`: lists published events and what became of them, newest first. */
export const events = Command.make(
  "events",
  { status, workItem, limit, json },
  (options) =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const found = yield* outbox.events({
        status: Option.getOrUndefined(options.status),
        workItem: Option.getOrUndefined(Option.map(options.workItem, (key) => key.normalized)),
        limit: options.limit
      })
      if (options.json) return yield* Effect.forEach(found, (event) => Console.log(toJson(eventView(event))))
      if (found.length === 0) return yield* Console.error(`No such events in ${yield* databasePath}`)
      yield* Console.log(table(found.map(columns)))
    }).pipe(Effect.asVoid)
).pipe(
  Command.provide(existingDatabase),
  Command.withDescription(lineOf("events"))
)
