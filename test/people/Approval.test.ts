import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { epochMillis } from "../../src/base/Time.js"
import { uuidV7 } from "../../src/base/UuidV7.js"
import { ItemId } from "../../src/domain/Ids.js"
import type { PipelineStage } from "../../src/domain/PipelineStage.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Order } from "../../src/tasks/Orders.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { onEachDialect } from "../support/Engines.js"
import { noticeReceiver } from "../support/NoticeReceiver.js"
import { told } from "../tasks/Orchestration.js"
import { eventually, waits, world } from "./Waiting.js"

const stages: ReadonlyArray<PipelineStage> = [
  { stage: "created", gates: ["started"] },
  { stage: "release", agent: "releaser", gates: ["human"] },
  { stage: "deploy", agent: "deployer", gates: ["reported"] },
  { stage: "done", gates: [] }
]

const mayCommand = { ORCH_COMMANDS: "lea@example.org" }
const asksLea = { ...mayCommand, ORCH_ATTENTION: "lea@example.org" }
const question = "release waits for a person: write /approve, or /reject with the reason, as a comment."
const asked = `approval: ${question} [lea@example.org]`

const advance = Effect.flatMap(Tasks, (tasks) => Effect.flatMap(tasks.get("ET-2"), ({ id }) => tasks.advance(id)))

const atRelease = Effect.gen(function*() {
  yield* (yield* Tasks).start({ workItem: "ET-2" })
  yield* advance
})

/** Somebody gives an order by a comment. */
const say = (order: Order) =>
  Effect.gen(function*() {
    const store = yield* TaskStore
    const { id } = yield* (yield* Tasks).get("ET-2")
    const given = { order, by: "lea", at: yield* epochMillis, entry: yield* uuidV7, now: yield* epochMillis }
    const obeyed = yield* (yield* StageEvents).transact(
      Effect.map(
        store.obey({ id, itemId: ItemId("5b2f1c7e-0000-4000-8000-000000000002") }, given),
        (value) => ({ value, events: [] })
      )
    )
    assert.isTrue(Option.getOrThrow(obeyed).isDone, JSON.stringify(obeyed))
    yield* advance
  })

const comments = Effect.map(told, (events) => events.filter((event) => /🙋|Nobody is needed/u.test(event)))

onEachDialect("a stage with the gate human", ({ storage }) => {
  const named = Effect.provide(Layer.fresh(world({ database: storage, stages, settings: asksLea })))

  it.scopedLive(
    "waits for who is named, by its one comment and by notices, until it is approved",
    () =>
      Effect.gen(function*() {
        const { seen, url } = yield* noticeReceiver()
        const settings = { ...asksLea, ORCH_NOTICE_URL: url, ORCH_NOTICE_SECRET: "s" }
        yield* Effect.gen(function*() {
          yield* atRelease
          assert.deepStrictEqual(yield* eventually(waits("ET-2"), (open) => open.length > 0), [asked])
          yield* eventually(Effect.sync(() => seen.length), (count) => count === 1)
          yield* say({ _tag: "approve" })
          assert.strictEqual((yield* (yield* Tasks).get("ET-2")).stage, "deploy")
          yield* eventually(Effect.sync(() => seen.length), (count) => count === 2)
          const [opened, answered] = seen.map(({ body }): unknown => JSON.parse(body))
          assert.deepInclude(opened, { type: "opened", reason: "approval", stage: "release", question })
          assert.deepInclude(answered, { type: "answered", why: "release is approved", by: "lea" })
          assert.deepStrictEqual(yield* comments, [`🙋 ${question}`])
        }).pipe(Effect.provide(Layer.fresh(world({ database: storage, stages, settings }))))
      }),
    30_000
  )

  it.scopedLive("is answered by a rejection, and does not ask again in the same entry", () =>
    Effect.gen(function*() {
      yield* atRelease
      yield* eventually(waits("ET-2"), (open) => open.length > 0)
      yield* say({ _tag: "reject", words: "no error page" })
      assert.deepStrictEqual(yield* eventually(waits("ET-2"), (open) => open.length === 0), [])
      yield* Effect.sleep("2500 millis")
      assert.deepStrictEqual(yield* waits("ET-2"), [])
      assert.deepStrictEqual(yield* comments, [`🙋 ${question}`])
    }).pipe(named), 30_000)

  it.scopedLive("needs nobody any more when it is overruled, which is said once", () =>
    Effect.gen(function*() {
      yield* atRelease
      yield* eventually(waits("ET-2"), (open) => open.length > 0)
      yield* (yield* Tasks).overrule("ET-2", { stage: "release", by: "jo", reason: "by hand" })
      const over = ["↩️ Nobody is needed any more: the task is at deploy now."]
      assert.deepStrictEqual(yield* eventually(comments, ({ length }) => length > 1), [`🙋 ${question}`, ...over])
    }).pipe(named), 30_000)

  it.scopedLive(
    "asks anew when its agent is launched again, and does not say that nobody is needed",
    () =>
      Effect.gen(function*() {
        yield* atRelease
        yield* eventually(waits("ET-2"), (open) => open.length > 0)
        yield* say({ _tag: "reject", words: "no error page" })
        yield* eventually(waits("ET-2"), (open) => open.length === 0)
        const again = Effect.gen(function*() {
          yield* say({ _tag: "retry" })
          yield* Effect.sleep("2500 millis")
          assert.deepStrictEqual(yield* waits("ET-2"), [asked])
        })
        yield* again
        // Also where nobody has said anything yet.
        yield* again
        // Once for each time that the stage was begun.
        assert.deepStrictEqual(yield* comments, Array.from({ length: 3 }, () => `🙋 ${question}`))
      }).pipe(named),
    30_000
  )

  it.scopedLive("has its comment as before, and no wait, where nobody is named", () =>
    Effect.gen(function*() {
      yield* atRelease
      yield* Effect.sleep("2500 millis")
      assert.deepStrictEqual(yield* waits("ET-2"), [])
      yield* say({ _tag: "approve" })
      yield* Effect.sleep("1500 millis")
      assert.deepStrictEqual(yield* comments, [`🙋 ${question}`])
    }).pipe(Effect.provide(Layer.fresh(world({ database: storage, stages, settings: mayCommand })))), 30_000)
})
