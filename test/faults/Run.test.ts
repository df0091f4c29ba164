import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import type { Row } from "./Row.js"
import { settings } from "./Row.js"
import { tenfold } from "./rows/Fault.js"
import { rows } from "./rows/Rows.js"
import { runRow } from "./Run.js"

const run = (name: string, changes: Partial<Row>) =>
  Effect.gen(function*() {
    const row = rows.find((each) => each.name === name)
    if (row === undefined) return yield* Effect.dieMessage(`there is no row ${name}`)
    const directory = yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())
    return yield* runRow({ ...row, ...changes }, directory, [])
  }).pipe(Effect.provide(NodeContext.layer))

// A matrix that always passes would show nothing, so each of these must fail.
describe("the fault matrix", () => {
  it.scopedLive("sees comments double when a request is repeated while the first still executes", () =>
    Effect.gen(function*() {
      const { findings, problems } = yield* run("late-comment", { settings: { ORCH_PLANE_QUIET: "0 millis" } })
      assert.isAbove(findings.doubled.length, 0)
      assert.isAbove(problems.length, 0)
    }))

  it.scopedLive("sees links double when a request is repeated while the first still executes", () =>
    Effect.gen(function*() {
      const { problems } = yield* run("late-link", {
        settings: { ORCH_PLANE_QUIET: "0 millis" },
        script: ({ linked, plane, tasks: [task] }) =>
          Effect.gen(function*() {
            const match = { method: "POST", kind: "links" } as const
            yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 6_000, count: 1, match }))
            yield* linked(task, { kind: "log", url: "https://ci.example.com/runs/1" })
          })
      })
      assert.deepStrictEqual(problems, ["link: ET-1 has log twice: https://ci.example.com/runs/1"])
    }))

  it.scopedLive(
    "sees an older text of the living comment that an edit puts back after a newer one",
    () =>
      Effect.gen(function*() {
        const { problems } = yield* run("late-edit", {
          speed: 1,
          deadlineSeconds: 8,
          settings: { ...settings, ORCH_PLANE_COMMENTS: "living", ORCH_PLANE_QUIET: "0 millis" },
          script: ({ completed, gate, plane, stage, tasks: [task], told }) =>
            Effect.gen(function*() {
              const match = { method: "PATCH", kind: "comment" } as const
              yield* stage(task, "review")
              yield* told()
              yield* plane.misbehave(Fault.ApplyLate({ afterMillis: 4_000, count: 1, match }))
              yield* gate(task)
              yield* Effect.sleep("500 millis")
              yield* completed(task)
              yield* told()
            })
        })
        assert.include(problems[0], "lost: ET-1: the living comment is “Progress | ✅ created | 🔄 review")
      }),
    20_000
  )

  it.scopedLive("sees notices that are not signed as their receiver expects", () =>
    Effect.gen(function*() {
      const { problems } = yield* run("notice-500", { settings: { ...tenfold, ORCH_NOTICE_SECRET: "another" } })
      assert.include(problems, "a notice was not signed")
    }), 20_000)

  it.scopedLive("sees an accepted event that is not told", () =>
    Effect.gen(function*() {
      const { delivered, findings, problems } = yield* run("400", {
        dead: 0,
        deadlineSeconds: 3,
        settings: { ORCH_PLANE_API_TOKEN: "plane_api_wrong" }
      })
      assert.strictEqual(delivered, 0)
      assert.isAbove(findings.lost.length, 0)
      assert.include(problems, "not all was done within 3 s")
    }))

  it.scopedLive("fails a row whose fault met no request", () =>
    Effect.gen(function*() {
      const { problems } = yield* run("503", { script: ({ round }) => round(1) })
      assert.deepStrictEqual(problems, ["this row proves nothing: no request met its fault"])
    }))
})
