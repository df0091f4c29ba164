/**
 * The same as host-transaction.ts on a Postgres: an event that is published inside of a transaction is committed, or
 * vanishes, with what the host itself writes there. DATABASE_URL names the host's own database.
 */
import { NodeRuntime } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { PgClient } from "@effect/sql-pg"
import { Chunk, Config, Data, Effect, Layer, Stream } from "effect"
import { PlaneSync, StageEvent, StageEvents } from "plane-sync"

class Refused extends Data.TaggedError("Refused") {}

/** Moves a task of the host, and says so: both, or neither. */
const move = (workItem: string, to: string, isRefused: boolean) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const events = yield* StageEvents
    const change = Effect.gen(function*() {
      yield* sql`INSERT INTO task (work_item, stage) VALUES (${workItem}, ${to})`
      yield* events.publishOrFail(StageEvent.StageChanged({ workItem, from: "analysis", to }))
      if (isRefused) return yield* new Refused()
    })
    yield* sql.withTransaction(change)
  })

const program = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const events = yield* StageEvents
  yield* sql`CREATE TABLE IF NOT EXISTS task (work_item text, stage text)`
  yield* move("ET-1", "architecture", false)
  yield* Effect.ignore(move("ET-2", "architecture", true))

  const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(events.stream(0), 1)))
  const tasks = yield* sql<{ readonly work_item: string }>`SELECT work_item FROM task`
  yield* Effect.log(`tasks: ${tasks.map((task) => task.work_item).join()}; published: ${first?.workItem ?? "nothing"}`)
})

const database = PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") })

program.pipe(
  Effect.provide(Layer.provideMerge(PlaneSync.layerSql, database)),
  NodeRuntime.runMain
)
