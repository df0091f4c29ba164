import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, TestClock } from "effect"
import { epochMillis } from "../../src/base/Time.js"
import { openWait } from "../../src/people/Waits.js"
import { isAnyUnread } from "../../src/repair/Unread.js"
import { tokens } from "../../src/simulator/Keyring.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { folder } from "../http/Server.js"
import * as World from "./World.js"
import { asked, task, world } from "./World.js"

const commanded = { ORCH_COMMANDS: "olga@plane.test" }

/** Of a guest of the project, who may write comments by the API. */
const guestToken = tokens.guest

const reply = "⛔ /pause was not done: no signed webhook of this comment has come, so nothing was done. " +
  "Please write it again"

const repliesTo = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) =>
    Effect.map(
      plane.comments(id),
      (all) => all.map(({ html }) => html.replace(/<[^>]+>/g, "")).filter((text) => /^[✅⛔] \//u.test(text))
    ))

const say = (id: string, text: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => plane.addPersonComment(id, `<p>${text}</p>`))

const byApi = (id: string, token: string, body: object) =>
  Effect.gen(function*() {
    const { project, url, workspace } = yield* PlaneSimulator
    const client = yield* HttpClient.HttpClient
    const path = `${url}/api/v1/workspaces/${workspace}/projects/${project.id}/work-items/${id}/comments/`
    const { status } = yield* client.execute(
      HttpClientRequest.post(path).pipe(
        HttpClientRequest.setHeader("x-api-key", token),
        HttpClientRequest.bodyUnsafeJson(body)
      )
    )
    assert.strictEqual(status, 201)
  })

/** Who has paused the launches of a task; null if nobody has. */
const pausedBy = (key: string) =>
  Effect.flatMap(TaskStore, (tasks) =>
    Effect.map(
      tasks.byKey(key),
      (task) => Option.getOrNull(Option.map(Option.flatMap(task, ({ paused }) => paused), ({ by }) => by))
    ))

const readComments = Effect.map(asked, (all) => all.filter((one) => one === "GET comments").length)

/** A work item whose task is active, as a move told that no hook has told. */
const started = (name = "North climb") =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    return yield* plane.addWorkItem({ name, state: "In Progress" })
  })

/** Its agent has asked something. */
const waitsForSomebody = (key: string) =>
  Effect.gen(function*() {
    const { sql, write } = yield* Storage
    const task = Option.getOrThrow(yield* (yield* TaskStore).byKey(key))
    const { entry, id: taskId, stage, workItem } = task
    const wait = { taskId, entry, reason: "asked", same: "a", workItem, stage, question: "Why?", agent: null } as const
    const nobody = { told: null, first: undefined, escalateAt: null }
    yield* Effect.flatMap(epochMillis, (now) => write(openWait(sql, { ...wait, ...nobody }, now)))
  })

/** Until a work item is noted, so that its comments are read in the next round; or until none is. */
const untilNoted = (isNoted: boolean) =>
  Effect.flatMap(
    Storage,
    ({ read, sql }) =>
      Effect.repeat(Effect.zipRight(TestClock.adjust("1 minutes"), read(isAnyUnread(sql, "ET"))), {
        until: (isAny) => isAny === isNoted
      })
  )

/** Long enough for two rounds: one lists the work item, and the next one reads its comments. */
const twoRounds = TestClock.adjust("70 minutes")

