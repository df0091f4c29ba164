import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit, Layer, Scope, TestClock } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EpochMillis, epochMillis } from "../../src/base/Time.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { ItemId } from "../../src/domain/Ids.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { followTask } from "../../src/outbox/LeftStates.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { preview } from "../../src/outbox/Preview.js"
import { nextStep } from "../../src/sending/NextStep.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { inMemory, overPlane, received } from "./Pipeline.js"

const settings = { ORCH_PLANE_COMMENTS: "living" }

const living = (options: Parameters<typeof inMemory>[0] = {}) => inMemory({ ...options, settings })

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const changed = (workItem: string, from: string, to: string, agent?: string) =>
  publish(StageEvent.StageChanged({ workItem, from, to, ...(agent === undefined ? {} : { agent }) }))

const failed = (workItem: string, reason: string, check = "lint") =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check, reason }))

const completed = (workItem: string) => publish(StageEvent.TaskCompleted({ workItem }))

const item = Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "Trail map" }))

const comments = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.comments(id), (all) => all.map(({ html }) => html)))

/** The requests about comments since the last look. */
const asked = Effect.gen(function*() {
  const all = yield* received
  yield* (yield* PlaneSimulator).forgetRequests
  return all.filter(({ kind }) => kind === "comment" || kind === "comments").map(({ kind, method }) =>
    `${method} ${kind}`
  )
})

const status = Effect.flatMap(Outbox, (outbox) => outbox.status)

const progress = (...items: ReadonlyArray<string>) =>
  `<p>Progress</p><ul>${items.map((line) => `<li>${line}</li>`).join("")}</ul>`

/** A person deletes the newest comment of a work item. */
const deleteNewest = (id: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const newest = (yield* plane.comments(id)).at(-1)
    if (newest !== undefined) yield* plane.deleteComment(newest.id)
  })

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** What is done next for a work item, by the planner that sends. */
const next = (key: string) =>
  Effect.gen(function*() {
    const { read, sql } = yield* Storage
    const row = yield* (yield* Outbox).workItem(NormalizedKey(key), 1)
    const plan = nextStep({
      stages: new Map(),
      states: () => new Map(),
      comments: "living",
      setting: "the table",
      texts: defaultTexts,
      pipeline: [],
      linkAddress: Either.right
    })
    const found = row && (yield* read(preview(sql, row, { plan }, yield* epochMillis)))
    return { at: found?.dueAt, next: found?.next }
  })

