import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { listed } from "../gitea/Forge.js"
import * as MovableClock from "../support/MovableClock.js"
import { told } from "../webhooks/Circle.js"
import { scene } from "../webhooks/Scene.js"

/** So much faster the program's clock runs: 5 minutes are 2.5 seconds. */
const speed = 120

const repository = "/api/v1/repos/acme/widgets"

/** Waits for a stage that is reached without any hook. */
const comes = <E, R>(stage: Effect.Effect<string, E, R>, wanted: string) =>
  Effect.repeat(Effect.delay(stage, "50 millis"), { until: (now) => now === wanted }).pipe(
    Effect.timeout("90 seconds")
  )

describe("the demo's circle without hooks", () => {
  it.live("completes by reading alone: a person moves it, agents report, Gitea is asked", () =>
    Effect.gen(function*() {
      const gitea = yield* fakeGitea
      gitea.answers.set(repository, { id: 1, full_name: "acme/widgets", default_branch: "main" })
      gitea.answers.set(`${repository}/pulls`, [])
      const context = yield* Layer.build(PlaneSimulator.layer({ rateLimit: "off" }))
      const plane = Context.get(context, PlaneSimulator)
      const at = yield* Effect.provideService(
        scene({
          ORCH_PLANE_API_URL: plane.url,
          ORCH_PLANE_API_TOKEN: plane.token,
          ORCH_PLANE_TIMEOUT: "10 minutes",
          ORCH_PLANE_WEBHOOK_SECRET: "",
          ORCH_GITEA_WEBHOOK_SECRET: "",
          ORCH_GITEA_URL: gitea.url,
          ORCH_GITEA_TOKEN: gitea.token,
          ORCH_GITEA_REPOSITORIES: "acme/widgets"
        }),
        PlaneSimulator,
        plane
      ).pipe(Effect.withClock(MovableClock.make(yield* Effect.clock, speed, "1 second").clock))
      const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* Effect.repeat(Effect.delay(at.sql`SELECT 1 FROM plane_sync_watermark`, "20 millis"), {
        until: (rows) => rows.length > 0
      })
      yield* plane.moveWorkItem(item.id, "In Progress")
      yield* comes(at.stage(item.number), "analysis active")

      const pull = (change: Readonly<Record<string, unknown>>) => ({
        ...listed({ title: `${item.key}: north climb`, updated_at: new Date(Date.now() + 86_400_000).toISOString() }),
        ...change
      })
      gitea.answers.set(`${repository}/commits/one/status`, {
        state: "success",
        total_count: 1,
        statuses: [{ id: 1, context: "build/tiles", status: "success", description: "" }]
      })
      gitea.answers.set(`${repository}/pulls/88/reviews`, [
        { id: 1, user: { login: "mira" }, state: "APPROVED", body: "", commit_id: "one" }
      ])
      gitea.answers.set(`${repository}/pulls/88`, pull({}))
      gitea.answers.set(`${repository}/pulls`, [pull({})])
      yield* at.reported(item.number)
      yield* comes(at.stage(item.number), "testing active")
      yield* at.tested(item.number)
      yield* comes(at.stage(item.number), "deploy active")
      const mergedAt = new Date(Date.now() + 2 * 86_400_000).toISOString()
      const merged = pull({ state: "closed", merged: true, merged_at: mergedAt, updated_at: mergedAt })
      gitea.answers.set(`${repository}/pulls/88`, merged)
      gitea.answers.set(`${repository}/pulls`, [])
      yield* comes(at.stage(item.number), "done done")

      yield* told(at)
      assert.strictEqual((yield* plane.workItem(item.id)).state.name, "Done")
      const lines = (yield* plane.comments(item.id)).flatMap(({ html }) => html.match(/(?<=Stage: )\w+ → \w+/g) ?? [])
      assert.deepStrictEqual(lines, [
        "created → analysis",
        "analysis → architecture",
        "architecture → development",
        "development → review",
        "review → testing",
        "testing → deploy",
        "deploy → done"
      ])
      // The only hook is what was read.
      assert.deepStrictEqual(
        yield* at.sql`SELECT DISTINCT source, event, status FROM plane_sync_webhook`,
        [{ source: "plane", event: "repair", status: "done" }]
      )
      assert.lengthOf(yield* at.sql`SELECT 1 FROM plane_sync_webhook`, 1)
    }).pipe(Effect.scoped), 120_000)
})