describe("a command whose webhook was lost", () => {
  it.effect("brings one reply, and nothing is done, also in later rounds and after a restart", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const { layer, listen } = World.plane()
      const built = yield* Layer.build(layer)
      const run = <A, E>(
        effect: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof World.program>> | PlaneSimulator>
      ) => Effect.provide(Effect.provide(effect, World.program({ database, settings: commanded }, listen)), built)
      const plane = Context.get(built, PlaneSimulator)
      const { id, key } = yield* run(Effect.gen(function*() {
        yield* TestClock.adjust("2 minutes")
        const item = yield* started()
        yield* twoRounds
        assert.strictEqual(yield* task(item.key), "analysis active")
        yield* untilNoted(false)
        yield* plane.addPersonComment(item.id, "<p>/pause</p>")
        yield* untilNoted(true)
        return item
      }))
      const replies = Effect.provideService(repliesTo(id), PlaneSimulator, plane)
      // It is noted, and the program is restarted before it is read.
      assert.deepStrictEqual(yield* replies, [])
      for (let starts = 0; starts < 2; starts++) {
        yield* run(Effect.gen(function*() {
          yield* TestClock.adjust("70 minutes")
          assert.isNull(yield* pausedBy(key))
          assert.strictEqual(yield* task(key), "analysis active")
        }))
        assert.lengthOf(yield* replies, 1)
        assert.include((yield* replies)[0], reply)
      }
    }).pipe(Effect.scoped))

  it.effect("does nothing, also if its webhook comes after the reply", () => {
    const hooks = { isOn: true, late: Duration.zero }
    return Effect.gen(function*() {
      yield* TestClock.adjust("2 minutes")
      const { id, key } = yield* started()
      yield* twoRounds
      hooks.late = Duration.minutes(75)
      yield* say(id, "/pause")
      yield* twoRounds
      assert.lengthOf(yield* repliesTo(id), 1)
      assert.isNull(yield* pausedBy(key))
      yield* TestClock.adjust("10 minutes")
      // She was asked to write it again, and perhaps has.
      assert.isNull(yield* pausedBy(key))
      assert.lengthOf(yield* repliesTo(id), 1)
      hooks.late = Duration.zero
      yield* say(id, "/pause")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* pausedBy(key), "olga")
    }).pipe(Effect.provide(world({ hooks, settings: commanded })))
  })

  it.effect("brings none where its webhook has come, or comes a minute late", () => {
    const hooks = { isOn: true, late: Duration.minutes(1) }
    return Effect.gen(function*() {
      yield* TestClock.adjust("2 minutes")
      const { id, key } = yield* started()
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* task(key), "analysis active")
      yield* untilNoted(true)
      // A round every five minutes: one of these is listed before its webhook comes.
      for (let count = 0; count < 12; count++) {
        yield* say(id, count % 2 === 0 ? "/pause" : "/resume")
        yield* TestClock.adjust("50 seconds")
      }
      yield* twoRounds
      const replies = yield* repliesTo(id)
      assert.lengthOf(replies, 12)
      assert.deepStrictEqual(replies.filter((text) => !text.startsWith("✅")), [])
    }).pipe(Effect.provide(world({ hooks, settings: commanded })))
  })

  it.effect("brings none if it is of another person, forged, edited, ours, older than the task, or no command", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* TestClock.adjust("2 minutes")
      const { id } = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* say(id, "/pause")
      yield* TestClock.adjust("1 minutes")
      yield* plane.moveWorkItem(id, "In Progress")
      yield* twoRounds
      const html = "<p>/pause</p>"
      yield* byApi(id, plane.token, { comment_html: html, created_by: plane.person.id })
      yield* byApi(id, guestToken, { comment_html: html, created_by: plane.person.id })
      yield* byApi(id, guestToken, { comment_html: html })
      yield* byApi(id, guestToken, { comment_html: html, external_source: "plane-sync", external_id: "x" })
      const harmless = yield* say(id, "nothing to see")
      yield* plane.editComment(harmless.id, html)
      yield* say(id, "what does /pause do?")
      yield* plane.addPersonComment(id, "<p><code>/pause</code></p>")
      yield* twoRounds
      assert.isAbove(yield* readComments, 0)
      assert.deepStrictEqual(yield* repliesTo(id), [])
    }).pipe(Effect.provide(world({ settings: commanded }))))

  it.effect("brings none where nobody may command, and there no comment is read", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("2 minutes")
      const { id } = yield* started()
      yield* twoRounds
      yield* say(id, "/pause")
      yield* twoRounds
      assert.deepStrictEqual(yield* repliesTo(id), [])
      assert.strictEqual(yield* readComments, 0)
    }).pipe(Effect.provide(world())))

  it.effect("of many work items, the comments of five are read in a round, and of those that wait for a person first", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* TestClock.adjust("2 minutes")
      const items = yield* Effect.forEach(Array.from({ length: 12 }), () => started())
      yield* twoRounds
      yield* untilNoted(false)
      yield* plane.forgetRequests
      yield* twoRounds
      // Nothing has changed since, so nothing is read again.
      assert.strictEqual(yield* readComments, 0)
      for (const { id } of items) yield* say(id, "/status")
      const last = items.at(-1)
      assert(last !== undefined)
      yield* waitsForSomebody(last.key)
      yield* untilNoted(true)
      const rounds: Array<number> = []
      for (let round = 0; round < 3; round++) {
        yield* plane.forgetRequests
        yield* TestClock.adjust("5 minutes")
        rounds.push(yield* readComments)
        assert.lengthOf(yield* repliesTo(last.id), 1)
      }
      assert.deepStrictEqual(rounds.slice(0, 2), [5, 5])
      assert.isAtMost(rounds[2] ?? 0, 5)
      yield* untilNoted(false)
      for (const { id } of items) assert.lengthOf(yield* repliesTo(id), 1)
    }).pipe(Effect.provide(world({ settings: commanded }))))

  it.effect("is found in the next round where Plane shows no comments for now, and holds up no move", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* TestClock.adjust("2 minutes")
      const [{ id }, other] = [yield* started(), yield* started("South climb")]
      yield* twoRounds
      yield* say(id, "/pause")
      yield* TestClock.adjust("52 minutes")
      yield* plane.misbehave({ _tag: "Status", status: 500, match: { method: "GET", path: `${id}/comments` } })
      yield* plane.moveWorkItem(other.id, "Backlog")
      yield* TestClock.adjust("8 minutes")
      assert.strictEqual(yield* task(other.key), "analysis paused")
      yield* plane.calm
      yield* TestClock.adjust("12 minutes")
      assert.lengthOf(yield* repliesTo(id), 1)
    }).pipe(Effect.provide(world({ settings: commanded }))))
})