describe("ORCH_PLANE_COMMENTS=living", () => {
  it.effect("shows a task's way in one comment; a failure and the end have their own, and no comment mails anybody", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis", "analyst")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* comments(id), [
        progress("✅ created", "🔄 analysis: since 1970-01-01 00:00:00 UTC, analyst")
      ])
      yield* changed(key, "analysis", "review")
      yield* TestClock.adjust("5 minutes")
      yield* failed(key, "<b>two</b> errors")
      yield* TestClock.adjust("5 minutes")
      const failure = "⚠️ QG failed at review: lint — &lt;b&gt;two&lt;/b&gt; errors"
      assert.deepStrictEqual(yield* comments(id), [
        progress("✅ created", "✅ analysis: 10 min", "🔄 review: since 1970-01-01 00:10:00 UTC") +
        `<p>${failure} · 1970-01-01 00:15:00 UTC</p>`,
        `<p>${failure}</p>`
      ])
      yield* changed(key, "review", "done")
      yield* completed(key)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* comments(id), [
        "<p>Progress: completed at 1970-01-01 00:20:00 UTC</p><ul><li>✅ created</li><li>✅ analysis: 10 min</li>" +
        `<li>✅ review: 10 min</li><li>✅ done</li></ul><p>${failure} · 1970-01-01 00:15:00 UTC</p>`,
        `<p>${failure}</p>`,
        "<p>✅ Task completed! PR merged and deployed.</p>"
      ])
      assert.deepStrictEqual(yield* asked, [
        "POST comments",
        "PATCH comment",
        "PATCH comment",
        "POST comments",
        "PATCH comment",
        "POST comments"
      ])
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 5 })
      // One for each state that was set.
      assert.deepStrictEqual((yield* plane.mails).map(({ field }) => field), ["state", "state"])
    }).pipe(Effect.provide(living({ plane: { plane: "1.4" } }))))

  it.effect("names the stages to come where a task goes through the project's pipeline", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      const { sql, write } = yield* Storage
      yield* write(followTask(
        sql,
        { key: NormalizedKey(key), itemId: ItemId(id), project: "ET" },
        yield* epochMillis
      ))
      yield* changed(key, "development", "review")
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* comments(id), [
        progress(
          "✅ development",
          "🔄 review: since 1970-01-01 00:00:00 UTC",
          "⬜ testing",
          "⬜ deploy",
          "⬜ done"
        )
      ])
    }).pipe(Effect.provide(living())))

  it.effect("is edited at most once in 30 seconds, however many stages a task goes through; its end does not wait", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      for (let second = 0; second < 65; second += 5) {
        yield* changed(key, `stage ${second}`, `stage ${second + 5}`)
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(yield* asked, ["POST comments", "PATCH comment", "PATCH comment"])
      const waiting = yield* next(key)
      assert.strictEqual(waiting.at, EpochMillis(90_000))
      assert.deepNestedInclude(waiting, { "next._tag": "Send", "next.plan.kind": "recount" })
      yield* TestClock.adjust("20 seconds")
      // What came since is shown without anything new that is published.
      assert.deepStrictEqual(yield* asked, [])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* asked, ["PATCH comment"])
      const [shown = ""] = yield* comments(id)
      assert.include(shown, "🔄 stage 65: since 1970-01-01 00:01:00 UTC")
      assert.deepInclude(yield* status, { pending: 0, delivered: 13 })
      yield* changed(key, "stage 65", "done")
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* asked, [])
      yield* completed(key)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* asked, ["PATCH comment", "POST comments"])
    }).pipe(Effect.provide(living())))

  it.effect("shows the links that Plane has, by the address that people reach", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      const links = [
        { kind: "pull-request", title: "#12 <b>", url: "http://gitea:3000/acme/app/pulls/12?a=1&b=2" },
        { kind: "log", title: "", url: "https://refused.example.com/" }
      ]
      yield* (yield* PlaneSimulator).misbehave(
        Fault.Status({ status: 400, count: 2, match: { method: "POST", kind: "links", text: "refused" } })
      )
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "analysis", to: "review", links }))
      yield* TestClock.adjust("10 minutes")
      yield* changed(key, "review", "testing")
      yield* TestClock.adjust("1 minutes")
      const [html = ""] = yield* comments(id)
      assert.match(
        html,
        /<p>Links: <a href="https:\/\/git\.example\.com\/acme\/app\/pulls\/12\?a=1&amp;b=2">#12 &lt;b&gt;<\/a><\/p>$/
      )
    }).pipe(Effect.provide(inMemory({
      settings: {
        ...settings,
        ORCH_GITEA_URL: "http://gitea:3000",
        ORCH_GITEA_TOKEN: "0123",
        ORCH_GITEA_PUBLIC_URL: "https://git.example.com"
      }
    }))))

  it.effect("a question waits for no edit, although stages come before it", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* changed(key, "analysis", "architecture")
      yield* publish(StageEvent.QuestionAsked({ workItem: key, question: "Which one?" }))
      yield* TestClock.adjust("5 seconds")
      const [way = "", ...others] = yield* comments(id)
      assert.include(way, "architecture")
      assert.lengthOf(others, 1)
      assert.include(others[0], "Which one?")
    }).pipe(Effect.provide(living())))

  it.effect("counts a failure that comes again in its own comment, and is not edited for each", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "development", "review")
      yield* TestClock.adjust("1 minutes")
      for (let times = 0; times < 4; times++) {
        yield* failed(key, "two errors")
        yield* TestClock.adjust("5 seconds")
      }
      yield* TestClock.adjust("15 minutes")
      const [shown = "", ...others] = yield* comments(id)
      assert.include(shown, "<p>⚠️ QG failed at review: lint — two errors · 1970-01-01 00:01:15 UTC</p>")
      assert.deepStrictEqual(others, [
        "<p>⚠️ QG failed at review: lint — two errors (failed 4 times, last at 1970-01-01 00:01:15 UTC)</p>"
      ])
      // The living comment and the failure; both again; and once more when 10 minutes are over.
      assert.deepStrictEqual(yield* asked, [
        "POST comments",
        "PATCH comment",
        "POST comments",
        "PATCH comment",
        "PATCH comment",
        "PATCH comment",
        "PATCH comment"
      ])
      assert.deepInclude(yield* status, { pending: 0, delivered: 5 })
    }).pipe(Effect.provide(living())))

  it.effect("is made anew once when a person deletes it, and left alone after that; failures and the end are told", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* deleteNewest(id)
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("1 minutes")
      const again = progress("✅ created", "✅ analysis: 1 min", "🔄 architecture: since 1970-01-01 00:01:00 UTC")
      assert.deepStrictEqual(yield* comments(id), [again])
      yield* deleteNewest(id)
      yield* changed(key, "architecture", "development")
      yield* TestClock.adjust("1 minutes")
      yield* asked
      yield* changed(key, "development", "review")
      assert.deepInclude(yield* next(key), { next: { _tag: "Nothing" } })
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* asked, [])
      yield* failed(key, "two errors")
      yield* completed(key)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* comments(id), [
        "<p>⚠️ QG failed at review: lint — two errors</p>",
        "<p>✅ Task completed! PR merged and deployed.</p>"
      ])
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 4, discarded: 2 })
    }).pipe(Effect.provide(living())))

  it.effect("is not made a second time when the answer to the first request, or to an edit, was lost", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Silent({ when: "after", match: { method: "POST", kind: "comments" }, count: 1 }))
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 seconds")
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("3 minutes")
      const both = progress("✅ created", "✅ analysis: 5 s", "🔄 architecture: since 1970-01-01 00:00:05 UTC")
      assert.deepStrictEqual(yield* comments(id), [both])
      yield* plane.misbehave(Fault.Silent({ when: "after", match: { method: "PATCH", kind: "comment" }, count: 1 }))
      yield* changed(key, "architecture", "development")
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual((yield* comments(id)).length, 1)
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(living())))

  it.effect("a second one that Plane has made late of a lost request goes again", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(
        Fault.ApplyLate({ match: { method: "POST", kind: "comments" }, count: 1, afterMillis: 55_000 })
      )
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("50 seconds")
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* comments(id)).length, 2)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* comments(id), [
        progress("✅ created", "✅ analysis: 50 s", "🔄 architecture: since 1970-01-01 00:00:50 UTC")
      ])
    }).pipe(Effect.provide(living())))

  it.effect("an edit that Plane refuses keeps no failure from being told, and is retried as a dead letter", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(Fault.Status({ status: 400, match: { method: "PATCH", kind: "comment" } }))
      yield* changed(key, "analysis", "review")
      yield* failed(key, "two errors")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual((yield* comments(id)).slice(1), ["<p>⚠️ QG failed at review: lint — two errors</p>"])
      yield* failed(key, "red", "ci")
      yield* TestClock.adjust("5 minutes")
      // Only the change of stage is owed: an edit that shows nothing but a failure is nothing to retry.
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 3 })
      yield* plane.calm
      assert.strictEqual(yield* (yield* Outbox).retry({ code: "refused" }), 1)
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("1 minutes")
      const [shown = ""] = yield* comments(id)
      assert.include(shown, "🔄 review: since 1970-01-01 00:01:00 UTC")
      assert.include(shown, "ci — red")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 4 })
    }).pipe(Effect.provide(living())))

  it.effect("a work item that is gone with its comment gets no new one", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("1 minutes")
      yield* deleteNewest(id)
      yield* plane.deleteWorkItem(id)
      yield* plane.forgetRequests
      yield* changed(key, "analysis", "architecture")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* asked, ["PATCH comment"])
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 1 })
    }).pipe(Effect.provide(living())))

  it.scoped("goes on in the same comment after a restart, and begins a new list in it for a new task", () =>
    Effect.gen(function*() {
      const database = join(yield* temporary, "events.sqlite")
      const { id, key } = yield* item
      const during = <A, E>(
        use: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof overPlane>> | PlaneSimulator>
      ) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const layer = yield* Layer.buildWithScope(overPlane({ database, settings }), scope)
          yield* Effect.provide(use, layer)
          const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
          yield* TestClock.adjust("10 seconds")
          yield* closing
        })
      yield* during(Effect.zipRight(changed(key, "created", "analysis"), TestClock.adjust("50 seconds")))
      // What it shows does not hang on the events, which are deleted some day.
      yield* during(Effect.gen(function*() {
        assert.isFalse(yield* (yield* Outbox).prune(EpochMillis(Infinity)))
        assert.deepStrictEqual(yield* (yield* Outbox).events({ limit: 1 }), [])
        yield* changed(key, "analysis", "done")
        yield* TestClock.adjust("50 seconds")
      }))
      yield* during(Effect.zipRight(completed(key), TestClock.adjust("50 seconds")))
      const end = "<p>✅ Task completed! PR merged and deployed.</p>"
      assert.deepStrictEqual(yield* comments(id), [
        "<p>Progress: completed at 1970-01-01 00:02:00 UTC</p><ul><li>✅ created</li><li>✅ analysis: 1 min</li>" +
        "<li>✅ done: 1 min</li></ul>",
        end
      ])
      yield* during(Effect.zipRight(changed(key, "done", "analysis"), TestClock.adjust("50 seconds")))
      assert.deepStrictEqual(yield* comments(id), [
        progress("✅ done", "🔄 analysis: since 1970-01-01 00:03:00 UTC"),
        end
      ])
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.scoped("is found again when the database was lost", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      for (const [from, to] of [["created", "analysis"], ["analysis", "architecture"]] as const) {
        yield* Effect.zipRight(changed(key, from, to), TestClock.adjust("1 minutes")).pipe(
          Effect.provide(overPlane({ settings }))
        )
      }
      assert.deepStrictEqual(yield* comments(id), [
        progress("✅ analysis", "🔄 architecture: since 1970-01-01 00:01:00 UTC")
      ])
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))
})
