import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Either, Fiber, Layer, Logger, Option, Stream, TestClock } from "effect"
import { statSync } from "node:fs"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { EpochMillis, epochMillis, later } from "../../src/base/Time.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { startHookWorker } from "../../src/webhooks/HookWorker.js"
import type { HookOutcome } from "../../src/webhooks/Inbox.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { Receiver } from "../../src/webhooks/Receiver.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import { makeUnreadable } from "../../src/webhooks/UnreadableHook.js"
import { folder } from "../http/Server.js"
import { secrets, signature } from "./Sender.js"

const receiving = (settings: Readonly<Record<string, string>>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => void lines.push(String(message)))
  const layer = Layer.provideMerge(
    Receiver.layer,
    Layer.mergeAll(
      BodyRoom.layer,
      Inbox.layer,
      SkippedHooks.layer,
      Stirs.layer,
      projectsLayer,
      WakeUps.layerPolling("1 days")
    )
  ).pipe(
    Layer.provideMerge(Storage.layerFile(":memory:")),
    Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings))))),
    Layer.provideMerge(Logger.replace(Logger.defaultLogger, logger))
  )
  return { lines, layer }
}

const receive = (body: string, signed: string) =>
  Effect.flatMap(Receiver, ({ receive }) =>
    receive("gitea", {
      headers: { "content-type": "application/json", "x-gitea-signature": signed, "x-gitea-event-type": "status" },
      body: Stream.make(Buffer.from(body))
    }))

/** Lets all fibers go on as far as they can. */
const settling = Effect.repeatN(Effect.yieldNow(), 200)

const settings = { ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea }

describe("Receiver", () => {
  it.effect("says at most once a minute that hooks are refused, and then how many", () => {
    const { layer, lines } = receiving(settings)
    return Effect.gen(function*() {
      const forged = Effect.flip(receive("{}", signature("plane", "{}")))
      for (let n = 0; n < 50; n++) yield* forged
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "ORCH_GITEA_WEBHOOK_SECRET")
      assert.notInclude(lines[0], secrets.gitea)
      yield* TestClock.adjust("61 seconds")
      yield* forged
      assert.lengthOf(lines, 2)
      assert.include(lines[1], "49 more")
      const { gitea, plane } = yield* Effect.flatMap(Receiver, ({ status }) => status)
      assert.strictEqual(Option.getOrThrow(gitea.refused).at.epochMillis, 61_000)
      assert.isTrue(Option.isNone(plane.refused))
    }).pipe(Effect.provide(layer))
  })

  it.effect("reads no body of what has no signature to check", () =>
    Effect.gen(function*() {
      const { receive } = yield* Receiver
      for (const given of ["", "abc", "A".repeat(64)]) {
        const refused = yield* Effect.flip(receive("gitea", {
          headers: { "content-type": "application/json", "x-gitea-signature": given },
          body: Stream.dieMessage("the body was read")
        }))
        assert.containSubset(refused, { status: 401 })
      }
    }).pipe(Effect.provide(receiving(settings).layer)))

  it.effect("row 66: says of a hook that lost its room that it may be sent again, and takes the others", () =>
    Effect.gen(function*() {
      const { receive, status } = yield* Receiver
      const size = 64 * 1024
      const taking = (n: number, end: Stream.Stream<Uint8Array>) => {
        const body = Buffer.from(JSON.stringify({ n }).padEnd(size))
        return receive("gitea", {
          headers: {
            "content-type": "application/json",
            "content-length": String(size),
            "x-gitea-signature": signature("gitea", body)
          },
          body: Stream.concat(Stream.make(body), end)
        })
      }
      const held = yield* Effect.forEach(
        Array.from({ length: 500 }, (_, n) => n),
        (n) => Effect.fork(Effect.either(taking(n, Stream.never)))
      )
      yield* settling
      const honest = yield* Effect.fork(taking(1_000, Stream.empty))
      yield* settling
      for (let n = 0; n < 6; n++) yield* Effect.zipRight(TestClock.adjust("50 millis"), settling)
      assert.strictEqual(yield* Fiber.join(honest), "counted")
      assert.include(Option.getOrThrow((yield* status).gitea.refused).why, "in flight")
      const ended = held.flatMap((fiber) => fiber.unsafePoll() ?? [])
      assert.isAbove(ended.length, 0)
      for (const exit of ended) {
        const error = Either.flip(yield* exit)
        assert.strictEqual(Either.isRight(error) ? error.right._tag : "taken", "Overloaded")
      }
      yield* Fiber.interruptAll(held)
    }).pipe(Effect.provide(receiving(settings).layer)))

  it.effect("refuses what is nested too deeply", () =>
    Effect.gen(function*() {
      const body = `{"event":"issue","data":{"id":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`
      const error = yield* Effect.flip(receive(body, signature("gitea", body)))
      assert.containSubset(error, { status: 400, why: "its body is nested deeper than 64 levels" })
    }).pipe(Effect.provide(receiving(settings).layer)))

  it.effect("keeps whether a hook was signed, because its signer does not tell", () =>
    Effect.gen(function*() {
      const kept = (settings: Readonly<Record<string, string>>) =>
        Effect.gen(function*() {
          const { receive } = yield* Receiver
          yield* receive("plane", {
            headers: { "content-type": "application/json", "x-plane-signature": signature("plane", "{}") },
            body: Stream.make(Buffer.from("{}"))
          })
          const due = yield* (yield* Inbox).due(1)
          return due.map(({ isSigned, signer }) => [signer, isSigned])
        }).pipe(Effect.provide(receiving(settings).layer))
      assert.deepStrictEqual(yield* kept({ ORCH_PLANE_WEBHOOK_SECRET: secrets.plane }), [["", true]])
      assert.deepStrictEqual(yield* kept({ ORCH_WEBHOOKS_INSECURE: "true" }), [["", false]])
    }))

  it.effect("says at the start whose hooks it accepts without a signature", () => {
    const { layer, lines } = receiving({ ...settings, ORCH_WEBHOOKS_INSECURE: "true" })
    return Effect.sync(() => {
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "/webhooks/plane")
    }).pipe(Effect.provide(layer))
  })
})

