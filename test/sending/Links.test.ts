import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder } from "../http/Server.js"
import { inMemory, overPlane, received } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const link = (url: string, kind = "log") => ({ kind, title: `The ${kind}`, url })

const completed = (workItem: string, ...links: ReadonlyArray<ReturnType<typeof link>>) =>
  publish(StageEvent.TaskCompleted({ workItem, links }))

const item = Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "Trail map" }))

const urls = (id: string) =>
  Effect.flatMap(PlaneSimulator, (plane) => Effect.map(plane.links(id), (all) => all.map(({ url }) => url)))

const requests = Effect.map(received, (all) => all.map(({ kind, method }) => `${method} ${kind}`))

const forgetRequests = Effect.flatMap(PlaneSimulator, (plane) => plane.forgetRequests)

/** How many links are stored. */
const stored = Effect.flatMap(
  Storage,
  ({ read, sql }) => Effect.map(read(sql<{ n: number }>`SELECT count(*) AS n FROM plane_sync_link`), ([row]) => row?.n)
)

const one = "https://ci.example.com/runs/1"
const two = "https://ci.example.com/runs/2"

describe("links of a work item", () => {
  it.effect("are made after the states and comments of all work items, by one request each", () =>
    Effect.gen(function*() {
      const first = yield* item
      const second = yield* item
      yield* completed(first.key, link(one), link(two, "report"))
      yield* publish(StageEvent.StageChanged({ workItem: second.key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* urls(first.id), [one, two])
      const sent = yield* requests
      assert.deepStrictEqual(sent.slice(-2), ["POST links", "POST links"])
      assert.lengthOf(sent.filter((each) => each.endsWith("links")), 2)
      const plane = yield* PlaneSimulator
      assert.deepStrictEqual((yield* plane.links(first.id)).map(({ title }) => title), ["The log", "The report"])
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
    }).pipe(Effect.provide(inMemory({ settings: { ORCH_PLANE_CONCURRENCY: "1" } }))))

  it.effect("a new one takes the place of ours of its kind: it is made first, and then the old one goes", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* completed(key, link(one), link("https://ci.example.com/report", "report"))
      yield* TestClock.adjust("1 seconds")
      yield* forgetRequests
      yield* completed(key, link(two))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* urls(id), ["https://ci.example.com/report", two])
      assert.deepStrictEqual((yield* requests).filter((each) => each.includes("link")), ["POST links", "DELETE link"])
      // The same once more is no news.
      yield* forgetRequests
      yield* completed(key, link(two))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual((yield* requests).filter((each) => each.includes("link")), [])
    }).pipe(Effect.provide(inMemory())))

  it.effect("one that a person has made is adopted, and never deleted", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.addPersonLink(id, one)
      yield* completed(key, link(one))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* urls(id), [one])
      yield* completed(key, link(two))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* urls(id), [one, two])
      assert.strictEqual(yield* stored, 1)
    }).pipe(Effect.provide(inMemory())))

  for (
    const [name, fault] of [
      ["no answer", Fault.Silent({ when: "after", count: 1, match: { method: "POST", kind: "links" } })],
      [
        "a gateway's word",
        Fault.Status({ status: 502, when: "after", count: 1, match: { method: "POST", kind: "links" } })
      ],
      ["an answer without an id", Fault.NoId({ count: 1, match: { method: "POST", kind: "links" } })]
    ] as const
  ) {
    it.effect(`one whose request was executed and got ${name} is there once, and is ours`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* item
        yield* plane.misbehave(fault)
        yield* completed(key, link(one))
        yield* TestClock.adjust("5 seconds")
        // What is unknown of a link keeps nothing else waiting.
        yield* publish(StageEvent.QualityGateFailed({ workItem: key, stage: "review", check: "lint", reason: "no" }))
        yield* TestClock.adjust("10 seconds")
        assert.lengthOf(yield* plane.comments(id), 2)
        assert.lengthOf((yield* requests).filter((each) => each === "POST links"), 1)
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(yield* urls(id), [one])
        yield* completed(key, link(two))
        yield* TestClock.adjust("1 minutes")
        assert.deepStrictEqual(yield* urls(id), [two])
      }).pipe(Effect.provide(inMemory())))
  }

  it.effect("one of unknown outcome that is not wanted any more is looked for, and goes", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Silent({ when: "after", count: 1, match: { method: "POST", kind: "links" } }))
      yield* completed(key, link(one))
      yield* TestClock.adjust("15 seconds")
      yield* completed(key, link(two))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
      assert.strictEqual(yield* stored, 1)
    }).pipe(Effect.provide(inMemory())))

  it.effect("two kinds with one address are one link, also while the outcome of the first request is unknown", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      // The quiet time after the start is over.
      yield* TestClock.adjust("1 minutes")
      yield* plane.misbehave(
        Fault.ApplyLate({ afterMillis: 20_000, count: 1, match: { method: "POST", kind: "links" } })
      )
      yield* completed(key, link(one, "page"))
      // The client has left, and Plane still works on it.
      yield* TestClock.adjust("12 seconds")
      yield* completed(key, link(one))
      yield* TestClock.adjust("7 seconds")
      // Plane would take both requests.
      assert.lengthOf((yield* requests).filter((each) => each === "POST links"), 1)
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [one])
      yield* completed(key, link(two), link(two, "page"))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
    }).pipe(Effect.provide(inMemory())))

  it.effect("one whose deletion had no answer is there when it is wanted again", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* completed(key, link(one))
      yield* TestClock.adjust("1 seconds")
      yield* plane.misbehave(
        Fault.ApplyLate({ afterMillis: 20_000, count: 1, match: { method: "DELETE", kind: "link" } })
      )
      yield* completed(key, link(two))
      // The client has left, and Plane still works on it.
      yield* TestClock.adjust("12 seconds")
      yield* completed(key, link(one))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [one])
      assert.strictEqual(yield* stored, 1)
    }).pipe(Effect.provide(inMemory())))

  it.effect("an old one stays while the one that takes its place waits", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* completed(key, link(one))
      yield* TestClock.adjust("1 seconds")
      yield* plane.misbehave(
        Fault.Status({ status: 503, when: "before", count: 1, match: { method: "POST", kind: "links" } })
      )
      yield* completed(key, link(two))
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(yield* urls(id), [one])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
    }).pipe(Effect.provide(inMemory())))

  it.effect("one of unknown outcome is still ours when another kind takes over its address", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Silent({ when: "after", count: 1, match: { method: "POST", kind: "links" } }))
      yield* completed(key, link(one, "page"))
      yield* TestClock.adjust("12 seconds")
      yield* completed(key, link(two, "page"), link(one))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual((yield* urls(id)).toSorted(), [one, two])
      yield* completed(key, link(two))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
    }).pipe(Effect.provide(inMemory())))

  it.effect("one that Plane refuses is given up with one warning, and the others are made", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      const refused = "{\"url\":[\"Invalid URL format.\"]}"
      yield* plane.misbehave(
        Fault.Status({ status: 400, body: refused, match: { method: "POST", kind: "links", text: one } })
      )
      yield* completed(key, link(one), link(two, "report"))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
      yield* completed(key, link(one))
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf((yield* requests).filter((each) => each === "POST links"), 2)
      const warnings = lines.filter((line) => line.includes("Given up"))
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], one)
      assert.include(warnings[0], "Invalid URL format.")
      assert.deepInclude(yield* (yield* Outbox).status, { pending: 0, dead: 0 })
    }).pipe(Effect.provide(Layer.provideMerge(inMemory(), Logger.replace(Logger.defaultLogger, logger))))
  })

  it.effect("one that a person has deleted is not made anew, and its end costs no error", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* completed(key, link(one))
      yield* TestClock.adjust("1 seconds")
      const [made] = yield* plane.links(id)
      yield* plane.deleteLink(made?.id ?? "")
      yield* completed(key, link(one))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* urls(id), [])
      yield* completed(key, link(two))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* urls(id), [two])
      assert.strictEqual(yield* stored, 1)
    }).pipe(Effect.provide(inMemory())))

  it.effect("begin with the address by which people reach Gitea", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* completed(key, link("http://gitea:3000/acme/widgets/pulls/7?a=1"), link("http://gitea:30001/x", "report"))
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(yield* urls(id), ["https://git.example.com/acme/widgets/pulls/7?a=1"])
    }).pipe(Effect.provide(inMemory({
      settings: {
        ORCH_GITEA_URL: "http://gitea:3000",
        ORCH_GITEA_TOKEN: "token",
        ORCH_GITEA_PUBLIC_URL: "https://git.example.com/"
      }
    }))))

  it.effect("a host that Plane refuses is said once, with the setting that mends it, and is not sent", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel.label === "WARN") lines.push(String(message))
    })
    return Effect.gen(function*() {
      const { id, key } = yield* item
      yield* completed(key, link("http://gitea:3000/1"), link("http://gitea:3000/2", "report"))
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* urls(id), [])
      assert.lengthOf((yield* requests).filter((each) => each === "POST links"), 0)
      assert.lengthOf(lines.filter((line) => line.includes("ORCH_GITEA_PUBLIC_URL")), 1)
    }).pipe(Effect.provide(Layer.provideMerge(inMemory(), Logger.replace(Logger.defaultLogger, logger))))
  })

  it.scoped("one that was not sent for want of that setting is sent after a restart with it, once it is asked for again", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      const database = `${yield* folder}/plane-sync.sqlite`
      const life = (settings: Readonly<Record<string, string>>) =>
        Effect.gen(function*() {
          yield* completed(key, link("http://gitea:3000/1"), link("https://ci.example.com/refused", "report"))
          yield* TestClock.adjust("10 minutes")
        }).pipe(Effect.provide(overPlane({ database, settings: { ORCH_GITEA_URL: "http://gitea:3000", ...settings } })))
      const plane = yield* PlaneSimulator
      const body = JSON.stringify({ url: ["Invalid URL format."] })
      yield* plane.misbehave(
        Fault.Status({ status: 400, body, match: { method: "POST", kind: "links", text: "refused" } })
      )
      yield* life({})
      yield* life({})
      assert.deepStrictEqual(yield* urls(id), [])
      yield* life({ ORCH_GITEA_PUBLIC_URL: "https://git.example.com" })
      assert.deepStrictEqual(yield* urls(id), ["https://git.example.com/1"])
      // What Plane has refused is not sent again.
      assert.lengthOf((yield* requests).filter((each) => each === "POST links"), 2)
    }).pipe(Effect.provide(PlaneSimulator.layerMemory())))

  it.effect("of a work item that is gone are forgotten", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* publish(StageEvent.StageChanged({ workItem: key, from: "created", to: "analysis" }))
      yield* TestClock.adjust("1 seconds")
      yield* plane.deleteWorkItem(id)
      yield* completed(key, link(one))
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* stored, 0)
    }).pipe(Effect.provide(inMemory())))

  it.effect("of a key that nobody has yet, and of two spellings, are those of the work item once it is found", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* completed("ET-007", link(one))
      yield* completed("ET-7", link("https://ci.example.com/report", "report"))
      yield* completed("ET-007", link(two))
      yield* TestClock.adjust("1 seconds")
      const { id } = yield* plane.addWorkItem({ name: "Trail map", number: 7 })
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual((yield* urls(id)).toSorted(), ["https://ci.example.com/report", two])
    }).pipe(Effect.provide(inMemory())))
})
