import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { momentOf } from "../../src/domain/PlaneMoment.js"
import { keepHearing, readHearing, unheard } from "../../src/repair/Hearing.js"
import { keepWatermark, readWatermark } from "../../src/repair/Watermark.js"
import { Storage } from "../../src/storage/Storage.js"
import { onEachDialect } from "../support/Engines.js"

const moment = (millis: number) => momentOf(EpochMillis(millis))

onEachDialect("what repair remembers", (engine) => {
  it.live("a watermark never goes back, and its beginning stays, whoever keeps it at the same time", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      assert.isUndefined(yield* read(readWatermark(sql, "ET")))
      yield* write(keepWatermark(sql, "ET", { moment: moment(5_000), began: moment(1_000) }))
      const moments = Array.from({ length: 20 }, (_, index) => 1_000 * ((index * 7) % 20))
      yield* Effect.forEach(
        moments,
        (at) => write(keepWatermark(sql, "ET", { moment: moment(at), began: moment(at) })),
        { concurrency: 6 }
      )
      assert.deepStrictEqual(
        yield* read(readWatermark(sql, "ET")),
        { moment: moment(19_000), began: moment(1_000) }
      )
    }).pipe(Effect.provide(engine.storage)))

  it.live("what is known of a workspace's webhook comes back as it was stored", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      assert.isUndefined(yield* read(readHearing(sql, "acme")))
      const first = unheard(EpochMillis(1.7e12))
      yield* write(keepHearing(sql, "acme", first))
      assert.deepStrictEqual(yield* read(readHearing(sql, "acme")), first)
      const next = { ...first, hook: 9, echoes: true, misses: 3, silentSince: EpochMillis(1.8e12) }
      yield* write(keepHearing(sql, "acme", next))
      assert.deepStrictEqual(yield* read(readHearing(sql, "acme")), next)
    }).pipe(Effect.provide(engine.storage)))
})
