import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { folder } from "../http/Server.js"
import { run } from "./Child.js"
import { onProgram } from "./OnProgram.js"

const hide = `--require=${fileURLToPath(new URL("./HideDriver.cjs", import.meta.url))}`

onProgram((it) =>
  describe("better-sqlite3 without a binary", () => {
    it.scoped("the program says what is missing, and the command that mends it, in a line", () =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const settings = { NODE_OPTIONS: hide, ORCH_PLANE_API_TOKEN: "plane_api_of_nobody", ORCH_PORT: "0" }
        for (const args of [["publish", "completed", "ET-2"], ["serve"]]) {
          for (const driver of ["none", "other node"]) {
            const { code, err } = yield* run(args, { cwd, settings: { ...settings, DRIVER: driver } })
            assert.strictEqual(code, 1, err)
            const lines = err.split("\n").filter((line) => line.startsWith("plane-sync: "))
            assert.lengthOf(lines, 1, err)
            assert.match(
              lines[0] ?? "",
              /^plane-sync: Storage \S+: better-sqlite3 has no binary for this Node: run `npm rebuild better-sqlite3/
            )
            assert.include(lines[0], "Python 3, make and a C++ compiler")
          }
        }
      }))
  })
)
