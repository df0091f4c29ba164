import * as Command from "@effect/cli/Command"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Console, DateTime, Effect, Either, Layer, Option, Schema } from "effect"
import { StageEvent } from "../domain/StageEvent.js"
import { cleanLine, textLimit } from "../domain/Text.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { EventView, eventView } from "../http/Views.js"
import type { StoredEvent } from "../outbox/Event.js"
import { eventOfBody, EventStatus } from "../outbox/Event.js"
import { Outbox } from "../outbox/Outbox.js"
import { Storage } from "../outbox/Storage.js"

const invalid = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

const status = Options.choice("status", EventStatus.literals).pipe(
  Options.withDescription("Only events of this status"),
  Options.optional
)

const workItem = Options.text("work-item").pipe(
  Options.withDescription("Only events of the work item with this key, like ET-002"),
  Options.mapEffect((text) => Either.mapLeft(WorkItemKey.parse(text), invalid)),
  Options.optional
)

const limit = Options.integer("limit").pipe(
  Options.withDescription("At most so many, 1 to 1000"),
  Options.mapEffect((count) =>
    count >= 1 && count <= 1000
      ? Either.right(count)
      : Either.left(invalid(`--limit ${count} is not right: expected 1 to 1000`))
  ),
  Options.withDefault(50)
)

const json = Options.boolean("json").pipe(
  Options.withDescription("One JSON object a line, in the form of GET /api/events")
)

const what = StageEvent.$match({
  StageChanged: ({ from, to }) => `${from} → ${to}`,
  QualityGateFailed: ({ check, stage }) => `gate failed at ${stage}: ${check}`,
  TaskCompleted: () => "completed"
})

// The texts come from anybody, and a terminal obeys control characters.
const shown = (text: string) => cleanLine(text, textLimit)

const columns = (event: StoredEvent): ReadonlyArray<string> => [
  DateTime.formatIso(DateTime.unsafeMake(event.occurredAt)).replace(/\.\d+Z$/, "Z"),
  shown(event.workItem),
  event.status,
  shown(Option.match(eventOfBody(event.body), { onNone: () => "unreadable", onSome: what })),
  event.reason === null ? "" : shown(event.reason)
]

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows.reduce<ReadonlyArray<number>>(
    (widest, row) => row.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    []
  )
  return rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ").trimEnd()).join("\n")
}

const toJson = Schema.encodeSync(Schema.parseJson(EventView))

/** `plane-sync events`: what was published and what became of it, newest first. */
export const events = Command.make(
  "events",
  { status, workItem, limit, json },
  (options) =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { where } = yield* Storage
      const found = yield* outbox.events({
        status: Option.getOrUndefined(options.status),
        workItem: Option.getOrUndefined(Option.map(options.workItem, (key) => key.normalized)),
        limit: options.limit
      })
      if (options.json) return yield* Effect.forEach(found, (event) => Console.log(toJson(eventView(event))))
      if (found.length === 0) return yield* Console.error(`No such events in ${where}`)
      yield* Console.log(table(found.map(columns)))
    }).pipe(Effect.asVoid)
).pipe(
  Command.provide(Layer.provideMerge(Outbox.layer, Storage.layer)),
  Command.withDescription(HelpDoc.blocks([
    HelpDoc.p(
      "Lists what was published and what became of it, newest first: when it happened, the work item, its status, what " +
        "it was, and why it waits or is a dead letter. Reads the database of ORCH_DATABASE_URL, also beside a serve."
    ),
    HelpDoc.p("Examples: plane-sync events --status dead"),
    HelpDoc.p("          plane-sync events --work-item ET-002 --json")
  ]))
)
