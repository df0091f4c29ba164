import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import type { HealthReport } from "../../src/health/HealthReport.js"
import type { TaskWithStory } from "../../src/views/TaskView.js"
import type { Source } from "../../src/webhooks/WebhookConfig.js"
import { deliver, signature } from "../webhooks/Sender.js"
import { post, request, served, withPlane } from "./Server.js"

/** What is asked for again and again, once it is as is waited for. Nothing here may take longer than 5 seconds. */
const eventually = <A>(ask: Effect.Effect<A>, until: (answer: A) => boolean) =>
  Effect.gen(function*() {
    for (;;) {
      const answer = yield* ask
      if (until(answer)) return answer
      yield* Effect.sleep("20 millis")
    }
  }).pipe(Effect.timeout("5 seconds"))

const health = (url: string, until: (report: HealthReport) => boolean) =>
  eventually(Effect.map(request(`${url}/health`), ({ body }) => body as HealthReport), until)

const reasonOf = ({ reasons }: HealthReport) => reasons.join("\n")
// Plane and the file, whichever takes longer.
const isLookedAt = (report: HealthReport) => !/not looked at yet|is being checked/.test(reasonOf(report))
const isOk = ({ status }: HealthReport) => status === "ok"
const isDegraded = (report: HealthReport) => !isOk(report) && isLookedAt(report)

/** An address that takes connections and never answers. */
const silent = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly close: () => void }>((resume) => {
    const server = createServer(() => undefined)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

// A kind that moves nothing is taken as well.
const hook = (url: string, source: Source, secret: string) => {
  const body = JSON.stringify({ event: "project", action: "updated" })
  return deliver(url, source, body, { signature: signature(source, body, secret), event: "push" })
}

describe("GET /health", () => {
  it.live(
    "rows 45 and 46: what Plane refuses is said within 5 s, with the setting, though nothing is published",
    () =>
      Effect.gen(function*() {
        for (
          const [setting, value, named] of [
            ["ORCH_PLANE_API_URL", "http://127.0.0.1:1", /^nothing listens at .*ORCH_PLANE_API_URL/],
            ["ORCH_PLANE_API_TOKEN", "plane_api_wrong", /ORCH_PLANE_API_TOKEN/],
            ["ORCH_PLANE_WORKSPACE_SLUG", "elsewhere", /ORCH_PLANE_WORKSPACE_SLUG|ORCH_PLANE_API_URL/],
            ["ORCH_PLANE_PROJECT_ID", "00000000-0000-4000-8000-000000000000", /ORCH_PLANE_PROJECT_ID/],
            ["ORCH_PLANE_PROJECT_IDENTIFIER", "XX", /ORCH_PLANE_PROJECT_IDENTIFIER/],
            ["ORCH_PLANE_STAGE_STATES", `{"done":"00000000-0000-4000-8000-000000000000"}`, /ORCH_PLANE_STAGE_STATES/]
          ] as const
        ) {
          const report = yield* Effect.flatMap(served({ [setting]: value }), (url) => health(url, isDegraded)).pipe(
            Effect.scoped
          )
          assert.match(reasonOf(report), named, setting)
          assert.deepStrictEqual([report.live, report.reasons.length], [true, 1])
        }
      }).pipe(withPlane),
    90_000
  )

  it.live("row 45: until the first answer it is not looked at yet, and degraded; silence is said at the deadline", () =>
    Effect.gen(function*() {
      const { url: plane } = yield* silent
      const url = yield* served({ ORCH_PLANE_API_URL: plane, ORCH_PLANE_TIMEOUT: "1 seconds" })
      const first = yield* health(url, () => true)
      assert.strictEqual(first.status, "degraded")
      assert.match(reasonOf(first), /not looked at yet/)
      assert.match(reasonOf(yield* health(url, isLookedAt)), /Plane gives no answer/)
    }).pipe(Effect.scoped, withPlane))

  it.live("row 46: a wrong webhook secret is one reason for each sender, until its next good hook", () =>
    Effect.gen(function*() {
      const url = yield* served({ ORCH_PLANE_WEBHOOK_SECRET: "plane_wh_right", ORCH_GITEA_WEBHOOK_SECRET: "right" })
      yield* health(url, isOk)
      yield* hook(url, "plane", "plane_wh_wrong")
      yield* hook(url, "gitea", "wrong")
      yield* hook(url, "gitea", "wrong")
      const report = yield* health(url, isDegraded)
      assert.lengthOf(report.reasons, 2)
      assert.match(reasonOf(report), /ORCH_PLANE_WEBHOOK_SECRET[^]*ORCH_GITEA_WEBHOOK_SECRET/)
      assert.strictEqual((yield* hook(url, "gitea", "right")).status, 202)
      assert.match(reasonOf(yield* health(url, ({ reasons }) => reasons.length === 1)), /ORCH_PLANE_WEBHOOK_SECRET/)
      assert.strictEqual((yield* hook(url, "plane", "plane_wh_right")).status, 202)
      yield* health(url, isOk)
    }).pipe(Effect.scoped, withPlane))

  it.live("row 46: a dead letter is counted until it is discarded", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const event = { type: "task_completed", workItem: "XX-1" }
      assert.strictEqual((yield* post(url, JSON.stringify(event))).status, 202)
      assert.match(reasonOf(yield* health(url, isDegraded)), /^1 event is a dead letter/)
      yield* request(`${url}/api/deliveries/discard`, {
        method: "POST",
        body: JSON.stringify({ code: "wrong_project" }),
        headers: { "content-type": "application/json" }
      })
      yield* health(url, isOk)
    }).pipe(Effect.scoped, withPlane))

  it.live("row 77: a task of a key that nobody has says so after the first look; of another project, at once", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const start = (workItem: string) =>
        request(`${url}/api/tasks`, {
          method: "POST",
          body: JSON.stringify({ workItem }),
          headers: { "content-type": "application/json" }
        })
      assert.strictEqual((yield* start("ET-999")).status, 200)
      const why = Effect.map(request(`${url}/api/tasks/ET-999`), ({ body }) => (body as TaskWithStory).why ?? "")
      assert.match(yield* eventually(why, (words) => words !== ""), /no work item ET-999/)
      const { body, status } = yield* start("XX-7")
      assert.strictEqual(status, 400)
      assert.include(
        JSON.stringify(body),
        "Not a task to start: workItem: XX-7 is in no project that is set: keys begin with ET-"
      )
    }).pipe(Effect.scoped, withPlane))
})
