/**
 * Events in the host's own database: one that is published inside of a transaction is committed, or vanishes, with what
 * the host itself writes there.
 */
import { NodeRuntime } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Chunk, Data, Effect, Layer, Stream } from "effect"
import { PlaneSync, StageEvent, StageEvents } from "plane-sync"

class Refused extends Data.TaggedError("Refused") {}

/** Moves a task of the host, and says so: both, or neither. */
const move = (workItem: string, to: string, isRefused: boolean) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const events = yield* StageEvents
    const change = Effect.gen(function*() {
      yield* sql`INSERT INTO task (work_item, stage) VALUES (${workItem}, ${to})`
      const receipt = yield* events.publish(StageEvent.StageChanged({ workItem, from: "analysis", to }))
      // Joined: it is not committed yet.
      yield* Effect.log(workItem, receipt)
      if (isRefused) return yield* new Refused()
    })
    yield* sql.withTransaction(change)
  })

const program = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const events = yield* StageEvents
  yield* sql`CREATE TABLE IF NOT EXISTS task (work_item TEXT, stage TEXT)`
  yield* move("ET-1", "architecture", false)
  yield* Effect.ignore(move("ET-2", "architecture", true))

  const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(events.stream(0), 1)))
  const tasks = yield* sql<{ readonly work_item: string }>`SELECT work_item FROM task`
  yield* Effect.log(`tasks: ${tasks.map((task) => task.work_item).join()}; published: ${first?.workItem ?? "nothing"}`)
})

const database = SqliteClient.layer({ filename: "./host.sqlite" })

program.pipe(
  Effect.provide(Layer.provideMerge(PlaneSync.layerSql, database)),
  NodeRuntime.runMain
)
