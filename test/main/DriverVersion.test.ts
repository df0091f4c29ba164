import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { folder } from "../http/Server.js"
import { run } from "./Child.js"
import { onProgram } from "./OnProgram.js"

const pretend = `--require=${fileURLToPath(new URL("./OtherVersions.cjs", import.meta.url))}`

const tried = (node: string, driver: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(folder, (cwd) =>
    run(args, {
      cwd,
      settings: {
        NODE_OPTIONS: pretend,
        VERSION_OF_NODE: node,
        VERSION_OF_DRIVER: driver,
        ORCH_PLANE_API_TOKEN: "plane_api_of_nobody",
        ORCH_PLANE_API_URL: "http://127.0.0.1:9"
      }
    }))

onProgram((it) =>
  describe("better-sqlite3 on a Node that it does not fit", () => {
    it.scoped("Node 24.19 with an older driver: a warning with the command, and the event is stored", () =>
      Effect.gen(function*() {
        const { code, err, out } = yield* tried("24.19.0", "12.11.1", "publish", "completed", "ET-2")
        assert.strictEqual(code, 0, err)
        assert.include(
          out + err,
          "because of better-sqlite3 12.11.1 on Node 24.19.0: run `npm pkg set overrides.better-sqlite3=^13 && npm install`"
        )
        const doctor = yield* tried("26.0.0", "12.11.1", "doctor")
        assert.match(doctor.out, /! driver: better-sqlite3 12\.11\.1 on Node 26\.0\.0: Node can abort/)
        assert.include(doctor.out, "npm pkg set overrides.better-sqlite3=^13")
      }))

    it.scoped("Node 20 with the newer driver, which would crash it: refused, with what to do", () =>
      Effect.gen(function*() {
        const { code, err } = yield* tried("20.19.6", "13.2.0", "publish", "completed", "ET-2")
        assert.strictEqual(code, 1, err)
        assert.match(err, /would crash this Node.*better-sqlite3 13\.2\.0 on Node 20\.19\.6: take Node 22 or newer/)
        const doctor = yield* tried("20.19.6", "13.2.0", "doctor")
        assert.match(doctor.out, /✘ driver: better-sqlite3 13\.2\.0 on Node 20\.19\.6: it would crash/)
      }))

    it.scoped("pairs that fit: no word of it", () =>
      Effect.gen(function*() {
        for (
          const [node, driver] of [["20.19.6", "12.11.1"], ["24.18.1", "12.11.1"], ["22.0.0", "13.2.0"], [
            "24.19.0",
            "13.2.0"
          ]]
        ) {
          const { code, err, out } = yield* tried(node ?? "", driver ?? "", "publish", "completed", "ET-2")
          assert.strictEqual(code, 0, err)
          assert.notInclude(out + err, "better-sqlite3")
        }
      }))
  })
)
