import { assert, describe, it, vi } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { existsSync, realpathSync } from "node:fs"
import { commandLayer } from "../../src/launching/AgentCommand.js"
import type { CommandLine } from "../../src/launching/AgentConfig.js"
import { outputLimit } from "../../src/launching/OutputLines.js"
import { AgentLauncher } from "../../src/tasks/AgentLauncher.js"
import { folder } from "../http/Server.js"
import { faster } from "../support/MovableClock.js"
import {
  fileOf,
  forget,
  hostile,
  isAlive,
  launchOf,
  logged,
  oneProject,
  pidOf,
  program,
  recorded,
  recording,
  started,
  until
} from "./Agents.js"

/** The launcher of a command, and what it logs. */
const launcher = (command: CommandLine) =>
  Effect.gen(function*() {
    const log = logged()
    const context = yield* Layer.build(Layer.provide(commandLayer(command), oneProject))
    const { launch, stop } = Context.get(context, AgentLauncher)
    const within = Effect.provide(Layer.merge(log.layer, Logger.minimumLogLevel(LogLevel.Debug)))
    return {
      launch: (change?: Parameters<typeof launchOf>[0]) => within(launch(launchOf(change))),
      stop: (change?: Parameters<typeof launchOf>[0]) => within(stop(launchOf(change))),
      log: log.lines,
      said: (text: string) => until(() => log.lines.some((line) => line.text.includes(text)))
    }
  })

const leftRunning = "setInterval(() => {}, 1000)"

