import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { inMemory, onEachDialect } from "../support/Engines.js"
import * as MovableClock from "../support/MovableClock.js"
import { everyOutcome } from "./EveryOutcome.js"
import { everything } from "./EveryStatement.js"

/**
 * All that is stored, but for ids, which count differently: on Postgres an INSERT that meets a row with the same key
 * takes a number, too.
 */
const stored = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const lanes = yield* read(sql`SELECT l.name, l.work_item, t.name AS target, l.owed, l.due_at, l.urgency, l.attempts,
      l.misses, l.gone, l.state, l.cancelled, l.completed, l.asked, l.respected, l.unanswered, l.patient, l.problem,
      l.updated_at, l.heard_state, l.heard_at, l.heard_ahead, l.late_state, l.of_task, l.placed, l.replaced, l.placed_at,
      l.placed_by, l.doubt, l.doubted, l.check_at, l.checks, l.confirmed, l.restore, l.touched_at, l.touched_since,
      l.twins_at, l.project
    FROM (SELECT * FROM plane_sync_lane) l LEFT JOIN (SELECT id AS target_id, name FROM plane_sync_lane) t
      ON t.target_id = l.target ORDER BY l.name`)
  const events = yield* read(sql`SELECT e.id, e.work_item, e.body, e.stage, e.urgent, e.occurred_at, e.published_at,
      e.comment, e.state, e.status, e.folded, e.lane_name, e.project, l.name AS lane
    FROM plane_sync_event e LEFT JOIN plane_sync_lane l ON l.id = e.lane ORDER BY e.id`)
  const deliveries = yield* read(
    sql`SELECT l.name AS lane, d.kind, d.status, e.id AS first, d.external_id, d.body, d.gate, failures,
      d.occurred_at, d.attempts, planned_at, sent_at, settled_at, plane_id, answer, code, reason, tried, refusals, twins,
      made_by
    FROM plane_sync_delivery d LEFT JOIN (SELECT id AS lane_id, name FROM plane_sync_lane) l ON l.lane_id = d.lane
      LEFT JOIN plane_sync_event e ON e.sequence = d.first_event ORDER BY d.id`
  )
  const counts = yield* read(sql`SELECT status, events FROM plane_sync_count ORDER BY status`)
  const used = yield* read(sql`SELECT l.name AS lane, u.model, u.input_tokens, u.output_tokens, u.micros
    FROM plane_sync_usage u JOIN plane_sync_lane l ON l.id = u.lane ORDER BY l.name, u.model`)
  const outbox = yield* Outbox
  const told = yield* Effect.forEach(
    yield* outbox.events({ limit: 1_000 }),
    ({ occurredAt, publishedAt, reason, status }) => Effect.succeed({ occurredAt, publishedAt, reason, status })
  )
  return { lanes, events, deliveries, counts, used, told }
})

// By a clock that is only set: whatever waits in the background goes on waiting, as on Postgres a query's deadline does.
const moving = <A, E, R>(run: (shift: MovableClock.MovableClock["shift"]) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.clock, (base) => {
    const { clock, shift } = MovableClock.make(base)
    return Effect.withClock(run(shift), clock)
  })

const worked = (layer: Layer.Layer<Outbox | Storage, StorageError>) =>
  moving((shift) =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      yield* outbox.becomeLeader({ holder: "me" })
      yield* everyOutcome(shift)
      return yield* stored
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

const workedInMemory = Effect.runSync(Effect.cached(worked(Layer.provideMerge(Outbox.layer, inMemory.storage))))

onEachDialect("The outbox's statements", ({ dialect, storage }) => {
  const layer = Layer.provideMerge(Outbox.layer, storage)

  // On SQLite, test/outbox/Plans.test.ts runs them all.
  if (dialect === "postgres") {
    it.scoped("are all taken", () => moving((shift) => Effect.provide(everything(shift), layer)), 90_000)
  }

  it.effect("store the same as in memory, in the same types, however jobs end", () =>
    Effect.gen(function*() {
      const expected = yield* workedInMemory
      assert.isAbove(expected.events.length, 100)
      assert.deepStrictEqual(yield* worked(layer), expected)
    }), 90_000)
})
