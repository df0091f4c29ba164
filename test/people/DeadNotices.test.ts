import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { epochMillis, later } from "../../src/base/Time.js"
import { DeadNotices, NoDeadNotice, NoticeOver } from "../../src/people/DeadNotices.js"
import { pruneNotices } from "../../src/people/Notices.js"
import { mostAttempts } from "../../src/people/NoticeSender.js"
import { People } from "../../src/people/People.js"
import { readWaiting } from "../../src/people/Waiting.js"
import { Storage } from "../../src/storage/Storage.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { onEachDialect } from "../support/Engines.js"
import type { NoticeAnswer } from "../support/NoticeReceiver.js"
import { noticeReceiver } from "../support/NoticeReceiver.js"
import { eventually, world } from "./Waiting.js"

const ask = (question: string) => Effect.flatMap(People, (people) => people.ask("ET-2", { question }))

/** As if the tries before the last one were over, and their pauses. */
const lastTry = Effect.flatMap(
  Storage,
  ({ sql, write }) =>
    write(sql`UPDATE plane_sync_notice SET attempts = ${mostAttempts - 1}, due_at = 0 WHERE status = 'pending'`)
)

/** What becomes of the notices of the open waits of the task. */
const given = Effect.gen(function*() {
  const task = yield* (yield* Tasks).get("ET-2")
  const open = (yield* readWaiting(yield* Storage, [task])).get(task.id) ?? []
  return open.flatMap(({ notices }) => notices.map(({ kind, status }) => `${kind} ${status}`))
})

const dead = Effect.flatMap(DeadNotices, ({ list }) => list())

onEachDialect("notices that were given up", ({ storage }) => {
  const settled = (url: string) =>
    Layer.provideMerge(
      DeadNotices.layer,
      world({
        database: storage,
        settings: { ORCH_NOTICE_URL: url, ORCH_NOTICE_FORMAT: "ntfy" }
      })
    )

  /** A task that waits for answers, and whose notices are given up. `answers`: what is done with those sent after it. */
  const withDead = <A, E, R>(
    questions: ReadonlyArray<string>,
    answers: ReadonlyArray<NoticeAnswer>,
    work: (sent: () => ReadonlyArray<string>) => Effect.Effect<A, E, R>
  ) =>
    Effect.gen(function*() {
      const { refuse, seen, url } = yield* noticeReceiver(...answers)
      return yield* Effect.gen(function*() {
        refuse(true)
        yield* (yield* Tasks).start({ workItem: "ET-2" })
        yield* Effect.forEach(questions, ask)
        yield* eventually(Effect.zipRight(lastTry, dead), ({ length }) => length === questions.length)
        refuse(false)
        const before = seen.length
        return yield* work(() => seen.slice(before).map(({ body }) => body))
      }).pipe(Effect.provide(Layer.fresh(settled(url))))
    })

  it.scopedLive(
    "are listed by what they say, with the host alone; a retried one is sent, and once",
    () =>
      withDead(["May it go?", "And this?"], [], (sent) =>
        Effect.gen(function*() {
          const notices = yield* DeadNotices
          assert.strictEqual(yield* notices.count, 2)
          const [second, first] = yield* dead
          assert.deepInclude(first, { kind: "opened" })
          assert.deepStrictEqual(
            [first, second].map((one) => Option.map(one?.document ?? Option.none(), ({ question }) => question)),
            [Option.some("May it go?"), Option.some("And this?")]
          )
          assert.match(first?.reason ?? "", /^127\.0\.0\.1:\d+ answered 500/)
          assert.match(Option.getOrThrow(notices.host), /^127\.0\.0\.1:\d+$/)
          assert.notInclude(JSON.stringify([first, second, notices.host]), "s3cret")
          assert.deepStrictEqual(
            yield* notices.list({ limit: 1, cursor: second?.id }),
            first === undefined ? [] : [first]
          )

          yield* notices.retry(first?.id ?? 0)
          assert.deepStrictEqual(
            yield* eventually(given, (all) => all.includes("opened delivered")),
            ["opened delivered", "opened dead"]
          )
          assert.deepStrictEqual(sent().map((body) => /May it go|And this/.exec(body)?.[0]), ["May it go"])
          assert.instanceOf(yield* Effect.flip(notices.retry(first?.id ?? 0)), NoDeadNotice)
          assert.instanceOf(yield* Effect.flip(notices.discard(first?.id ?? 0)), NoDeadNotice)
          assert.strictEqual(yield* notices.retryAll, 1)
          yield* eventually(given, (all) => !all.includes("opened dead"))
          assert.strictEqual(yield* notices.retryAll, 0)
          assert.strictEqual(yield* notices.count, 0)
        })),
    30_000
  )

  it.scopedLive(
    "get as many tries as a new one when they are retried",
    () =>
      withDead(["May it go?"], ["fails"], () =>
        Effect.gen(function*() {
          yield* (yield* DeadNotices).retryAll
          assert.deepStrictEqual(yield* eventually(given, (all) => all.join() === "opened delivered"), [
            "opened delivered"
          ])
        })),
    30_000
  )

  it.scopedLive(
    "call nobody for what is answered: they are only discarded, and kept until then",
    () =>
      withDead(["May it go?"], [], (sent) =>
        Effect.gen(function*() {
          const notices = yield* DeadNotices
          yield* (yield* People).answer("ET-2", { text: "yes", by: "lea" })
          yield* eventually(Effect.sync(() => sent().length), (count) => count === 1)
          const [only] = yield* dead
          const id = only?.id ?? 0
          assert.instanceOf(yield* Effect.flip(notices.retry(id)), NoticeOver)
          assert.include((yield* Effect.flip(notices.retryAll)).message, "cannot be retried, only discarded")
          const { sql, write } = yield* Storage
          yield* write(pruneNotices(sql, later(yield* epochMillis, "1 hour")))
          assert.strictEqual(yield* notices.count, 1)
          yield* notices.discard(id)
          assert.deepStrictEqual(yield* dead, [])
          assert.strictEqual(yield* notices.discardAll, 0)
          assert.lengthOf(sent(), 1)
        })),
    30_000
  )

  it.scopedLive(
    "are all discarded at once, and stay what they were in the task",
    () =>
      withDead(["May it go?", "And this?"], [], (sent) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* (yield* DeadNotices).discardAll, 2)
          assert.deepStrictEqual(yield* given, ["opened discarded", "opened discarded"])
          yield* Effect.sleep("1 second")
          assert.lengthOf(sent(), 0)
        })),
    30_000
  )
})
