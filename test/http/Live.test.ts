import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Schedule, Schema, Scope } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { post, request, served, withPlane } from "./Server.js"

/** A reader: what it was told so far, and whether its stream has ended. It stops with the scope. */
const reading = (url: string) =>
  Effect.gen(function*() {
    const controller = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => controller.abort()))
    const response = yield* Effect.promise(() => fetch(`${url}/api/live`, { signal: controller.signal }))
    let text = ""
    let isOver = false
    const body: AsyncIterable<Uint8Array> | null = response.body
    if (body !== null) {
      const read = async () => {
        const decoder = new TextDecoder()
        for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
      }
      void read().catch(() => undefined).finally(() => {
        isOver = true
      })
    }
    return { response, text: () => text, isOver: () => isOver }
  })

const until = (holds: () => boolean) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), Effect.sync(holds)), { until: (so) => so }).pipe(
    Effect.timeout("10 seconds")
  )

const Told = Schema.parseJson(Schema.Struct({ workItems: Schema.Array(Schema.String), at: Schema.DateTimeUtc }))

/** The work items of each message. */
const changes = (text: string) =>
  text.split("\n\n").filter((one) => one.startsWith("event: changed\n")).map((one) =>
    Schema.decodeUnknownSync(Told)(one.slice(one.indexOf("data: ") + 6)).workItems
  )

describe("/api/live", () => {
  it.live("says hello, and then what has changed: an event, and that Plane was told", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served()
      const { response, text } = yield* reading(url)
      assert.deepStrictEqual(
        [response.status, response.headers.get("content-type"), response.headers.get("cache-control")],
        [200, "text/event-stream", "no-store"]
      )
      yield* until(() => text().startsWith("event: hello\ndata: {\"at\":\""))
      yield* post(url, JSON.stringify({ type: "task_completed", workItem: key }))
      yield* until(() => changes(text()).some((workItems) => workItems.includes(key)))
      const toldOf = changes(text()).length
      const isTold = Effect.map(request(`${url}/health`), ({ body }) => JSON.stringify(body).includes("\"pending\":0"))
      yield* Effect.repeat(isTold, { until: (so) => so })
      yield* until(() => changes(text()).length > toldOf || toldOf > 1)
    }).pipe(Effect.scoped, withPlane), 30_000)

  it.live("names none of more than 50, and tells once a second at most", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_PLANE_API_TOKEN: "" })
      const { text } = yield* reading(url)
      yield* until(() => text().includes("hello"))
      const [took] = yield* Effect.timed(
        Effect.forEach(Array.from({ length: 120 }, (_, n) => n + 1), (n) =>
          post(url, JSON.stringify({ type: "task_completed", workItem: `ET-${n}` })), { concurrency: 40 })
      )
      yield* until(() =>
        changes(text()).length > 0
      )
      yield* Effect.sleep("1500 millis")
      const all = changes(text())
      assert.isBelow(all.length, 5 + Duration.toSeconds(took))
      for (const workItems of all) assert.isAtMost(workItems.length, 50)
    }).pipe(Effect.scoped, withPlane), 30_000)

  it.live("20 may read, the 21st is told so in words; who has gone makes room", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_PLANE_API_TOKEN: "" })
      const scope = yield* Scope.make()
      yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.flatMap(Scope.extend(reading(url), scope), ({ text }) => until(() => text().includes("hello"))), {
        concurrency: 20
      })
      const refused = yield* request(`${url}/api/live`)
      assert.strictEqual(refused.status, 503)
      assert.include(JSON.stringify(refused.body), "20 pages are told of changes already")
      yield* Scope.close(scope, Exit.void)
      const { text } = yield* Effect.retry(
        Effect.filterOrFail(reading(url), ({ response }) =>
          response.status === 200),
        Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(50))
      )
      yield* until(() =>
        text().includes("hello")
      )
    }).pipe(Effect.scoped, withPlane), 30_000)

  it.live("ends at once when the server stops, which does not wait for it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const url = yield* Scope.extend(served({ ORCH_PLANE_API_TOKEN: "" }), scope)
      const { isOver, text } = yield* reading(url)
      yield* until(() => text().includes("hello"))
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      yield* until(isOver)
      assert.isBelow(Duration.toMillis(took), 900)
    }).pipe(Effect.scoped, withPlane), 30_000)

  it.live("is for those with a token, where one is set", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "api-token-of-the-test" })
      assert.strictEqual((yield* request(`${url}/api/live`)).status, 401)
    }).pipe(Effect.scoped, withPlane))
})
