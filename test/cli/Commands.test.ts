import * as Command from "@effect/cli/Command"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect } from "effect"
import { comment } from "../../src/cli/Comment.js"
import { exitCode } from "../../src/cli/ExitCode.js"
import { explain } from "../../src/cli/Explain.js"
import { find } from "../../src/cli/Find.js"
import { withWrongUse } from "../../src/cli/Program.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { settings } from "../plane/FakePlane.js"
import { firstClient } from "../support/FirstClient.js"

const main = Command.make("plane-sync").pipe(Command.withSubcommands([find, comment]))

/** Runs the command line; what it printed, and how it ended. */
const run = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const { token } = yield* PlaneSimulator
    const out: Array<string> = []
    const err: Array<string> = []
    const live = yield* Console.consoleWith(Effect.succeed)
    const quiet: Console.Console = {
      ...live,
      log: (...parts) => Effect.sync(() => void out.push(parts.join(" "))),
      error: (...parts) => Effect.sync(() => void err.push(parts.join(" ")))
    }
    const config = settings({ ORCH_PLANE_API_URL: "http://plane.test", ORCH_PLANE_API_TOKEN: token, ...more })
    const result = yield* Command.run(main, { name: "plane-sync", version: "0" })(["node", "plane-sync", ...args]).pipe(
      withWrongUse,
      Effect.provide(firstClient),
      Effect.provide([projectsLayer, RateBudget.layer, NodeContext.layer]),
      Effect.provide(config),
      Effect.tapErrorCause(explain),
      Effect.withConsole(quiet),
      Effect.exit
    )
    return { out: out.join("\n"), err: err.join("\n"), code: exitCode(result) }
  })

const withPlane = Effect.provide(PlaneSimulator.layerMemory())

describe("plane-sync find", () => {
  it.effect("prints what it found", () =>
    Effect.gen(function*() {
      const simulator = yield* PlaneSimulator
      const { id, key, number } = yield* simulator.addWorkItem({ name: "Login \u001b[31m form" })
      const { code, err, out } = yield* run(["find", key.replace("-", "-00")])
      assert.strictEqual(
        out,
        [
          `key      ${key}`,
          `number   ${number}`,
          "name     Login \\u001b[31m form",
          "state    Backlog",
          `id       ${id}`,
          `address  http://plane.test/ag_proj/browse/${key}/`
        ].join("\n")
      )
      assert.deepStrictEqual([code, err], [0, ""])
    }).pipe(withPlane))

  it.effect("ends with 1 and one line when Plane says no", () =>
    Effect.gen(function*() {
      const simulator = yield* PlaneSimulator
      assert.deepStrictEqual(yield* run(["find", "ET-404"]), {
        out: "",
        err: "plane-sync: Plane has no work item ET-404: neither the number nor a name that carries it",
        code: 1
      })
      yield* simulator.revokeToken
      const refused = yield* run(["find", "ET-404"])
      assert.strictEqual(refused.code, 1)
      assert.match(
        refused.err,
        /^plane-sync: Plane does not take the API token: check ORCH_PLANE_API_TOKEN .*Given API token is not valid\)$/
      )
      assert.notInclude(refused.err, simulator.token)
      assert.strictEqual((yield* run(["find", "ET-404"], { ORCH_PLANE_API_TOKEN: "" })).code, 1)
    }).pipe(withPlane))

  it.effect("ends with 2 on wrong use and with 1 on a wrong setting, without asking Plane", () =>
    Effect.gen(function*() {
      const wrong = yield* run(["find", "nonsense"])
      assert.strictEqual(wrong.code, 2)
      assert.include(wrong.err, `"nonsense" is not a work item key`)
      assert.strictEqual((yield* run(["find"])).code, 2)
      const other = yield* run(["find", "ABC-1"])
      assert.strictEqual(other.code, 2)
      assert.include(other.err, `"ET-"`)
      const setting = yield* run(["find", "ET-1"], { ORCH_PLANE_API_URL: "nonsense" })
      assert.strictEqual(setting.code, 1)
      assert.match(setting.err, /^plane-sync: ORCH_PLANE_API_URL: "nonsense" is not a URL/)
      assert.deepStrictEqual(yield* (yield* PlaneSimulator).requests, [])
    }).pipe(withPlane))
})

describe("plane-sync comment", () => {
  it.effect("adds the comment, escaped, with an external id of its own each time", () =>
    Effect.gen(function*() {
      const simulator = yield* PlaneSimulator
      const { id, key } = yield* simulator.addWorkItem({ name: "Login form" })
      const text = "🧪 <b>Test</b> & more\nfrom \"Orchestrator\""
      const first = yield* run(["comment", key, text])
      assert.strictEqual(first.code, 0)
      yield* run(["comment", key, text])
      const comments = yield* simulator.comments(id)
      assert.strictEqual(comments.length, 2)
      assert.strictEqual(
        comments[0]?.html,
        "<p>🧪 &lt;b&gt;Test&lt;/b&gt; &amp; more<br>from &quot;Orchestrator&quot;</p>"
      )
      assert.match(first.out, new RegExp(`commented {4}${key} Login form\\ncomment id {3}${comments[0]?.id ?? "?"}\\n`))
      assert.match(first.out, /external id {2}cli:[0-9a-f-]{36}\n/)
    }).pipe(withPlane))

  it.effect("refuses an empty text", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(["comment", "ET-1", " "])).code, 2)
    }).pipe(withPlane))

  it.effect("says that the outcome is not known when it is not", () =>
    Effect.gen(function*() {
      const simulator = yield* PlaneSimulator
      const { key } = yield* simulator.addWorkItem({ name: "Login form" })
      yield* simulator.misbehave({ _tag: "EmptyOk", match: { kind: "comments" } })
      const { code, err } = yield* run(["comment", key, "x"])
      assert.strictEqual(code, 1)
      assert.include(err, "it is not known whether Plane has added the comment")
    }).pipe(withPlane))
})