describe("what nothing is done with", () => {
  it.effect("is said once a kind, and counted", () => {
    const { layer, lines } = receiving(settings)
    return Effect.gen(function*() {
      const unreadable = yield* makeUnreadable
      const { counts } = yield* SkippedHooks
      const hook = { source: "plane", event: "issue\n" } as const
      yield* unreadable(hook, "data.sequence_id: is missing")
      yield* unreadable(hook, "data.id: is missing")
      yield* TestClock.adjust("1 days")
      yield* unreadable(hook, "event: is missing")
      assert.deepStrictEqual(lines, [
        "A hook of plane is skipped (\"unreadable: issue \"): it cannot be read: data.sequence_id: is missing. " +
        "/health counts its kind from now on"
      ])
      yield* unreadable({ ...hook, event: "module" }, "event: is missing")
      assert.lengthOf(lines, 2)
      assert.deepStrictEqual(yield* counts, {
        plane: [
          { kind: "unreadable: issue ", count: 3, why: "it cannot be read: event: is missing" },
          { kind: "unreadable: module", count: 1, why: "it cannot be read: event: is missing" }
        ],
        gitea: []
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("has a bounded number of kinds of each sender", () => {
    const { layer, lines } = receiving(settings)
    return Effect.gen(function*() {
      const { counts, note } = yield* SkippedHooks
      for (let n = 0; n < 60; n++) yield* note({ source: "gitea", kind: `kind ${n}`, why: "a reason" })
      yield* note({ source: "plane", kind: "", why: "a reason" })
      const { gitea, plane } = yield* counts
      assert.deepStrictEqual(gitea.slice(49).map(({ count, kind }) => [kind, count]), [["kind 49", 1], ["other", 10]])
      assert.deepStrictEqual(plane.map(({ kind }) => kind), ["no type"])
      assert.lengthOf(lines, 52)
    }).pipe(Effect.provide(layer))
  })
})

describe("Inbox", () => {
  it.effect("keeps settled hooks for seven days, and others until they are settled", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      for (const body of ["{\"a\":1}", "{\"a\":2}"]) yield* receive(body, signature("gitea", body))
      const [first, second] = yield* inbox.due(10)
      assert.deepStrictEqual([first?.body, second?.body], ["{\"a\":1}", "{\"a\":2}"])
      yield* inbox.settle(new Map([[first?.id ?? 0, { _tag: "Done" }]]))
      assert.isFalse(yield* inbox.prune(EpochMillis(0)))
      assert.strictEqual((yield* inbox.known(yield* inbox.due(1))).size, 0)
      yield* inbox.prune(EpochMillis(1))
      const { read, sql } = yield* Storage
      assert.deepStrictEqual(yield* read(sql`SELECT id FROM plane_sync_webhook`), [{ id: second?.id }])
      assert.deepStrictEqual(yield* read(sql`SELECT id FROM plane_sync_webhook_body`), [{ id: second?.id }])
    }).pipe(Effect.provide(receiving(settings).layer)))
})

describe("Inbox, of large hooks", () => {
  it.live("stores many that come at the same time, in their order", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      const filling = " ".repeat(5 * 1024 * 1024)
      const numbers = Array.from({ length: 8 }, (_, index) => index)
      yield* Effect.forEach(
        numbers,
        (n) =>
          inbox.store({
            source: "gitea",
            signer: "",
            isSigned: true,
            uuid: String(n),
            event: "push",
            body: `${n}${filling}`,
            digest: String(n)
          }),
        {
          concurrency: "unbounded"
        }
      )
      const { read, sql } = yield* Storage
      const rows = yield* read(sql<{ delivery: string }>`SELECT delivery FROM plane_sync_webhook ORDER BY id`)
      assert.deepStrictEqual(
        rows.map(({ delivery }) => Number(delivery)),
        numbers
      )
      // No more than is borne in memory together, and each with its own body.
      const first = yield* inbox.due(128)
      assert.deepStrictEqual(first.map(({ body, uuid }) => `${uuid} ${body[0] ?? ""}`), ["0 0", "1 1", "2 2"])
      yield* inbox.settle(new Map(first.map(({ id }) => [id, { _tag: "Done" }])))
      assert.deepStrictEqual((yield* inbox.due(128)).map(({ uuid }) => uuid), ["3", "4", "5"])
    }).pipe(Effect.provide(receiving(settings).layer)), 90_000)
})

describe("the worker", () => {
  it.scoped("does not wait for a day when the clock is put back by one", () =>
    Effect.gen(function*() {
      const day = 86_400_000
      yield* TestClock.setTime(day)
      const inbox = yield* Inbox
      yield* receive("{}", signature("gitea", "{}"))
      const tries: Array<string | undefined> = []
      yield* startHookWorker(inbox, {
        plane: () => Effect.dieMessage("nothing came from Plane"),
        gitea: ([hook]) =>
          Effect.flatMap(epochMillis, (now) => {
            tries.push(hook?.body)
            const outcome: HookOutcome = { _tag: "Later", dueAt: later(now, 5_000), reason: "not yet" }
            return inbox.settle(new Map([[hook?.id ?? 0, outcome]]))
          })
      })
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(tries, ["{}"])
      yield* TestClock.setTime(0)
      // The timers of this clock stand still until it has its former time: what arrives wakes the worker.
      yield* receive("[]", signature("gitea", "[]"))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(tries, ["{}", "{}", "[]"])
    }).pipe(Effect.provide(receiving(settings).layer)))

  it.live("settles a large hook without writing its body again", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/events.sqlite`
      yield* Effect.gen(function*() {
        const inbox = yield* Inbox
        const body = `"${" ".repeat(5 * 1024 * 1024)}"`
        yield* inbox.store({ source: "gitea", signer: "", isSigned: true, uuid: "", event: "push", body, digest: "" })
        const { sql, write } = yield* Storage
        yield* write(sql`PRAGMA wal_checkpoint(TRUNCATE)`)
        yield* inbox.settle(new Map([[1, { _tag: "Skipped", reason: "a reason" }]]))
        assert.isBelow(statSync(`${file}-wal`).size, 100_000)
      }).pipe(Effect.provide(Inbox.layer.pipe(Layer.provideMerge(Storage.layerFile(file)))))
    }).pipe(Effect.scoped))

  it.live("skips a hook that nothing can be done with, with its reason, and goes on with its neighbours", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      const bodies = ["{\"a\":1}", "{\"poison\":1}", "{\"a\":2}"]
      for (const body of bodies) yield* receive(body, signature("gitea", body))
      const worked: Array<string> = []
      yield* startHookWorker(inbox, {
        plane: () => Effect.dieMessage("nothing came from Plane"),
        gitea: (hooks) =>
          Effect.gen(function*() {
            if (hooks.some(({ body }) => body.includes("poison"))) return yield* Effect.dieMessage("a bug")
            worked.push(...hooks.map(({ body }) => body))
            yield* inbox.settle(new Map(hooks.map(({ id }) => [id, { _tag: "Done" }])))
          })
      })
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => worked.length === 2 })
      yield* Effect.sleep("20 millis")
      const { read, sql } = yield* Storage
      const rows = yield* read(sql<{ status: string; reason: string }>`SELECT status, reason FROM plane_sync_webhook`)
      assert.deepStrictEqual(rows.map(({ status }) => status), ["done", "skipped", "done"])
      assert.include(rows[1]?.reason, "a bug")
    }).pipe(Effect.scoped, Effect.provide(receiving(settings).layer)))

  it.live("does not process a hook again that was settled before its batch failed", () =>
    Effect.gen(function*() {
      const inbox = yield* Inbox
      for (const body of ["{\"a\":1}", "{\"poison\":1}", "{\"a\":2}"]) yield* receive(body, signature("gitea", body))
      const worked: Array<string> = []
      yield* startHookWorker(inbox, {
        plane: () => Effect.dieMessage("nothing came from Plane"),
        gitea: (hooks) =>
          Effect.forEach(hooks, ({ body, id }) =>
            body.includes("poison")
              ? Effect.dieMessage("a bug")
              : Effect.zipRight(
                Effect.sync(() => worked.push(body)),
                inbox.settle(new Map([[id, { _tag: "Done" }]]))
              ), { discard: true })
      })
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => worked.includes("{\"a\":2}") })
      assert.deepStrictEqual(worked, ["{\"a\":1}", "{\"a\":2}"])
    }).pipe(Effect.scoped, Effect.provide(receiving(settings).layer)))
})
