import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { folder } from "../http/Server.js"
import { commandLine } from "./CommandLine.js"

describe("a command line that is wrong", () => {
  it.scopedLive("is told in one line, asks nothing, and does nothing", () =>
    Effect.gen(function*() {
      const file = `${yield* folder}/plane-sync.sqlite`
      const cli = commandLine({ ORCH_DATABASE_URL: file, ORCH_PORT: "1" })
      const cases: ReadonlyArray<readonly [string, string]> = [
        ["docter", "docter: there is no such command, see plane-sync --help"],
        ["--nope", "--nope: there is no such option, see plane-sync --help"],
        ["--log-level loud doctor", "--log-level loud: expected one of all, trace, debug"],
        ["publish", "publish what? expected publish stage-changed | gate-failed | completed"],
        ["dead", "dead what? expected dead list | show | retry | discard"],
        ["dead --json", "dead what? expected dead list"],
        ["publish nope --help", "publish nope: there is no such command, expected publish stage-changed"],
        // It would have set the states of all work items.
        ["reconcile --force", "--force needs a value, see plane-sync reconcile --help"],
        ["init --project", "--project needs a value, see plane-sync init --help"],
        ["publish gate-failed ET-1 --reason", "--reason needs a value, see plane-sync publish gate-failed --help"],
        // A mode of @effect/cli, which asks even where there is no terminal.
        ["--wizard", "--wizard: there is no such option"],
        ["doctor --wizard", "--wizard: there is no such option"]
      ]
      for (const [line, words] of cases) {
        const { code, err, out } = yield* cli(...line.split(" "))
        assert.deepStrictEqual([code, out], [2, ""], line)
        assert.isTrue(err.startsWith(`plane-sync: ${words}`), `${line}: ${err}`)
        assert.notInclude(err, "\n")
      }
      assert.isFalse(existsSync(file))
      // What stands behind -- is a value, and that of an option may look like one.
      assert.strictEqual((yield* cli("--log-level", "debug", "--help")).code, 0)
      const given = ["publish", "gate-failed", "ET-1", "--stage", "a", "--check", "b", "--reason", "c"]
      assert.strictEqual((yield* cli(...given)).code, 0)
    }))
})
