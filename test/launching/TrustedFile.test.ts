import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, mkdirSync } from "node:fs"
import { commandLine } from "../cli/CommandLine.js"
import { folder } from "../http/Server.js"
import { program } from "./Agents.js"

/** What `serve` says of a command before it serves; it must not come any further in these tests. */
const serving = (command: string) => commandLine({ ORCH_AGENT_COMMAND: command, ORCH_PLANE_API_TOKEN: "" })("serve")

describe("the program that starts agents", () => {
  it.scopedLive("is there and can be executed, or serve does not start and names it", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const missing = yield* serving(`${home}/run-agent --fast`)
      assert.deepStrictEqual([missing.code, missing.out], [1, ""])
      assert.strictEqual(
        missing.err,
        `plane-sync: ORCH_AGENT_COMMAND: there is no ${JSON.stringify(`${home}/run-agent`)}: expected a program`
      )
      assert.include((yield* serving("plane-sync-nowhere")).err, "there is no \"plane-sync-nowhere\" in PATH")
      const path = program(home, "run-agent", ["#!/bin/sh"])
      chmodSync(path, 0o644)
      assert.include(
        (yield* serving(path)).err,
        `ORCH_AGENT_COMMAND: ${path} cannot be executed: expected a program (chmod +x ${path})`
      )
      mkdirSync(`${home}/folder`)
      assert.include((yield* serving(`${home}/folder`)).err, `${home}/folder is no file: expected a program`)
      chmodSync(path, 0o755)
      for (const right of [path, "true"]) assert.include((yield* serving(right)).err, "serves nobody")
    }))

  it.scopedLive("cannot be written by others, or serve does not start and names it with its mode", () =>
    Effect.gen(function*() {
      const path = program(yield* folder, "run-agent", ["#!/bin/sh"])
      for (const [mode, words] of [[0o757, "0757"], [0o775, "0775"], [0o777, "0777"]] as const) {
        chmodSync(path, mode)
        const { code, err } = yield* serving(path)
        assert.strictEqual(code, 1)
        assert.include(err, `ORCH_AGENT_COMMAND: ${path} has the mode ${words}, so others can write to it`)
        assert.include(err, `chmod go-w ${path}`)
      }
    }))
})
