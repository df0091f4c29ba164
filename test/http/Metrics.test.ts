import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { prometheusType } from "../../src/metrics/Prometheus.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { notByPromtool, promtool, runPromtool } from "../support/Promtool.js"
import { post, request, served, withPlane } from "./Server.js"

const read = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(request(`${url}/metrics`, { headers }), ({ body }) => String(body))

const valueOf = (text: string, series: string) => {
  const line = text.split("\n").find((line) => line.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const until = (url: string, holds: (text: string) => boolean) =>
  Effect.repeat(read(url), { until: holds, schedule: Schedule.spaced("100 millis") }).pipe(
    Effect.zipRight(read(url)),
    Effect.timeout("60 seconds")
  )

/** The metrics of the process go on from one test to the next. */
const told = "plane_sync_deliveries_total{kind=\"comment\",outcome=\"done\"}"

describe("/metrics", () => {
  it.live("tells what was published, sent and told, how Plane is, and what came by webhooks", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served()
      const before = yield* read(url)
      const event = JSON.stringify({ type: "task_completed", workItem: key, id: "once" })
      yield* post(url, event)
      yield* post(url, event)
      yield* request(`${url}/webhooks/plane`, { method: "POST", body: "{}" })
      const after = yield* until(url, (text) => (valueOf(text, told) ?? 0) > (valueOf(before, told) ?? 0))
      const more = (series: string) => (valueOf(after, series) ?? 0) - (valueOf(before, series) ?? 0)
      assert.strictEqual(more("plane_sync_events_total{kind=\"task_completed\",outcome=\"stored\"}"), 1)
      assert.strictEqual(more("plane_sync_events_total{kind=\"task_completed\",outcome=\"duplicate\"}"), 1)
      assert.strictEqual(more("plane_sync_publish_seconds_count"), 2)
      assert.strictEqual(more("plane_sync_told_seconds_count"), 1)
      assert.strictEqual(more("plane_sync_plane_requests_total{operation=\"POST comments\",answer=\"201\"}"), 1)
      assert.strictEqual(more("plane_sync_hooks_total{source=\"plane\",verdict=\"refused\"}"), 1)
      assert.isAbove(more("plane_sync_storage_seconds_count{operation=\"write\"}"), 0)
      const seen = (series: string) => valueOf(after, series)
      assert.strictEqual(seen("plane_sync_dead_letters{code=\"refused\"}"), 0)
      assert.strictEqual(seen("plane_sync_waiting_for_person{reason=\"asked\"}"), 0)
      assert.strictEqual(seen("plane_sync_hooks_refused_in_a_row{source=\"plane\"}"), 1)
      assert.strictEqual(seen("plane_sync_leads{project=\"ET\"}"), 1)
      assert.strictEqual(seen("plane_sync_plane_closed{project=\"ET\"}"), 0)
      assert.strictEqual(seen("plane_sync_storage_failing"), 0)
      assert.isBelow(seen("plane_sync_budget_left_requests{project=\"ET\"}") ?? 60, 60)
      assert.isAtLeast(seen("plane_sync_event_loop_delay_seconds{of=\"longest\"}") ?? -1, 0)
    }).pipe(Effect.scoped, withPlane))

  it.live("tells that Plane is closed, and for how long it was", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.revokeToken
      const url = yield* served()
      const closed = "plane_sync_plane_closed_seconds_total{project=\"ET\"}"
      const first = yield* until(url, (text) => valueOf(text, "plane_sync_plane_closed{project=\"ET\"}") === 1)
      assert.strictEqual(valueOf(first, "plane_sync_degraded"), 1)
      const later = yield* until(url, (text) => (valueOf(text, closed) ?? 0) >= (valueOf(first, closed) ?? 0) + 1)
      assert.isAbove(valueOf(later, closed) ?? 0, valueOf(first, closed) ?? 0)
    }).pipe(Effect.scoped, withPlane))

  it.live("is for those with a token, where one is set, and says which format it has", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "api-token-of-the-test" })
      assert.strictEqual((yield* request(`${url}/metrics`)).status, 401)
      const answer = yield* request(`${url}/metrics`, {
        headers: { authorization: "Bearer api-token-of-the-test" }
      })
      assert.strictEqual(answer.headers.get("content-type"), prometheusType)
      assert.notInclude(String(answer.body), "api-token-of-the-test")
    }).pipe(Effect.scoped, withPlane))

  describe.skipIf(promtool === undefined)(`by promtool${promtool === undefined ? notByPromtool : ""}`, () => {
    it.live("is right in form and names", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { key } = yield* plane.addWorkItem({ name: "Trail map" })
        const url = yield* served()
        yield* post(url, JSON.stringify({ type: "task_completed", workItem: key }))
        const text = yield* until(url, (text) => (valueOf(text, "plane_sync_told_seconds_count") ?? 0) > 0)
        const { isRight, said } = yield* Effect.promise(() => runPromtool(["check", "metrics"], text))
        assert.isTrue(isRight && said === "", said)
      }).pipe(Effect.scoped, withPlane))
  })
})

/** What depends on the machine. */
const unmeasured = { at: "", p50Seconds: 0, p99Seconds: 0 }

describe("/api/history", () => {
  it.live("shows what was published and told since the start", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* plane.addWorkItem({ name: "Trail map" })
      const url = yield* served()
      const history = Effect.map(request(`${url}/api/history`), ({ body }) =>
        body as { readonly buckets: ReadonlyArray<{ readonly told: number }> })
      yield* post(url, JSON.stringify({ type: "task_completed", workItem: key }))
      yield* Effect.repeat(history, {
        until: ({ buckets }) =>
          (buckets.at(-1)?.told ?? 0) > 0,
        schedule: Schedule.spaced("50 millis")
      }).pipe(Effect.timeout("60 seconds"))
      const { buckets } = yield* history
      assert.lengthOf(buckets, 1)
      assert.deepStrictEqual({ ...buckets[0], ...unmeasured }, { events: 1, told: 1, closedSeconds: 0, ...unmeasured })
    }).pipe(Effect.scoped, withPlane))

  it.live("is for those with a token, where one is set", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_API_TOKEN: "api-token-of-the-test" })
      assert.strictEqual((yield* request(`${url}/api/history`)).status, 401)
    }).pipe(Effect.scoped, withPlane))
})
