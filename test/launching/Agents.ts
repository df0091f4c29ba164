import { ConfigProvider, DateTime, Effect, Layer, Logger, Option, Schema } from "effect"
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import type { CommandLine } from "../../src/launching/AgentConfig.js"
import { LaunchDocument } from "../../src/launching/LaunchDocument.js"
import type { Launch } from "../../src/tasks/AgentLauncher.js"
import { TaskId } from "../../src/tasks/Task.js"

/** The project ET, whose Gitea is that of all. */
export const oneProject = projectsLayer.pipe(Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map()))))

/** What somebody who wants to run a command of theirs would call an agent, a stage and a task. */
export const hostile = "'; touch pwned; $(touch pwned) `touch pwned` | \u0000\u001b[31m\n--help"

/** An agent is asked to work on a task. */
export const launchOf = (change: Partial<Launch> = {}): Launch => ({
  entry: "0193-entry",
  agent: "analyst",
  stage: "analysis",
  task: {
    id: TaskId(7),
    workItem: "ET-002",
    project: "ET",
    itemId: Option.none(),
    stage: "analysis",
    status: "active",
    why: Option.none(),
    agent: Option.some("analyst"),
    repository: Option.some({ id: 3, name: "acme/widgets" }),
    pullRequest: Option.some(12),
    headSha: Option.some("aa11"),
    linkedByName: false,
    entry: "0193-entry",
    launch: Option.none(),
    paused: Option.none(),
    startedAt: DateTime.unsafeMake("2026-11-29T08:30:00Z"),
    updatedAt: DateTime.unsafeMake(0),
    verdicts: [{
      gate: "reported",
      stage: "analysis",
      verdict: "failed",
      reason: Option.some(hostile),
      since: DateTime.unsafeMake(0),
      at: DateTime.unsafeMake(0)
    }],
    reports: [],
    decisions: [],
    answers: [{
      stage: "analysis",
      question: "Which one?",
      agent: Option.none(),
      answer: hostile,
      by: "lea@example.org",
      at: DateTime.unsafeMake(0)
    }],
    receipt: { stages: [], pullRequests: [], usage: [] }
  },
  ...change
})

/** A program that is executable by its path. */
export const program = (folder: string, name: string, lines: ReadonlyArray<string>) => {
  const path = join(folder, name)
  writeFileSync(path, [...lines, ""].join("\n"))
  chmodSync(path, 0o755)
  return path
}

const recorder = `#!${process.execPath}
const { readFileSync, renameSync, writeFileSync } = require("node:fs")
const [folder, ...more] = process.argv.slice(2)
const stdin = readFileSync(0, "utf8")
const file = folder + "/" + process.env.PLANE_SYNC_ACTION + "-" + process.pid
const cwd = process.cwd()
writeFileSync(file, JSON.stringify({ args: process.argv.slice(2), env: process.env, stdin, cwd, pid: process.pid }))
renameSync(file, file + ".json")
eval(more.join(" "))`

/** An agent that writes down how it was started, and then runs some JavaScript. */
export const recording = (folder: string, javaScript = ""): CommandLine => [
  program(folder, "agent.cjs", [recorder]),
  folder,
  ...(javaScript === "" ? [] : [javaScript])
]

const Recorded = Schema.parseJson(Schema.Struct({
  args: Schema.Array(Schema.String),
  env: Schema.Record({ key: Schema.String, value: Schema.String }),
  stdin: Schema.parseJson(LaunchDocument),
  cwd: Schema.String,
  pid: Schema.Number
}))

/** How agents were started, as they wrote it down. */
export const recorded = (folder: string) =>
  readdirSync(folder).filter((name) => name.endsWith(".json")).sort().map((name) =>
    Schema.decodeSync(Recorded)(readFileSync(join(folder, name), "utf8"))
  )

/** Waits, by the real clock, until something outside of this process is so. */
export const until = <A>(look: () => A | undefined | false) =>
  Effect.async<A>((resume) => {
    const timer = setInterval(() => {
      const found = look()
      if (found === undefined || found === false) return
      clearInterval(timer)
      resume(Effect.succeed(found))
    }, 10)
    return Effect.sync(() => clearInterval(timer))
  })

/** Waits until so many agents have written down how they were started. */
export const started = (folder: string, count: number) =>
  until(() => {
    const all = recorded(folder)
    return all.length >= count && all
  })

/** Waits until a file is there; what it says. */
export const fileOf = (path: string) => until(() => existsSync(path) && readFileSync(path, "utf8"))

/** Waits until a file has a process id. */
export const pidOf = (path: string) =>
  until(() => {
    const pid = existsSync(path) ? Number(readFileSync(path, "utf8")) : 0
    return pid > 0 && pid
  })

/** Forgets files. */
export const forget = (...paths: ReadonlyArray<string>) => paths.forEach((path) => rmSync(path))

export const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** What is logged, line by line. */
export const logged = () => {
  const lines: Array<{ readonly level: string; readonly text: string }> = []
  return {
    lines,
    layer: Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => {
        lines.push({ level: logLevel.label, text: String(Array.isArray(message) ? message.join(" ") : message) })
      })
    )
  }
}
