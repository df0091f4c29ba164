import * as Statement from "@effect/sql/Statement"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { StageEvents } from "../src/events/StageEvents.js"
import { changed } from "./Load.js"
import { publishingOn } from "./Pipelines.js"
import { workItems } from "./Publisher.js"

type Sent = readonly [text: string, parameters: ReadonlyArray<unknown>]

const recordedId = "recorded"

/** The statements that the driver gets for one publish, without BEGIN and COMMIT. */
const recorded = Effect.fnUntraced(function*(file: string) {
  const sent: Array<Sent> = []
  const publishing = Effect.gen(function*() {
    const events = yield* StageEvents
    // The first publish makes the lane of its work item.
    yield* events.publish(changed(0, workItems))
    sent.length = 0
    yield* events.publish({ ...changed(0, workItems), id: recordedId })
  })
  yield* publishing.pipe(
    Effect.provide(publishingOn(file)),
    // The transformer goes around the layer, because the fiber that writes is forked while the layer is built.
    Statement.withTransformer((statement) =>
      Effect.sync(() => {
        sent.push(statement.compile())
        return statement
      })
    )
  )
  return sent
})

/** Publishes to a file by the same statements as we do, with nothing around them. Each publish is a commit. */
export const bareDriver = Effect.fnUntraced(function*(file: string) {
  const sent = yield* recorded(file)
  const database = yield* Effect.acquireRelease(
    Effect.sync(() => new Database(file)),
    (database) => Effect.sync(() => database.close())
  )
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = FULL")
  const begin = database.prepare("BEGIN")
  const commit = database.prepare("COMMIT")
  const statements = sent.map(([text, parameters]) => ({ statement: database.prepare(text), parameters }))
  let published = 0
  return Effect.sync(() => {
    const id = `bare-${published++}`
    begin.run()
    for (const { parameters, statement } of statements) {
      const own = parameters.map((value) => typeof value === "string" ? value.replaceAll(recordedId, id) : value)
      if (statement.reader) statement.all(...own)
      else statement.run(...own)
    }
    commit.run()
  })
})
