import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { copyFileSync, rmSync, statSync } from "node:fs"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, post, request } from "../http/Server.js"
import { freePort, listening, run, start } from "./Child.js"
import { onProgram } from "./OnProgram.js"

/** Another process on the file: it writes the row of a leader that was seen so long ago. */
const leaderSeen = (file: string, secondsAgo: number) =>
  Effect.sync(() =>
    execFileSync(process.execPath, [
      "-e",
      `new (require("better-sqlite3"))(${JSON.stringify(file)}).prepare(
        "INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at) VALUES (1, 'x', 1, ?, 1, ?)"
      ).run("an-old-container", Date.now() - ${secondsAgo * 1000})`
    ])
  )

onProgram((it) => {
  describe("row 75: a container that was killed and comes back under a new host name", () => {
    it.scoped(
      "listens at once, takes events and hooks, says that it waits, and sends when the lease is over",
      () =>
        Effect.gen(function*() {
          const plane = yield* PlaneSimulator
          const { id, key } = yield* plane.addWorkItem({ name: "a" })
          const cwd = yield* folder
          const settings = {
            ORCH_PORT: String(yield* freePort),
            ORCH_PLANE_API_URL: plane.url,
            ORCH_PLANE_API_TOKEN: plane.token,
            ORCH_WEBHOOKS_INSECURE: "true"
          }
          const url = `http://127.0.0.1:${settings.ORCH_PORT}`
          const file = `${cwd}/data/plane-sync.sqlite`
          const published = yield* run(["publish", "completed", key], { cwd, settings })
          assert.strictEqual(published.code, 0, published.err)
          yield* leaderSeen(file, 0)

          yield* listening(yield* start(["serve"], { cwd, settings }))
          const event = JSON.stringify({
            type: "quality_gate_failed",
            workItem: key,
            stage: "a",
            check: "b",
            reason: "c"
          })
          assert.strictEqual((yield* post(url, event)).status, 202)
          const hook = yield* Effect.promise(() =>
            fetch(`${url}/webhooks/gitea`, {
              method: "POST",
              headers: { "content-type": "application/json", "x-gitea-event": "pull_request" },
              body: "{}"
            })
          )
          assert.strictEqual(hook.status, 202)
          const { body } = yield* request(`${url}/health`)
          assert.match(JSON.stringify(body), /process 1 on an-old-container sends from this file: this one takes in/)
          assert.deepStrictEqual(yield* plane.comments(id), [])

          yield* leaderSeen(file, 100)
          yield* Effect.repeat(Effect.zipLeft(plane.comments(id), Effect.sleep("50 millis")), {
            until: ({ length }) => length > 0
          })
        }).pipe(Effect.provide(PlaneSimulator.layer())),
      180_000
    )
  })

  describe("row 74: the database", () => {
    it.scoped(
      "is backed up beside a serve; copied over it, it stops everything; restored by the book, it is back",
      () =>
        Effect.gen(function*() {
          const cwd = yield* folder
          const settings = { ORCH_PORT: String(yield* freePort), ORCH_WEBHOOKS_INSECURE: "true" }
          const url = `http://127.0.0.1:${settings.ORCH_PORT}`
          const file = `${cwd}/data/plane-sync.sqlite`
          const copy = `${cwd}/copy.sqlite`
          const cli = (...args: ReadonlyArray<string>) => run(args, { cwd, settings })
          const event = (id: string) => post(url, JSON.stringify({ type: "task_completed", workItem: "ET-1", id }))
          const hook = Effect.promise(() =>
            fetch(`${url}/webhooks/plane`, {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: "{}"
            })
              .then(({ status }) => status, () => "cut")
          )
          const serve = yield* start(["serve"], { cwd, settings })
          yield* listening(serve)
          assert.strictEqual((yield* event("before")).status, 202)
          const made = yield* cli("backup", copy)
          assert.deepStrictEqual([made.code, made.out], [0, `${copy}\n`], made.err)
          assert.strictEqual(statSync(copy).mode & 0o777, 0o600)
          const again = yield* cli("backup", copy)
          assert.deepStrictEqual([again.code, again.out], [2, ""])
          assert.match(again.err, /copy\.sqlite exists, and a backup overwrites nothing: name a new file/)
          assert.strictEqual((yield* event("after")).status, 202)
          assert.strictEqual(yield* hook, 202)

          copyFileSync(copy, file)
          assert.strictEqual((yield* event("lost")).status, 503)
          assert.strictEqual(yield* hook, "cut")
          assert.match(
            JSON.stringify((yield* request(`${url}/health`)).body),
            /"degraded".*another program has written into the file while it was open: stop plane-sync, .* restore a backup/
          )

          yield* serve.signal("SIGTERM")
          yield* serve.ended
          for (const part of ["", "-wal", "-shm"]) rmSync(`${file}${part}`, { force: true })
          copyFileSync(copy, file)
          yield* listening(yield* start(["serve"], { cwd, settings }))
          assert.strictEqual((yield* event("restored")).status, 202)
          const { out } = yield* cli("events", "--json")
          const ids = out.trim().split("\n").map((line) => /"id":"([^"]+)"/.exec(line)?.[1])
          assert.deepStrictEqual(ids, ["restored", "before"])
        }),
      180_000
    )
  })
})
