import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Fiber, Layer, Schedule, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeBatcher } from "../../src/base/Batcher.js"
import { EpochMillis } from "../../src/base/Time.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Storage } from "../../src/StorageLayers.js"

describe("a burst of publishing", () => {
  it.scopedLive("gives other fibers turns of the event loop in between", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const layer = Layer.provide(Outbox.layer, Storage.layerFile(join(folder, "events.sqlite")))
      yield* Effect.gen(function*() {
        const { publish } = yield* Outbox
        let ticks = 0
        const ticking = yield* Effect.fork(
          Effect.repeat(Effect.sync(() => void (ticks += 1)), Schedule.spaced("5 millis"))
        )
        const fiber = (f: number) =>
          Effect.forEach(Array.from({ length: 200 }), (_, n) =>
            publish({
              id: `${f}-${n}`,
              workItem: `ET-${f}`,
              lane: NormalizedKey(`ET-${f}`),
              body: "{}",
              stage: undefined,
              urgent: false,
              occurredAt: EpochMillis(0),
              publishedAt: EpochMillis(0),
              project: "ET",
              unfit: undefined
            }), { discard: true })
        yield* Effect.forEach(Array.from({ length: 50 }), (_, f) => fiber(f), {
          concurrency: "unbounded",
          discard: true
        })
        yield* Fiber.interrupt(ticking)
        // It takes about a second: without a turn in between there would be one tick.
        assert.isAbove(ticks, 3)
      }).pipe(Effect.provide(layer))
    }))
})

describe("a batcher", () => {
  it.scopedLive("a bug in a run fails its callers only; later callers are served", () =>
    Effect.gen(function*() {
      const ask = yield* makeBatcher({
        run: (items: ReadonlyArray<number>) => items.includes(0) ? Effect.die("a bug") : Effect.succeed(items),
        runSinglyAfter: () => true,
        maxItems: 10,
        closed: "closed"
      })
      assert.deepStrictEqual(yield* Effect.exit(ask(0)), Exit.die("a bug"))
      assert.strictEqual(yield* Effect.timeout(ask(1), "1 seconds"), 1)
    }))

  it.scoped("who has waited for more than a second behind a run that failed is not run; who came later is", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const ask = yield* makeBatcher({
        run: (items: ReadonlyArray<number>) => {
          ran.push(...items)
          return Effect.delay(items.includes(0) ? Effect.fail("no answer") : Effect.succeed(items), "5 seconds")
        },
        runSinglyAfter: () => false,
        behind: (error) => `behind: ${error}`,
        maxItems: 10,
        closed: "closed"
      })
      const asked = yield* Effect.forEach(
        [0, 1, 4_500],
        (item) => Effect.fork(Effect.either(Effect.delay(ask(item), `${item} millis`)))
      )
      yield* TestClock.adjust("5 seconds")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* Fiber.join(Fiber.all(asked)), [
        Either.left("no answer"),
        Either.left("behind: no answer"),
        Either.right(4_500)
      ])
      assert.deepStrictEqual(ran, [0, 4_500])
    }))
})