describe("an agent that is launched by a command", () => {
  it.scopedLive("gets its arguments as they are set, the launch as JSON and as variables, and none of our secrets", () =>
    Effect.gen(function*() {
      process.env["ORCH_PLANE_API_TOKEN"] = "s3cret"
      process.env["LEAKED"] = "s3cret"
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          delete process.env["ORCH_PLANE_API_TOKEN"]
          delete process.env["LEAKED"]
        })
      )
      const home = yield* folder
      const command = recording(home, "// $(touch pwned); \"two words\"")
      const { launch } = yield* launcher(command)
      yield* launch()
      const [first] = yield* started(home, 1)
      assert.deepStrictEqual(first?.args, command.slice(1))
      assert.strictEqual(first?.cwd, realpathSync(process.cwd()))
      assert.deepStrictEqual(first?.stdin, {
        action: "launch",
        transition: "0193-entry",
        workItem: "ET-002",
        stage: "analysis",
        agent: "analyst",
        task: {
          id: 7,
          planeId: null,
          status: "active",
          why: null,
          repository: { id: 3, name: "acme/widgets", gitea: null },
          pullRequest: 12,
          headSha: "aa11",
          startedAt: "2026-11-29T08:30:00.000Z",
          verdicts: [{ gate: "reported", stage: "analysis", verdict: "failed", reason: hostile }],
          reports: [],
          answers: [{ stage: "analysis", question: "Which one?", answer: hostile, by: "lea@example.org" }]
        }
      })
      const ours = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"].filter((name) => name in process.env)
      const { env = {} } = first ?? {}
      assert.sameMembers(Object.keys(env), [
        ...ours,
        ...["ACTION", "AGENT", "PROJECT", "STAGE", "TRANSITION", "WORK_ITEM"].map((name) => `PLANE_SYNC_${name}`)
      ])
      assert.containSubset(env, {
        PATH: process.env["PATH"],
        PLANE_SYNC_ACTION: "launch",
        PLANE_SYNC_TRANSITION: "0193-entry",
        PLANE_SYNC_WORK_ITEM: "ET-002",
        PLANE_SYNC_STAGE: "analysis",
        PLANE_SYNC_AGENT: "analyst",
        PLANE_SYNC_PROJECT: "ET"
      })
      assert.notInclude(JSON.stringify(first), "s3cret")
    }))

  it.scopedLive("whatever a stage, an agent and a reason are called: none is an argument, and none is run", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const command = recording(home)
      const { launch, log, said } = yield* launcher(command)
      yield* launch({ agent: hostile, stage: hostile })
      const [first] = yield* started(home, 1)
      assert.deepStrictEqual(first?.args, command.slice(1))
      assert.strictEqual(first?.stdin.agent, hostile)
      assert.strictEqual(first?.stdin.stage, hostile)
      for (const name of ["PLANE_SYNC_AGENT", "PLANE_SYNC_STAGE"]) {
        assert.strictEqual(first?.env[name], "'; touch pwned; $(touch pwned) `touch pwned` | [31m --help")
      }
      yield* said("has ended")
      assert.isFalse(existsSync(`${home}/pwned`) || existsSync("pwned"))

      assert.isFalse(log.some(({ text }) => /[\u0000-\u001f]/.test(text)))
    }))

  it.scopedLive("is not started twice for one entry while it runs, and once more after it has ended", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const { launch, said } = yield* launcher(
        recording(home, "process.on('SIGUSR2', () => process.exit()); " + leftRunning)
      )
      yield* launch()
      const [first] = yield* started(home, 1)
      yield* launch()
      yield* launch({ entry: "0193-other" })
      const both = yield* started(home, 2)
      assert.sameMembers(both.map(({ env }) => env["PLANE_SYNC_TRANSITION"]), ["0193-entry", "0193-other"])
      for (const { pid } of both) process.kill(pid, "SIGUSR2")
      yield* said("has ended")
      yield* until(() => !both.some(({ pid }) => isAlive(pid)))
      yield* launch()
      const all = yield* started(home, 3)
      assert.deepStrictEqual(all.filter(({ env }) => env["PLANE_SYNC_TRANSITION"] === "0193-entry").length, 2)
      for (const { pid } of all) if (pid !== first?.pid && isAlive(pid)) process.kill(pid, "SIGKILL")
    }))

  it.scopedLive("has what it prints in the log: line by line, cleaned, and 64 KiB of it", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const script = [
        "const { writeSync } = require('node:fs')",
        "writeSync(1, 'reads \\u001b[31mred\\u001b[0m \\u0007\\u202e\\nsecond line\\r\\n\\n')",
        "writeSync(2, 'a complaint\\n')",
        "writeSync(1, 'x'.repeat(5000) + '\\n')",
        "for (let i = 0; i < 3000; i++) writeSync(1, ('line ' + i).padEnd(99, '.') + '\\n')",
        "writeSync(1, 'the end')",
        "process.exitCode = 3"
      ].join("; ")
      const { launch, log, said } = yield* launcher(recording(home, script))
      yield* launch()
      yield* said("ended with")
      const infos = log.filter(({ level }) => level === "INFO").map(({ text }) => text)
      assert.deepStrictEqual(infos.slice(0, 3), [
        "analyst for ET-002 at analysis: reads red \\u0007\\u202e",
        "analyst for ET-002 at analysis: second line",
        "analyst for ET-002 at analysis: a complaint"
      ])
      assert.isTrue(infos.every((line) => line.length < 1_100))
      assert.isAtMost(infos.join("").length, outputLimit * 1.5)
      assert.match(infos.at(-1) ?? "", /… and 2\d{5} more bytes, not logged$/)
      assert.deepInclude(log.at(-1), {
        level: "WARN",
        text: "analyst for ET-002 at analysis ended with exit code 3 (launch)"
      })
    }))

  it.scopedLive("says what it prints without an end, and has its file emptied when it never ends", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const script =
        "const { fstatSync, writeFileSync, writeSync } = require('node:fs'); let n = 0; setInterval(() => { " +
        "writeSync(1, 'y'.repeat(300000) + '\\n'); n += 1; const { size } = fstatSync(1); " +
        "if (size < n * 300000 - 1e6) { writeFileSync(process.argv[2] + '/emptied', String(size)); process.exit() } }, 20)"
      const { launch } = yield* launcher(recording(home, script))
      yield* launch()
      assert.isBelow(Number(yield* fileOf(`${home}/emptied`)), 10_000_000)
    }))

  it.scopedLive("is not launched when its program is not there: the call fails, with the program's name", () =>
    Effect.gen(function*() {
      const { launch } = yield* launcher(["/nowhere/run-agent"])
      const failed = yield* Effect.flip(launch())
      assert.include(String(failed), "/nowhere/run-agent could not be started")
      assert.include(String(failed), "ENOENT")
    }))
})

