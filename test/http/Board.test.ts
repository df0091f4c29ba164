import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { Board } from "../../src/overview/BoardView.js"
import { moveBody, scene, uuid } from "../webhooks/Scene.js"
import { fieldsOf, folder, request, served, withPlane } from "./Server.js"

const at = (url: string, query = "") =>
  Effect.map(request(`${url}/api/board${query}`), ({ body }) => Schema.decodeUnknownSync(Board)(body))

const keysAt = (board: typeof Board.Type, stage: string) =>
  board.stages.find((one) => one.stage === stage)?.cards.map(({ key }) => key)

describe("/api/board", () => {
  it.live(
    "has a card for each task: its name as in Plane, its page, its stage, what it waits for",
    () =>
      Effect.gen(function*() {
        const { plane, settled, url, ...its } = yield* scene({
          ORCH_PLANE_API_TOKEN: "",
          ORCH_ATTENTION: "mira@example.org"
        })
        for (const number of [1, 2, 3]) yield* plane(moveBody({ number, to: "inProgress", at: 1 }))
        yield* settled
        yield* its.reported(3)
        yield* settled
        yield* request(`${url}/api/tasks/ET-2/ask`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ question: "Why?" })
        })
        const board = yield* at(url)
        assert.deepStrictEqual([board.project, board.projects, board.underWay, board.doneToday], ["ET", ["ET"], 3, 0])
        assert.deepStrictEqual(board.stages.map(({ count, stage }) => [stage, count]), [
          ["created", 0],
          ["analysis", 2],
          ["architecture", 0],
          ["development", 1],
          ["review", 0],
          ["testing", 0],
          ["deploy", 0],
          ["done", 0]
        ])
        // Who waits comes first.
        assert.deepStrictEqual(keysAt(board, "analysis"), ["ET-2", "ET-1"])
        const [card] = board.stages[1]?.cards ?? []
        assert.deepInclude(card, {
          key: "ET-2",
          name: "Mark the river crossing",
          agent: "analyst",
          status: "active",
          waitsFor: [{ reason: "asked", reached: ["mira@example.org"] }],
          failedGate: null
        })
        assert.match(card?.url ?? "", /\/ag_proj\/browse\/ET-2\/$/)
        assert.isAbove(card?.behind ?? 0, 0)
        const found = yield* at(url, "?find=DEVEL")
        assert.deepStrictEqual(found.stages.filter(({ count }) => count > 0).map(({ stage }) => stage), ["development"])
        assert.strictEqual((yield* at(url, "?find=river&stage=analysis")).stages[1]?.cards.length, 2)
        assert.strictEqual((yield* at(url, "?find=et-3")).underWay, 1)
        assert.deepStrictEqual((yield* at(url, "?find=%25")).underWay, 0)
        // A later name in Plane.
        const renamed = JSON.parse(moveBody({ number: 1, to: "inProgress", at: 9 })) as { data: { name: string } }
        renamed.data.name = "Mark the ford"
        yield* plane(JSON.stringify(renamed))
        yield* settled
        assert.include(JSON.stringify(yield* at(url, "?find=ford")), "Mark the ford")
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live("names what is wrong with a project", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const answer = yield* request(`${url}/api/board?project=X`)
      assert.deepStrictEqual([answer.status, fieldsOf(answer)], [400, ["project"]])
      assert.include(JSON.stringify(answer.body), "expected ET")
    }).pipe(Effect.scoped, withPlane))

  it.live(
    "has 50 cards of a stage at most, and the next ones: also of 2,000 tasks, at once",
    () =>
      Effect.gen(function*() {
        const file = `${yield* folder}/events.sqlite`
        const url = yield* served({ ORCH_DATABASE_URL: file, ORCH_PLANE_API_TOKEN: "" })
        const sql = Context.get(yield* Layer.build(SqliteClient.layer({ filename: file })), SqliteClient.SqliteClient)
        const rows = Array.from({ length: 2_000 }, (_, n) => [`ET-${n + 1}`, uuid(n + 1)])
        yield* sql`INSERT INTO plane_sync_lane (name, work_item, project, title, number)
        SELECT value ->> 1, value ->> 1, 'ET', 'Trail ' || key, key + 1 FROM json_each(${JSON.stringify(rows)})`
        yield* sql`INSERT INTO plane_sync_task
          (work_item, key, canonical, plane_id, stage, status, entry, entered_at, started_at, updated_at)
        SELECT value ->> 0, value ->> 0, value ->> 0, value ->> 1,
          CASE key % 4 WHEN 0 THEN 'review' ELSE 'development' END, 'active', 'e' || key, 1, 1, 1
        FROM json_each(${JSON.stringify(rows)})`
        const board = yield* at(url)
        const development = board.stages[3]
        assert.deepStrictEqual([board.underWay, development?.count, development?.cards.length], [2_000, 1_500, 50])
        assert.strictEqual(development?.nextCursor, 50)
        const next = (yield* at(url, "?stage=development&cursor=50")).stages
        const [first] = next[3]?.cards ?? []
        assert.isDefined(first)
        assert.isFalse(development?.cards.some(({ key }) => key === first.key))
        assert.deepStrictEqual([next[3]?.cards.length, next[3]?.nextCursor, next[4]?.cards], [50, 100, []])
        const last = (yield* at(url, "?stage=development&cursor=1450")).stages[3]
        assert.deepStrictEqual([last?.cards.length, last?.nextCursor], [50, null])
        // A machine that does nothing else takes a twentieth; what reads all for each card takes many seconds.
        const times = yield* Effect.forEach(
          Array.from({ length: 9 }),
          () => Effect.map(Effect.timed(request(`${url}/api/board?find=trail`)), ([took]) => Duration.toMillis(took))
        )
        assert.isBelow(Math.min(...times), 1_000)
      }).pipe(Effect.scoped, withPlane),
    60_000
  )
})
