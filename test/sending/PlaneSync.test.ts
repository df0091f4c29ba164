import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { stages } from "../../src/domain/Stage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { PlaneSync } from "../../src/PlaneSyncLayers.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { delivered, inMemory, overHttp, received, settingsFor } from "./Pipeline.js"

describe("how many work items are written to at once", () => {
  const limits: ReadonlyArray<readonly [Readonly<Record<string, string>>, number]> = [
    [{}, 8],
    [{ ORCH_PLANE_CONCURRENCY: "2" }, 2]
  ]
  it.effect.each(limits)("with %o of twelve that are due", ([settings, most]) =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const events = yield* StageEvents
      const items = yield* Effect.forEach(
        Array.from({ length: 12 }),
        (_, index) => plane.addWorkItem({ name: `Task ${index}` })
      )
      yield* Effect.forEach(items, ({ key }) => events.publish(StageEvent.TaskCompleted({ workItem: key })))
      yield* TestClock.adjust("1 minutes")
      const requests = yield* plane.requests
      const overlapping = requests.map(({ at }) =>
        requests.filter((other) => other.at <= at && at < (other.answeredAt ?? Infinity)).length
      )
      assert.strictEqual(Math.max(...overlapping), most)
      assert.strictEqual((yield* plane.comments(items[11]?.id ?? "")).length, 1)
    }).pipe(Effect.provide(inMemory({ plane: { latency: "500 millis" }, settings }))))
})

describe("PlaneSync over HTTP", () => {
  it.live("a task's life costs 11 requests, and Plane tells it", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const events = yield* StageEvents
      const item = yield* plane.addWorkItem({ name: "Ride along the river" })
      for (let i = 0; i + 1 < stages.length; i++) {
        yield* events.publish(
          StageEvent.StageChanged({ workItem: item.key, from: stages[i] ?? "", to: stages[i + 1] ?? "" })
        )
        yield* delivered
      }
      yield* events.publish(StageEvent.TaskCompleted({ workItem: item.key }))
      yield* delivered
      const comments = yield* plane.comments(item.id)
      assert.deepStrictEqual(comments.map((comment) => comment.html), [
        "<p>🔄 Stage: created → analysis</p>",
        "<p>🔄 Stage: analysis → architecture</p>",
        "<p>🔄 Stage: architecture → development</p>",
        "<p>🔄 Stage: development → review</p>",
        "<p>🔄 Stage: review → testing</p>",
        "<p>🔄 Stage: testing → deploy</p>",
        "<p>🔄 Stage: deploy → done</p>",
        "<p>✅ Task completed! PR merged and deployed.</p>"
      ])
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      assert.strictEqual((yield* received).length, 11)
    }).pipe(Effect.provide(overHttp())))

  it.live("in the host's database it is told once the host's transaction has ended", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const sql = yield* SqlClient.SqlClient
      const { publish } = yield* StageEvents
      const item = yield* plane.addWorkItem({ name: "Ride along the river" })
      const changed = (to: string) => publish(StageEvent.StageChanged({ workItem: item.key, from: "created", to }))
      yield* Effect.flip(
        sql.withTransaction(Effect.zipRight(changed("vanished"), Effect.fail("the host's own trouble")))
      )
      yield* sql.withTransaction(Effect.zipRight(changed("analysis"), Effect.sleep("300 millis")))
      const told = Effect.map(plane.comments(item.id), (comments) => comments.map(({ html }) => html))
      while ((yield* told).length === 0) yield* Effect.sleep("10 millis")
      assert.deepStrictEqual(yield* told, ["<p>🔄 Stage: created → analysis</p>"])
    }).pipe(
      Effect.provide(
        Layer.provide(PlaneSync.layerSql, settingsFor({})).pipe(
          Layer.provideMerge(SqliteClient.layer({ filename: ":memory:" })),
          Layer.provideMerge(PlaneSimulator.layer())
        )
      ),
      Effect.timeout("10 seconds")
    ))

  it.live("it is not started within a transaction of the host, which its workers would outlive", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const scope = yield* Effect.scope
      yield* sql`CREATE TABLE task (id TEXT)`
      const start = Layer.buildWithScope(Layer.provide(PlaneSync.layerSql, settingsFor({})), scope)
      yield* sql.withTransaction(
        Effect.gen(function*() {
          yield* sql`INSERT INTO task VALUES ('one')`
          const refused = yield* Effect.flip(start)
          assert.isTrue(refused._tag === "StorageError" && refused.words.includes("outside of sql.withTransaction"))
        })
      )
      assert.deepStrictEqual(yield* sql`SELECT id FROM task`, [{ id: "one" }])
      assert.deepStrictEqual(yield* sql`SELECT name FROM sqlite_schema WHERE name LIKE 'plane_sync%'`, [])
      yield* start
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.merge(SqliteClient.layer({ filename: ":memory:" }), PlaneSimulator.layer())
      ),
      Effect.timeout("10 seconds")
    ))
})
