import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { request, served, withPlane } from "../http/Server.js"

const folder = fileURLToPath(new URL("../../examples/python", import.meta.url))
const isThere = spawnSync("python3", ["--version"]).status === 0
if (!isThere) console.warn("SKIPPED: test/examples/Python.test.ts, because there is no python3")

/** Runs Python code that has the module, to its end. */
const python = (code: string, url: string, token = "") =>
  Effect.async<{ readonly code: number | null; readonly out: string; readonly err: string }>((resume) => {
    const child = spawn("python3", ["-B", "-c", `import plane_sync, time\n${code}`], {
      cwd: folder,
      env: { PATH: process.env["PATH"], PLANE_SYNC_URL: url, ORCH_API_TOKEN: token },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let out = ""
    let err = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => out += text)
    child.stderr.setEncoding("utf8").on("data", (text: string) => err += text)
    child.on("close", (code) => resume(Effect.succeed({ code, out, err })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** A server that answers as `status` says, in their turn, and then as the last. None: it never answers. */
const answering = (...status: ReadonlyArray<number | "never" | { readonly location: string }>) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly bodies: Array<string>; readonly server: Http.Server }>((resume) => {
      const bodies: Array<string> = []
      const server = Http.createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () => {
          bodies.push(body)
          const answer = status[Math.min(bodies.length, status.length) - 1] ?? "never"
          if (answer === "never") return
          if (typeof answer === "number") response.writeHead(answer).end("{}")
          else response.writeHead(302, answer).end()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, bodies, server }))
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const six = `
assert plane_sync.stage_changed("ET-2", "analysis", "architecture", "architect") is None
assert plane_sync.gate_failed("ET-2", "testing", "coverage", "71 % < 80 %") is None
assert plane_sync.question_asked("ET-2", "May it go?", "architect") is None
assert plane_sync.task_completed("ET-2") is None
assert plane_sync.start_task("ET-3") is None
assert plane_sync.report_stage("ET-3", "analysis", False, "no acceptance criteria", {"costUsd": 1.25}) is None
`

describe.skipIf(!isThere)("examples/python/plane_sync.py", () => {
  it.live("tells all to a running serve, which shows it in Plane", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const [item, other] = yield* Effect.forEach([2, 3], (number) => plane.addWorkItem({ name: "a", number }))
      const url = yield* served({ ORCH_API_TOKEN: "s3cret" })
      assert.deepStrictEqual(yield* python(six, url, "s3cret"), { code: 0, out: "", err: "" })
      const told = (id: string) =>
        Effect.map(plane.comments(id), (comments) => comments.map(({ html }) => html).join("\n"))
      yield* Effect.repeat(Effect.delay(told(item?.id ?? ""), "20 millis"), { until: (html) => html.includes("✅") })
      const html = yield* told(item?.id ?? "")
      assert.include(html, "🔄 Stage: analysis → architecture (launching architect)")
      assert.include(html, "⚠️ QG failed at testing: coverage — 71 % &lt; 80 %")
      assert.include(html, "❓ architect asks: May it go?")
      assert.strictEqual((yield* plane.workItem(item?.id ?? "")).state.name, "Done")
      const headers = { authorization: "Bearer s3cret" }
      const { body } = yield* request(`${url}/api/tasks/ET-3`, { headers })
      assert.containSubset(body, {
        stage: "analysis",
        reports: [{ outcome: "failed", reason: "no acceptance criteria" }],
        receipt: { usage: { costUsd: 1.25 } }
      })
      assert.strictEqual((yield* plane.workItem(other?.id ?? "")).key, "ET-3")
    }).pipe(Effect.scoped, withPlane))

  it.scopedLive("repeats what was not taken, as the same event, and not what was refused", () =>
    Effect.gen(function*() {
      const { bodies, url } = yield* answering(503, 202, 400, 202)
      const { code, err } = yield* python(
        `plane_sync.task_completed("ET-2")\nplane_sync.task_completed("ET 3")\nplane_sync.task_completed("ET-4")`,
        url
      )
      assert.strictEqual(code, 0)
      assert.include(err, "plane-sync answered 400")
      const events = bodies.map((body) => JSON.parse(body) as { readonly id: string; readonly workItem: string })
      assert.deepStrictEqual(events.map(({ workItem }) => workItem), ["ET-2", "ET-2", "ET 3", "ET-4"])
      assert.strictEqual(events[0]?.id, events[1]?.id)
      assert.strictEqual(new Set(events.map(({ id }) => id)).size, 3)
    }))

  it.scopedLive("sends its token nowhere else, and repeats what was redirected; the log has no token", () =>
    Effect.gen(function*() {
      const other = yield* answering(200)
      const { bodies, url } = yield* answering({ location: other.url }, 202)
      const moved = yield* python(`plane_sync.task_completed("ET-2")\ntime.sleep(0.6)`, url, "s3cret\n")
      assert.include(moved.err, "plane-sync answered 302")
      assert.deepStrictEqual([bodies.length, other.bodies.length], [2, 0])
      const wrong = yield* python(
        `plane_sync.task_completed("ET-2")\ntime.sleep(0.1)\nplane_sync.os._exit(0)`,
        url,
        "s3\ncr\u2019et"
      )
      assert.include(wrong.err, "plane-sync is asked again")
      assert.notInclude(wrong.err, "s3")
    }))

  it("has 60 lines", () => {
    const lines = readFileSync(join(folder, "plane_sync.py"), "utf8").split("\n").filter((line) => line.trim() !== "")
    assert.isAtMost(lines.length, 60)
  })

  it.scopedLive("blocks nobody and raises nothing, whatever is told, and wherever", () =>
    Effect.gen(function*() {
      const { url } = yield* answering("never")
      const code = `
class Unclear:
    def __bool__(self): raise ValueError("neither")
start = time.monotonic()
${six}
plane_sync.stage_changed(None, object(), float("nan"))
plane_sync.gate_failed(b"\\xff", "\\ud800", [set()], {(1, 2): 3})
plane_sync.report_stage("\\ud800", "analysis", True)
plane_sync.report_stage("ET-2", "analysis", Unclear())
for n in range(1100):
    plane_sync.task_completed("ET-%d" % n)
print(time.monotonic() - start)
`
      // Nobody listens on port 1; the last is no address.
      const ended = yield* Effect.forEach([url, "http://127.0.0.1:1", "nowhere"], (url) => python(code, url), {
        concurrency: "unbounded"
      })
      for (const { code, err, out } of ended) {
        assert.strictEqual(code, 0, err)
        assert.notInclude(err, "Traceback")
        assert.include(err, "Not told to plane-sync")
        assert.isBelow(Number(out), 1.5)
      }
    }))
})
