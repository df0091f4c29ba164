import { assert, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, Schedule } from "effect"
import { createHash } from "node:crypto"
import { EpochMillis } from "../../src/base/Time.js"
import { PlaneItemId } from "../../src/domain/Ids.js"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { readByUs, readHookNews } from "../../src/webhooks/HookNews.js"
import { readHooksAbout } from "../../src/webhooks/HooksAbout.js"
import type { NewHook } from "../../src/webhooks/Inbox.js"
import { Inbox, noteMoved } from "../../src/webhooks/Inbox.js"
import { inPostgres, onEachDialect } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"

const hook = (body: string, change: Partial<NewHook> = {}): NewHook => ({
  source: "plane",
  signer: "",
  isSigned: true,
  uuid: "",
  event: "issue",
  body,
  digest: createHash("sha256").update(body).digest("hex"),
  ...change
})

const data = { id: "A0", project: "P1", state: { id: "S2", name: "x" } }

/** All that a body's text may hold: what its sender escapes is no character yet. */
const bodies = [
  `{"data":{"id":"A0","project":"P1","name":"\\u0000 \\ud83d \\udead \\\\u0000 \\\\\\u0000 \\ud83d\\ude00","state":"S1"}}`,
  JSON.stringify({ data: { ...data, name: "\u0000 \ud83d \ude00 \u{1F600} \\u0000 \\" } }),
  JSON.stringify({ data, activity: { actor: { id: "U1" } }, text: "\u2028\u{10FFFF}\uFFFD 'quoted' $1 ? \\\\" }),
  `{"data":null,"huge":1e999999,"twice":1,"twice":2}`,
  JSON.stringify({ text: "ß".repeat(1024 * 1024) }),
  "[]",
  "\"text\"",
  "7"
]

const at = EpochMillis

