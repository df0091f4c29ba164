import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, withPlane } from "../http/Server.js"
import { examineHere, says } from "./Examined.js"

describe("the check of who may command", () => {
  it.live("finds the user of the API token, and whom Plane does not have", () =>
    Effect.gen(function*() {
      const { bot, person } = yield* PlaneSimulator
      const fine = yield* examineHere({ ORCH_COMMANDS: `Olga@plane.test, ${person.id}` })
      says(fine, "commands of ET", "passed", `tasks of ET obey olga@plane.test, ${person.id}`)
      const seen = yield* examineHere({ ORCH_COMMANDS: "plane-sync@plane.test, nobody@plane.test" })
      says(seen, "commands of ET", "failed", "no member of ET in Plane is nobody@plane.test", "ORCH_COMMANDS")
      says(
        seen,
        "commands of ET",
        "failed",
        "the user plane-sync of ORCH_PLANE_API_TOKEN is among",
        "a user of its own"
      )
      says(yield* examineHere({ ORCH_COMMANDS: bot.id }), "commands of ET", "failed", "the user plane-sync of")
      assert.deepStrictEqual((yield* examineHere()).of("commands of ET"), [])
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("finds a gate `human` for which nobody can say anything", () =>
    Effect.gen(function*() {
      const { project } = yield* PlaneSimulator
      const file = `${yield* folder}/plane-sync.json`
      const pipeline = [{ stage: "check", state: "Todo", gates: ["human"] }, { stage: "done", state: "Done" }]
      writeFileSync(file, JSON.stringify({ projects: { [project.identifier]: { pipeline } } }))
      const blank = { ORCH_PLANE_PROJECT_ID: "", ORCH_PLANE_PROJECT_IDENTIFIER: "", ORCH_PLANE_WORKSPACE_SLUG: "" }
      const seen = yield* examineHere({ ...blank, ORCH_CONFIG: file, ORCH_PLANE_WORKSPACE_SLUG: "ag_proj" })
      says(seen, "commands of ET", "failed", "nobody may say /approve", "ORCH_COMMANDS")
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live("names those of the attention list who are no members", () =>
    Effect.gen(function*() {
      const fine = yield* examineHere({ ORCH_ATTENTION: "olga@plane.test" })
      says(fine, "attention of ET", "passed", "are assigned to olga@plane.test")
      const unknown = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0bff"
      const seen = yield* examineHere({ ORCH_ATTENTION: `olga@plane.test, nobody@plane.test, ${unknown}` })
      says(seen, "attention of ET", "failed", `is nobody@plane.test, ${unknown}, who is asked`, "ORCH_ATTENTION")
    }).pipe(Effect.scoped, withPlane), 60_000)
})
