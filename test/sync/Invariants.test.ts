import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, FastCheck, Option, TestClock, TestContext } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findings, judge, toldBy } from "../../demo/Judge.js"
import { commentHtml } from "../../src/domain/Comment.js"
import type { StageEvent } from "../../src/domain/StageEvent.js"
import { stageOf } from "../../src/domain/StageEvent.js"
import { defaultStageStates } from "../../src/domain/StageStates.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Signal } from "../../src/sync/Signal.js"
import { StageEvents } from "../../src/sync/StageEvents.js"
import * as MovableClock from "../support/MovableClock.js"
import type { Step } from "./History.js"
import { eventOf, histories, itemCount, killable } from "./History.js"

/** Runs a history to its end and says what is wrong with what Plane shows then: nothing may be. */
const run = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const database = join(folder, "events.sqlite")
    const plane = yield* PlaneSimulator
    const items = yield* Effect.forEach(
      Array.from({ length: itemCount }, (_, i) => `Task ${i}`),
      (name) => plane.addWorkItem({ name })
    )
    // The pipeline's and its publisher's own; Plane's, and what the test waits by, is never set.
    const { clock, shift } = MovableClock.make(yield* Effect.clock)
    yield* shift(Date.UTC(2026, 10, 24))
    const start = Effect.withClock(killable(database), clock)
    const published = new Map<string, Array<StageEvent>>(items.map(({ key }) => [key, []]))
    let process = yield* start
    const publish = Effect.fnUntraced(
      function*(n: number, { key }: { key: string }, zeros: boolean, kind: StageEvent["_tag"]) {
        const event = eventOf(n, zeros ? key.replace("-", "-00") : key, kind)
        const events = yield* Effect.provide(StageEvents, process.context)
        const receipt = yield* Effect.withClock(events.publish(event), clock)
        assert.strictEqual(receipt._tag, "Committed")
        published.get(key)?.push(event)
      }
    )
    const retryDead = Effect.gen(function*() {
      const outbox = yield* Effect.provide(Outbox, process.context)
      for (const { id } of yield* outbox.deadLetters({ limit: 100 })) {
        yield* Effect.withClock(outbox.retry({ id }), clock)
      }
      yield* (yield* Effect.provide(Signal, process.context)).notify
    })
    // Found by both spellings: until then nobody knows that they are one work item, and have one order.
    for (const [n, item] of items.entries()) {
      yield* publish(1_000 + n, item, false, "QualityGateFailed")
      yield* publish(2_000 + n, item, true, "QualityGateFailed")
    }
    yield* TestClock.adjust("2 minutes")

    for (const [n, step] of steps.entries()) {
      switch (step._tag) {
        case "Publish": {
          const item = items[step.item]
          if (item !== undefined) yield* publish(n, item, step.zeros, step.kind)
          break
        }
        case "RetryDead":
          yield* retryDead
          break
        case "Refuse":
        case "Misbehave":
          yield* plane.misbehave(step.fault)
          break
        case "Pass":
          yield* TestClock.adjust(step.millis)
          break
        case "Kill":
          yield* process.kill
          process = yield* start
          break
        case "SetClock":
          yield* shift(step.millis)
      }
    }
    yield* plane.calm
    yield* TestClock.adjust("15 minutes")
    yield* retryDead
    yield* TestClock.adjust("15 minutes")
    const outbox = yield* Effect.provide(Outbox, process.context)
    assert.deepInclude(yield* outbox.status, { pending: 0, dead: 0 })
    yield* process.kill

    for (const item of items) {
      const events = published.get(item.key) ?? []
      const state = events.map(stageOf).filter((stage) => stage !== undefined && defaultStageStates.has(stage)).at(-1)
      const wanted = Object.values(plane.states).find((each) => each.id === defaultStageStates.get(state ?? ""))
      const comments = yield* plane.comments(item.id)
      const verdict = judge(
        {
          workItem: item.key,
          lines: events.flatMap((event) => toldBy(commentHtml(event))),
          state: wanted?.name ?? "Backlog"
        },
        { lines: comments.flatMap(({ html }) => toldBy(html)), state: (yield* plane.workItem(item.id)).state.name }
      )
      // What was a dead letter is told behind what was owed then.
      const inOrder = !steps.some(({ _tag }) => _tag === "Refuse")
      assert.strictEqual(
        findings(inOrder ? verdict : { ...verdict, outOfOrder: [] }),
        0,
        JSON.stringify(verdict)
      )
    }
    return (yield* plane.requests).length
  }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layerMemory()))

describe("the invariants", () => {
  it.effect(
    "hold over random histories of publishing, trouble, time, kills and a clock that is set",
    () =>
      Effect.gen(function*() {
        // A failing run prints its seed and path: PROPERTY_SEED=… gives it back.
        const seed = yield* Config.option(Config.integer("PROPERTY_SEED"))
        const runs = yield* Config.withDefault(Config.integer("PROPERTY_RUNS"), 12)
        let requests = 0
        yield* Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(histories, async (steps) => {
              const exit = await Effect.runPromise(Effect.provide(run(steps), TestContext.TestContext))
              requests += exit
            }),
            {
              numRuns: runs,
              // Before the test's own time is up, which would not tell the seed.
              interruptAfterTimeLimit: 120_000,
              markInterruptAsFailure: true,
              ...Option.match(seed, { onNone: () => ({}), onSome: (seed) => ({ seed }) })
            }
          )
        )
        assert.isAbove(requests, runs)
      }),
    150_000
  )
})
