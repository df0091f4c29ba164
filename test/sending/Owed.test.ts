import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Logger, Option, Scope, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { makeSettled } from "../../src/sending/Owed.js"
import { PlaneSync } from "../../src/sending/PlaneSync.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { inMemory } from "./Pipeline.js"

const completed = (workItem: string) => StageEvent.TaskCompleted({ workItem })

/** Lines of the log that tell what is owed. */
const logOf = () => {
  const lines: Array<string> = []
  const kept = Logger.make(({ logLevel, message }) => {
    if (String(message).includes("owed")) lines.push(`${logLevel.label} ${String(message)}`)
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, kept) }
}

describe("settled", () => {
  it.scoped("waits until Plane has all that was published, and returns as soon as it has", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { settled } = yield* PlaneSync
      const { publish } = yield* StageEvents
      yield* settled
      const items = yield* Effect.forEach(["one", "two"], (name) => plane.addWorkItem({ name }))
      yield* Effect.forEach(items, ({ key }) => publish(completed(key)))
      const waiting = yield* Effect.fork(settled)
      // Not a second in which it could have polled.
      yield* TestClock.adjust("900 millis")
      yield* Fiber.join(waiting)
      for (const { id } of items) assert.lengthOf(yield* plane.comments(id), 1)
    }).pipe(Effect.provide(inMemory())))

  it.scoped("waits as long as Plane is away", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const item = yield* plane.addWorkItem({ name: "one" })
      yield* plane.misbehave(Fault.Down({}))
      yield* (yield* StageEvents).publish(completed(item.key))
      const waiting = yield* Effect.fork((yield* PlaneSync).settled)
      yield* TestClock.adjust("10 minutes")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      yield* plane.calm
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(waiting)
      assert.lengthOf(yield* plane.comments(item.id), 1)
    }).pipe(Effect.provide(inMemory())))

  it.scoped("does not wait for dead letters", () =>
    Effect.gen(function*() {
      const { publish } = yield* StageEvents
      yield* publish(completed("no key"))
      yield* publish(completed("ET-999"))
      const waiting = yield* Effect.fork((yield* PlaneSync).settled)
      yield* TestClock.adjust("20 minutes")
      yield* Fiber.join(waiting)
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.scoped("sees within a second what another process has settled", () =>
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const status = yield* outbox.status
      let pending = 1
      const { settled } = yield* makeSettled({ ...outbox, status: Effect.sync(() => ({ ...status, pending })) })
      const waiting = yield* Effect.fork(settled)
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(waiting)))
      pending = 0
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(waiting)
    }).pipe(Effect.provide(inMemory())))
})

describe("at shutdown", () => {
  const endedWith = (keys: ReadonlyArray<string>, down: boolean) => {
    const log = logOf()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.provide(inMemory(), log.layer), scope)
      yield* Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        if (down) yield* plane.misbehave(Fault.Down({}))
        else yield* Effect.forEach(keys, (name) => plane.addWorkItem({ name }))
        const { publish } = yield* StageEvents
        yield* Effect.forEach(keys, (key) => publish(completed(key)))
        yield* TestClock.adjust("5 seconds")
      }).pipe(Effect.provide(context))
      yield* Scope.close(scope, Exit.void)
      return log.lines
    })
  }

  it.effect("one line says what is still owed, and that the next start sends it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* endedWith(["ET-1", "ET-2", "ET-2"], true), [
        "INFO 3 events are still owed to Plane; the next start sends them"
      ])
      assert.deepStrictEqual(yield* endedWith(["ET-1"], true), [
        "INFO 1 event is still owed to Plane; the next start sends it"
      ])
    }))

  it.effect("nothing is said when nothing is owed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* endedWith(["ET-1", "ET-2"], false), [])
    }))
})
