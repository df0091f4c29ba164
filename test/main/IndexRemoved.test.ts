import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { rmSync } from "node:fs"
import { folder, post } from "../http/Server.js"
import { freePort, listening, run, start } from "./Child.js"
import { onProgram } from "./OnProgram.js"

const completed = (workItem: string, id: string) => JSON.stringify({ type: "task_completed", workItem, id })

const integrity = (file: string) =>
  execFileSync(process.execPath, [
    "-e",
    `process.stdout.write(new (require("better-sqlite3"))(${JSON.stringify(file)})
      .pragma("integrity_check", { simple: true }))`
  ]).toString()

onProgram((it) =>
  describe.concurrent("the index of the log is removed under a running serve", () => {
    for (const end of ["SIGTERM", "SIGKILL"] as const) {
      it.scoped(
        `no process accepts anything until that serve is restarted, by ${end}, and nothing accepted is lost`,
        () =>
          Effect.gen(function*() {
            const cwd = yield* folder
            const options = { cwd, settings: { ORCH_PORT: String(yield* freePort) } }
            const url = `http://127.0.0.1:${options.settings.ORCH_PORT}`
            const database = `${cwd}/data/plane-sync.sqlite`
            const cli = (...args: ReadonlyArray<string>) => run(args, options)
            const publish = (id: string) => cli("publish", "completed", "ET-1", "--id", id)
            const accepted: Array<string> = []

            const serve = yield* start(["serve"], options)
            yield* listening(serve)
            for (let i = 0; i < 2; i++) {
              const id = `before-${i}`
              assert.strictEqual((yield* publish(id)).code, 0)
              accepted.push(id)
            }
            assert.strictEqual((yield* post(url, completed("ET-1", "posted"))).status, 202)
            accepted.push("posted")
            assert.strictEqual((yield* cli("task", "start", "ET-2")).code, 0)

            rmSync(`${database}-shm`)
            for (let i = 0; i < 2; i++) {
              const { code, err, out } = yield* publish(`after-${i}`)
              assert.deepStrictEqual([code, out], [1, ""])
              assert.match(
                err,
                /^plane-sync: Storage \S+: [^\n]+ \(process \d+ still has an index \(-shm\) open that was removed: restart/
              )
            }
            // What each command says does not depend on how the serve ends.
            const others = end === "SIGKILL" ? [] : [
              ["task", "start", "ET-3"],
              ["task", "report", "ET-2", "passed", "--stage", "analysis"],
              ["dead", "retry", "1"],
              ["dead", "discard", "1"],
              ["serve"]
            ]
            for (const args of others) {
              const { code, err } = yield* run(args, {
                ...options,
                settings: { ORCH_PORT: String(yield* freePort) }
              })
              assert.strictEqual(code, 1, args.join(" "))
              assert.include(err, "restart that process", args.join(" "))
            }
            assert.strictEqual((yield* post(url, completed("ET-1", "posted-after"))).status, 503)

            yield* serve.signal(end)
            yield* serve.ended
            assert.strictEqual(integrity(database), "ok")
            const again = yield* start(["serve"], options)
            yield* listening(again)
            assert.strictEqual((yield* publish("restarted")).code, 0)
            accepted.push("restarted")
            const { out } = yield* cli("events", "--json", "--work-item", "ET-1")
            const ids = out.trim().split("\n").map((line) => /"id":"([^"]+)"/.exec(line)?.[1])
            assert.sameMembers(ids, accepted)
            const { out: tasks } = yield* cli("task", "list")
            assert.include(tasks, "ET-2")
            assert.notInclude(tasks, "ET-3")
          }),
        240_000
      )
    }
  })
)