describe("an agent that is stopped", () => {
  it.scopedLive("gets SIGTERM with all its children, and nobody is started for that", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const script = "require('node:child_process').spawn('sleep', ['1000']).once('spawn', function () { " +
        "require('node:fs').writeFileSync(process.argv[2] + '/child', String(this.pid)) }); " + leftRunning
      const { launch, log, stop } = yield* launcher(recording(home, script))
      yield* launch()
      const [agent] = yield* started(home, 1)
      const child = yield* pidOf(`${home}/child`)
      assert.isTrue(isAlive(child))
      yield* stop()
      assert.isFalse(isAlive(agent?.pid ?? 0))
      yield* until(() => !isAlive(child))
      assert.lengthOf(recorded(home), 1)
      assert.isFalse(log.some(({ level }) => level === "WARN"))
    }))

  it.scopedLive("is killed when it does not end within 10 seconds; so are children that outlive it", () =>
    Effect.gen(function*() {
      const home = yield* folder
      // The shell ends at once, its child does not.
      const path = program(home, "agent.sh", [
        "#!/bin/sh",
        "(trap '' TERM; while :; do sleep 1; done) & echo $! > \"$1/child\"",
        "test \"$PLANE_SYNC_AGENT\" = stubborn && trap '' TERM",
        "echo $$ > \"$1/leader\"; while :; do sleep 1; done"
      ])
      const { launch, stop } = yield* launcher([path, home])
      for (const agent of ["meek", "stubborn"]) {
        yield* launch({ agent, entry: agent })
        const leader = yield* pidOf(`${home}/leader`)
        const child = yield* pidOf(`${home}/child`)
        const [took] = yield* Effect.timed(faster(20)(stop({ agent, entry: agent })))
        assert.isAbove(Duration.toMillis(took), 450, agent)
        yield* until(() => !isAlive(leader) && !isAlive(child))
        forget(`${home}/leader`, `${home}/child`)
      }
    }))

  it.scopedLive("has ended by itself, or was started before a restart: the command is run with the action stop", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const command = recording(home, `process.env.PLANE_SYNC_ACTION === 'launch' && ${leftRunning}`)
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.provide(commandLayer(command), oneProject), scope)
      yield* Context.get(context, AgentLauncher).launch(launchOf())
      const [agent] = yield* started(home, 1)
      yield* Scope.close(scope, Exit.void)
      // The end of this program is not the agent's.
      assert.isTrue(isAlive(agent?.pid ?? 0))

      const { stop } = yield* launcher(command)
      yield* stop()
      const all = yield* started(home, 2)
      const stopping = all.find(({ stdin }) => stdin.action === "stop")
      assert.containSubset(stopping, {
        args: command.slice(1),
        env: { PLANE_SYNC_ACTION: "stop", PLANE_SYNC_TRANSITION: "0193-entry" },
        stdin: { action: "stop", transition: "0193-entry", workItem: "ET-002" }
      })
      // No process is signalled that this program has not started itself.
      assert.isTrue(isAlive(agent?.pid ?? 0))
      process.kill(agent?.pid ?? 0, "SIGKILL")
    }))

  for (
    const [name, takesSignals] of [
      ["leaves others' processes in its group, as a script with sudo", true],
      ["has become another user's, as by sudo", false]
    ] as const
  ) {
    it.scopedLive(`${name}: the command is run with the action stop`, () =>
      Effect.gen(function*() {
        const home = yield* folder
        const { launch, stop } = yield* launcher(
          recording(home, `process.env.PLANE_SYNC_ACTION === 'launch' && ${leftRunning}`)
        )
        yield* launch()
        const [agent] = yield* started(home, 1)
        const kill = vi.spyOn(process, "kill").mockImplementation((_, signal) => {
          if (takesSignals && signal === "SIGTERM") return true
          throw Object.assign(new Error("kill EPERM"), { code: "EPERM" })
        })
        yield* Effect.ensuring(stop(), Effect.sync(() => kill.mockRestore()))
        assert.sameMembers(recorded(home).map(({ stdin }) => stdin.action), ["launch", "stop"])
        process.kill(agent?.pid ?? 0, "SIGKILL")
      }))
  }

  it.scopedLive("by a command that fails: the stop has failed, so it is repeated", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const { stop } = yield* launcher(recording(home, "process.exit(4)"))
      assert.include(String(yield* Effect.flip(stop())), "agent.cjs ended with exit code 4")
      assert.include(String(yield* Effect.flip(stop())), "agent.cjs ended with exit code 4")
      assert.lengthOf(recorded(home), 2)
    }))
})
