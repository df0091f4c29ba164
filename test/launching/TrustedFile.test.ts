import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, mkdirSync, realpathSync, symlinkSync } from "node:fs"
import type { CommandLine } from "../../src/launching/AgentConfig.js"
import { checkProgram } from "../../src/launching/TrustedFile.js"
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

  it.scopedLive("cannot be replaced by others: by way of its folder, of a link, or of a script that it runs", () =>
    Effect.gen(function*() {
      const home = realpathSync(yield* folder)
      const check = (command: CommandLine) =>
        checkProgram(command).pipe(
          Effect.match({ onFailure: ({ message }) => message, onSuccess: () => "" }),
          Effect.provide(NodeFileSystem.layer)
        )
      mkdirSync(`${home}/a/b`, { recursive: true })
      const path = program(`${home}/a/b`, "run-agent", ["#!/bin/sh"])
      const link = `${home}/linked`
      symlinkSync(path, link)
      for (const right of [path, link]) assert.strictEqual(yield* check([right]), "")
      chmodSync(`${home}/a`, 0o777)
      for (const wrong of [path, link]) {
        assert.strictEqual(
          yield* check([wrong]),
          `ORCH_AGENT_COMMAND: the folder ${home}/a has the mode 0777, so others can put something else in it, and ` +
            `choose what plane-sync runs: expected one that only its owner can write to (chmod go-w ${home}/a)`
        )
      }
      // As /tmp is.
      chmodSync(`${home}/a`, 0o1777)
      assert.strictEqual(yield* check([path]), "")
      chmodSync(path, 0o666)
      assert.include(yield* check([process.execPath, "--no-warnings", path]), `${path} has the mode 0666`)
      assert.strictEqual(yield* check([process.execPath, "--no-warnings", "/dev/null"]), "")
    }))
})
