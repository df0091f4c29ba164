import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, writeFileSync } from "node:fs"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, withPlane } from "../http/Server.js"
import { Program, run } from "../main/Child.js"

describe("the program's doctor", () => {
  it.scopedLive(
    "says that a setting comes from .env, ends with 1, and makes no database",
    () =>
      Effect.gen(function*() {
        const { settings: { ORCH_PLANE_API_TOKEN, ...settings } } = yield* PlaneSimulator
        const cwd = yield* folder
        writeFileSync(`${cwd}/.env`, `ORCH_PORT=http\nORCH_PLANE_API_TOKEN=${ORCH_PLANE_API_TOKEN ?? ""}\n`)
        const { code, err, out } = yield* run(["doctor"], { cwd, settings })
        assert.strictEqual(code, 1)
        assert.match(out, /^✘ settings: ORCH_PORT: "http" is not a port: expected/)
        assert.include(out, "\n  → set ORCH_PORT right in .env\n")
        assert.match(out, /\n✔ Plane's address: /)
        assert.strictEqual(err, "plane-sync: 1 check failed\n")
        writeFileSync(`${cwd}/.env`, `ORCH_PLANE_API_TOKEN=${ORCH_PLANE_API_TOKEN ?? ""}\n`)
        const well = yield* run(["doctor"], { cwd, settings })
        assert.match(well.out.replace(/\s+/g, " "), /^✔ settings: .*ORCH_PLANE_API_TOKEN of \.env/)
        assert.deepStrictEqual([well.code, well.err], [0, ""])
        assert.isFalse(existsSync(`${cwd}/data`))
      }).pipe(withPlane, Effect.provide(Program.layer)),
    90_000
  )
})
