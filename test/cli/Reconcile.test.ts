import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { comesTo, post, told } from "../webhooks/Circle.js"
import { scene } from "../webhooks/Scene.js"
import { commandLine } from "./CommandLine.js"

/** The program beside a Plane that sends no hooks, and the command line on the same file. */
const beside = Effect.gen(function*() {
  const context = yield* Layer.build(PlaneSimulator.layer({ rateLimit: "off" }))
  const plane = Context.get(context, PlaneSimulator)
  const settings = {
    ORCH_PLANE_API_URL: plane.url,
    ORCH_PLANE_API_TOKEN: plane.token,
    ORCH_PLANE_RATE_LIMIT: "1000/second",
    ORCH_LOG_LEVEL: "none"
  }
  const at = yield* Effect.provideService(scene(settings), PlaneSimulator, plane)
  // The round at the start, of a project without work items.
  yield* Effect.repeat(Effect.delay(at.sql`SELECT 1 FROM plane_sync_watermark`, "20 millis"), {
    until: (rows) => rows.length > 0
  })
  const run = commandLine({ ...settings, ORCH_DATABASE_URL: at.file, ORCH_PORT: new URL(at.url).port })
  /** A work item whose stage was published, and told. */
  const published = Effect.gen(function*() {
    const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
    yield* post(`${at.url}/api/events`, {
      type: "stage_changed",
      workItem: item.key,
      from: "created",
      to: "analysis"
    })
    return item
  })
  const stateOf = (id: string) => Effect.map(plane.workItem(id), ({ state }) => state.name)
  /** With the API token of plane-sync, but not by it: as if a state of ours had been undone by another program. */
  const byUs = (id: string, state: string) =>
    Effect.promise(() =>
      fetch(`${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/work-items/${id}/`, {
        method: "PATCH",
        headers: { "x-api-key": plane.token, "content-type": "application/json" },
        body: JSON.stringify({ state: plane.stateId(state) })
      })
    )
  return { at, plane, run, published, stateOf, byUs }
})

describe("plane-sync reconcile", () => {
  it.live(
    "sets what plane-sync has moved last, leaves what others have, and shows before what it would do",
    () =>
      Effect.gen(function*() {
        const { at, byUs, plane, published, run, stateOf } = yield* beside
        const [one, other, third] = [yield* published, yield* published, yield* published]
        yield* told(at)
        assert.strictEqual(yield* stateOf(one.id), "In Progress")
        const nothing = yield* run("reconcile")
        assert.deepStrictEqual([nothing.code, nothing.out], [
          0,
          "No work item is in another state than that of its stage\nset 0"
        ])
        yield* byUs(one.id, "Todo")
        yield* plane.moveWorkItem(other.id, "Cancelled")
        const dry = yield* run("reconcile", "--dry-run")
        assert.strictEqual(dry.code, 0)
        assert.include(dry.out, `${other.key} is in Cancelled, and no webhook has told it\n`)
        assert.match(dry.out, new RegExp(`${one.key} +analysis +Todo +In Progress +plane-sync +is set`))
        assert.match(
          dry.out,
          new RegExp(
            `${other.key} +analysis +Cancelled +In Progress +somebody else +is left: --force ${other.key} sets it`
          )
        )
        assert.notInclude(dry.out, third.key)
        assert.match(dry.out, /would set 1$/)
        assert.match(dry.err, /1 work item, about 1s at 1000\/second/)
        yield* told(at)
        assert.strictEqual(yield* stateOf(one.id), "Todo")

        const set = yield* run("reconcile")
        assert.deepStrictEqual([set.code, set.out.split("\n").at(-1)], [0, "set 1"])
        yield* told(at)
        assert.strictEqual(yield* stateOf(one.id), "In Progress")
        assert.strictEqual(yield* stateOf(other.id), "Cancelled")

        const forced = yield* run("reconcile", "--force", other.key)
        assert.deepStrictEqual([forced.code, forced.out.split("\n").at(-1)], [0, "set 1"])
        yield* told(at)
        assert.strictEqual(yield* stateOf(other.id), "In Progress")
        // Each event was told by one comment, as before.
        assert.lengthOf(yield* plane.comments(other.id), 1)

        const wrong = yield* run("reconcile", "--force", third.key)
        assert.deepStrictEqual([wrong.code, wrong.err], [
          2,
          `plane-sync: --force ${third.key}: its state does not differ from that of its stage`
        ])
        const noKey = yield* run("reconcile", "--force", "?")
        assert.strictEqual(noKey.code, 2)
      }).pipe(Effect.scoped),
    90_000
  )

  it.live("more than 20 only with --yes", () =>
    Effect.gen(function*() {
      const { at, byUs, published, run, stateOf } = yield* beside
      const items = yield* Effect.forEach(Array.from({ length: 21 }), () => published)
      yield* told(at)
      for (const { id } of items) yield* byUs(id, "Todo")
      const unasked = yield* run("reconcile")
      assert.strictEqual(unasked.code, 2)
      assert.include(unasked.err, "21 work items would be set: repeat it with --yes, or look with --dry-run")
      assert.strictEqual((yield* run("reconcile", "--yes")).code, 0)
      yield* told(at)
      for (const { id } of items) assert.strictEqual(yield* stateOf(id), "In Progress")
    }).pipe(Effect.scoped), 90_000)

  it.live("what it hears is worked on by the running program", () =>
    Effect.gen(function*() {
      const { at, plane, run } = yield* beside
      const item = yield* plane.addWorkItem({ name: "North climb", state: "Todo" })
      yield* plane.moveWorkItem(item.id, "In Progress")
      const { code, out } = yield* run("reconcile")
      assert.strictEqual(code, 0)
      assert.include(out, `${item.key} is in In Progress, and no webhook has told it: heard now`)
      yield* comesTo(at, item.number, "analysis active")
    }).pipe(Effect.scoped), 90_000)

  it.live("fails where Plane is closed, and says why", () =>
    Effect.gen(function*() {
      const { at } = yield* beside
      const { code, err } = yield* commandLine({
        ORCH_PLANE_API_URL: "http://127.0.0.1:9",
        ORCH_PLANE_API_TOKEN: "plane_api_x",
        ORCH_DATABASE_URL: at.file,
        ORCH_LOG_LEVEL: "none"
      })("reconcile")
      assert.strictEqual(code, 1)
      assert.match(err, /^plane-sync: ET cannot be compared with Plane: .*ECONNREFUSED/)
    }).pipe(Effect.scoped), 90_000)
})