onEachDialect("the inbox", (engine) => {
  const layer = Layer.provideMerge(Inbox.layer, engine.storage)

  it.live("gives every body back as it came, in the order in which they came", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      yield* Effect.forEach(bodies, (body, index) => inbox.store(hook(body, { isSigned: index % 2 === 0 })), {
        discard: true
      })
      const due = yield* inbox.due(100)
      assert.deepStrictEqual(due.map(({ isSigned }) => isSigned), bodies.map((_, index) => index % 2 === 0))
      const one = yield* inbox.ifDue(due[1]?.id ?? 0)
      assert.isFalse(Option.getOrThrow(one).isSigned)
      assert.deepStrictEqual(due.map(({ body }) => body), bodies)
      assert.isTrue(due.every(({ id }, index) => index === 0 || id > (due[index - 1]?.id ?? 0)))
      assert.lengthOf(yield* inbox.due(3), 3)
      // All at once, so that they share commits and statements.
      yield* Effect.forEach(bodies, (body) => inbox.store(hook(body)), { concurrency: "unbounded", discard: true })
      assert.deepStrictEqual((yield* inbox.due(100)).slice(bodies.length).map(({ body }) => body), bodies)
    }).pipe(Effect.provide(layer)))

  it.live("tells what hooks of Plane told, whatever else stands in them", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      const { read, sql } = yield* Storage
      assert.deepStrictEqual(yield* read(readHookNews(sql, 0)), [])
      yield* Effect.forEach(bodies, (body) => inbox.store(hook(body)), { discard: true })
      yield* inbox.store(hook(bodies[0] ?? "", { source: "gitea" }))
      yield* inbox.store(hook(bodies[0] ?? "", { event: readByUs }))
      const news = yield* read(readHookNews(sql, 0))
      assert.deepStrictEqual(
        news.map(({ by, isPlanes, itemId, project, state }) => [isPlanes, itemId, project, state, by]),
        [
          [1, "a0", "p1", "s1", null],
          [1, "a0", "p1", "s2", null],
          [1, "a0", "p1", "s2", "u1"],
          ...bodies.slice(3).map(() => [1, null, null, null, null]),
          [0, null, null, null, null],
          [0, null, null, null, null]
        ]
      )
      assert.isTrue(news.every(({ at, isPlanes }) => (at === null) === (isPlanes === 0)))
      const [first] = news
      assert.deepStrictEqual(yield* read(readHookNews(sql, first?.id ?? 0)), news.slice(1))
    }).pipe(Effect.provide(layer)))

  it.live("knows a hook that was worked on by its body or its uuid, and by who has signed it", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      yield* inbox.store(hook("{}", { uuid: "u1" }))
      yield* inbox.store(hook("{}", { uuid: "u2" }))
      yield* inbox.store(hook("[]", { uuid: "u1" }))
      yield* inbox.store(hook("7"))
      yield* inbox.store(hook("{}", { signer: "OPS", uuid: "u1" }))
      yield* inbox.store(hook("{}", { source: "gitea", uuid: "u1" }))
      const due = yield* inbox.due(10)
      const [first] = due
      if (first === undefined) return yield* Effect.dieMessage("it is due")
      assert.deepStrictEqual(Array.from(yield* inbox.known(due)), [])
      yield* inbox.settle(new Map([[first.id, { _tag: "Skipped", reason: "unreadable: \u0000 \ud83d" }]]))
      assert.deepStrictEqual(Array.from(yield* inbox.known(due)), [])
      yield* inbox.settle(new Map([[first.id, { _tag: "Done", meaning: "\u0000 \ud83d" }]]))
      const known = yield* inbox.known(due)
      assert.deepStrictEqual(due.map(({ id }) => known.has(id)), [true, true, true, false, false, false])
      assert.deepStrictEqual(Array.from(yield* inbox.known([])), [])
    }).pipe(Effect.provide(layer)))

  it.live("a hook that is put off is due later, and what is settled is told, and forgotten after its time", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      const storage = yield* Storage
      const { sql, write } = storage
      assert.isUndefined(yield* inbox.nextDue("1 minute"))
      for (const body of ["1", "2", "3"]) yield* inbox.store(hook(body))
      const [one, two, three] = (yield* inbox.due(10)).map(({ id }) => id)
      if (one === undefined || two === undefined || three === undefined) return yield* Effect.dieMessage("they are due")
      assert.strictEqual(yield* inbox.nextDue("1 minute"), 0)
      const item = { _tag: "Item", itemId: PlaneItemId.make("a0000000-0000-4000-8000-000000000001") } as const
      const commit = { _tag: "Commit", repository: 2 ** 40, sha: "one" } as const
      const soon = at(Date.now() + 30_000)
      yield* inbox.settle(
        new Map([
          [three, { _tag: "Later", dueAt: soon, reason: "Plane is asked", about: [item] }],
          [one, { _tag: "Done", about: [item, item, commit] }],
          [two, { _tag: "Skipped", reason: "nothing" }]
        ])
      )
      assert.deepStrictEqual(yield* inbox.due(10), [])
      assert.strictEqual(yield* inbox.nextDue("1 minute"), soon)
      assert.deepStrictEqual(yield* inbox.ifDue(three), Option.none())
      // It was put off so far before the clock was set back.
      assert.isBelow((yield* inbox.nextDue("1 second")) ?? Infinity, soon)
      assert.deepStrictEqual((yield* inbox.due(10)).map(({ id }) => id), [three])
      yield* write(noteMoved(sql, three, "started"))
      assert.strictEqual(Option.getOrThrow(yield* inbox.ifDue(three)).moved, "started")
      assert.deepStrictEqual(
        (yield* readHooksAbout(storage, [item, commit], 10)).map(({ id, reason, status }) => [id, status, reason]),
        [[one, "done", null], [three, "pending", "Plane is asked"]]
      )
      assert.deepStrictEqual((yield* readHooksAbout(storage, [item], 1)).map(({ id }) => id), [three])
      assert.isFalse(yield* inbox.prune(at(1)))
      assert.lengthOf(yield* readHooksAbout(storage, [item], 10), 2)
      assert.isFalse(yield* inbox.prune(at(Date.now() + 1)))
      assert.deepStrictEqual((yield* readHooksAbout(storage, [item, commit], 10)).map(({ id }) => id), [three])
      assert.deepStrictEqual((yield* inbox.due(10)).map(({ body, id }) => [id, body]), [[three, "3"]])
    }).pipe(Effect.provide(layer)))

  if (engine.lasts) {
    it.scopedLive("takes a hook that two processes store at once, and it is worked on once", () =>
      Effect.gen(function*() {
        const database = yield* engine.database
        const open = Effect.map(
          Layer.build(Layer.fresh(Layer.provideMerge(Inbox.layer, database))),
          (context) => Context.get(context, Inbox)
        )
        const [one, other] = [yield* open, yield* open]
        const hooks = Array.from({ length: 40 }, (_, index) => hook(`{"n":${index}}`, { uuid: `u${index}` }))
        yield* Effect.forEach(
          [one, other],
          (inbox) => Effect.forEach(hooks, inbox.store, { concurrency: "unbounded" }),
          { concurrency: "unbounded" }
        )
        const done: Array<string> = []
        for (const waiting of yield* one.due(100)) {
          const isKnown = (yield* one.known([waiting])).size > 0
          if (!isKnown) done.push(waiting.body)
          yield* one.settle(
            new Map([[waiting.id, isKnown ? { _tag: "Skipped", reason: "the same" } : { _tag: "Done" }]])
          )
        }
        assert.deepStrictEqual(done.sort(), hooks.map(({ body }) => body).sort())
        assert.deepStrictEqual(yield* other.due(100), [])
      }))
  }
})

describePostgres("an inbox beside other replicas", () => {
  it.scopedLive("tells the one that works on hooks at once, which would look by itself each 5 seconds", () =>
    Effect.gen(function*() {
      const database = yield* inPostgres.database
      const open = Layer.build(Layer.fresh(Layer.provideMerge(Layer.merge(Inbox.layer, WakeUps.layer), database)))
      const [one, other] = [yield* open, yield* open]
      const wakeUps = Context.get(one, WakeUps)
      const { elsewhere } = Context.get(one, Storage)
      yield* Effect.repeat(elsewhere?.isHearing ?? Effect.dieMessage("a Postgres has others"), {
        until: (hears) => hears,
        schedule: Schedule.spaced("50 millis")
      })
      // Whatever it was told by the other one's start.
      yield* Effect.sleep("1 second")
      const mark = yield* wakeUps.mark
      const [took] = yield* Effect.timed(
        Effect.zipRight(Context.get(other, Inbox).store(hook("{}", { uuid: "u" })), wakeUps.since(mark))
      )
      assert.isBelow(Duration.toMillis(took), 3_000)
    }))
})
