import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { widthOf } from "../../src/cli/Wrap.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, post, request, served, withPlane } from "../http/Server.js"
import { commandLine } from "./CommandLine.js"

/** A program that serves a file, and the command line beside it. */
const scene = Effect.gen(function*() {
  const plane = yield* PlaneSimulator
  const settings = { ORCH_DATABASE_URL: `${yield* folder}/events.sqlite` }
  const all = { ORCH_PLANE_API_URL: plane.url, ORCH_PLANE_API_TOKEN: plane.token, ...settings }
  const url = yield* served(settings)
  const cli = commandLine({ ...all, ORCH_PORT: new URL(url).port })
  return { plane, settings: all, url, cli }
})

type Scene = Effect.Effect.Success<typeof scene>

const publish = (at: Scene, event: object) =>
  Effect.map(post(at.url, JSON.stringify(event)), ({ status }) => assert.strictEqual(status, 202))

interface Seen {
  readonly plane: { readonly state: string; readonly nextProbeAt?: string }
  readonly outbox: { readonly pending: number }
}

const health = (at: Scene) => Effect.map(request(`${at.url}/health`), ({ body }) => body as Seen)

const until = (at: Scene, is: (seen: Seen) => boolean) => {
  const look: Effect.Effect<Seen> = Effect.zipRight(Effect.sleep("20 millis"), health(at))
  return Effect.timeout(Effect.repeat(look, { until: is }), "20 seconds")
}

const told = (at: Scene) => until(at, ({ outbox }) => outbox.pending === 0)

/** No line is longer than 80 columns, unless by a single word; and no word is broken. */
const isReadable = (text: string, words: ReadonlyArray<string> = []) => {
  for (const line of text.split("\n")) {
    const isOneWord = !line.replace(/^(\S+Z {2}|next: |waits for: |\S+: )?\s*/, "").includes(" ")
    assert.isTrue(widthOf(line) <= 80 || isOneWord, `${widthOf(line)} columns: ${line}`)
  }
  const all = text.split(/\s+/)
  for (const word of words) assert.include(all, word)
}

describe("plane-sync explain", () => {
  it.scopedLive(
    "tells the whole story beside a running serve, as the HTTP interface does",
    () =>
      Effect.gen(function*() {
        const at = yield* scene
        const { key } = yield* at.plane.addWorkItem({ name: "Trail map" })
        yield* publish(at, { type: "stage_changed", workItem: key, from: "created", to: "analysis", agent: "analyst" })
        yield* told(at)
        // The names of states are kept a moment after the first of them is used.
        const { code, err, out } = yield* Effect.repeat(at.cli("explain", key), {
          until: ({ out }) => /In Progress, .*\b0 owed/.test(out.replace(/\n +/g, " ")),
          times: 20
        })
        assert.deepStrictEqual([code, err], [0, ""])
        const lines = out.replace(/\n +/g, " ").split("\n").map((line) =>
          line.replace(/^\S+Z {2}/, "T  ").replace(/\(\d+ ms\)/, "(n ms)")
        )
        assert.match(lines[0] ?? "", new RegExp(`^${key}: in Plane \\S+, in the state In Progress, no task, 0 owed$`))
        assert.deepStrictEqual(lines.slice(1), [
          "T  event 1: stage created → analysis, agent analyst",
          "T  the state In Progress, attempt 1: accepted (n ms)",
          "T  the comment \"🔄 Stage: created → analysis (launching analyst)\", attempt 1: accepted (n ms)",
          "next: nothing, because nothing is owed"
        ])
        isReadable(out, ["analyst"])
        assert.match(out.split("\n")[2] ?? "", /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z {2}/)
        const json = yield* at.cli("explain", key, "--json")
        assert.deepStrictEqual(JSON.parse(json.out), (yield* request(`${at.url}/api/work-items/${key}`)).body)
      }).pipe(withPlane),
    90_000
  )

  it.scopedLive(
    "says that Plane is closed, since when, and when it is asked again; and tells it without a serve",
    () =>
      Effect.gen(function*() {
        const at = yield* scene
        const { key } = yield* at.plane.addWorkItem({ name: "Trail map" })
        yield* until(at, ({ plane }) => plane.state === "open")
        yield* at.plane.misbehave(Fault.Down({}))
        const long = `${"no acceptance criteria, and ".repeat(9)}${"x".repeat(120)} 日本語のテキスト`
        yield* publish(at, { type: "quality_gate_failed", workItem: key, stage: "review", check: "lint", reason: long })
        const closed = yield* until(at, ({ plane }) => plane.state === "closed" && plane.nextProbeAt !== undefined)
        const { out } = yield* at.cli("explain", key)
        const flat = out.replace(/\n +/g, " ")
        assert.match(flat, /waits for: Plane is closed since \S+Z: .*; Plane is asked again at \S+Z/)
        assert.isAbove(Date.parse(closed.plane.nextProbeAt ?? ""), Date.now() - 10_000)
        isReadable(out, ["acceptance", "x".repeat(120)])
        const offline = yield* commandLine({ ...at.settings, ORCH_PORT: "1" })("explain", key)
        assert.strictEqual(offline.code, 0)
      }).pipe(withPlane),
    90_000
  )

  it.scopedLive(
    "of a key that was never heard of ends with 1, and names the known prefixes",
    () =>
      Effect.gen(function*() {
        const at = yield* scene
        const never = yield* at.cli("explain", "ET-99")
        assert.deepStrictEqual(never, {
          code: 1,
          out: "",
          err:
            "plane-sync: Nothing is known of ET-99: no event was published for it, it has no task, and no webhook has " +
            "told of it"
        })
        const other = yield* at.cli("explain", "ZZ-1")
        assert.strictEqual(other.code, 1)
        assert.match(other.err, /No project's keys begin like this: expected ET-…$/)
        const missing = yield* request(`${at.url}/api/work-items/ZZ-1`)
        assert.strictEqual(missing.status, 404)
        assert.deepStrictEqual(missing.body, { error: other.err.replace("plane-sync: ", "") })
        assert.strictEqual((yield* at.cli("explain", "nonsense")).code, 2)
      }).pipe(withPlane),
    90_000
  )
})

describe("plane-sync probe", () => {
  it.scopedLive("has a running serve ask Plane at once, which goes on sending", () =>
    Effect.gen(function*() {
      const at = yield* scene
      const { id, key } = yield* at.plane.addWorkItem({ name: "Trail map" })
      yield* until(at, ({ plane }) => plane.state === "open")
      assert.deepInclude(yield* at.cli("probe"), { code: 0, err: "" })
      yield* at.plane.misbehave(Fault.Status({ match: {}, status: 503 }))
      yield* publish(at, { type: "task_completed", workItem: key })
      yield* until(at, ({ plane }) => plane.nextProbeAt !== undefined)
      const down = yield* at.cli("probe")
      assert.strictEqual(down.code, 1)
      assert.match(down.err, /^plane-sync: \S+/)
      yield* at.plane.calm
      // By now the pauses between the probes may be seconds. This one does not wait for them.
      const up = yield* at.cli("probe")
      assert.match(up.out, /^Plane answers process \d+ on .*, which goes on sending$/)
      assert.strictEqual((yield* health(at)).plane.state, "open")
      yield* told(at)
      assert.lengthOf(yield* at.plane.comments(id), 1)
      const { body, status } = yield* request(`${at.url}/api/probe`, { method: "POST" })
      assert.deepStrictEqual([status, body], [200, [{ project: "ET", state: "open" }]])
    }).pipe(withPlane), 90_000)

  it.scopedLive("without a serve asks Plane itself", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const cli = commandLine({
        ORCH_PLANE_API_URL: plane.url,
        ORCH_PLANE_API_TOKEN: plane.token,
        ORCH_DATABASE_URL: `${yield* folder}/none.sqlite`
      })
      const { code, out } = yield* cli("probe")
      assert.strictEqual(code, 0)
      assert.match(out, /^Plane at http:\S+ answers, and the project ET of the workspace ag_proj may be written to$/)
      yield* plane.revokeToken
      const refused = yield* cli("probe")
      assert.strictEqual(refused.code, 1)
      assert.match(refused.err, /ORCH_PLANE_API_TOKEN/)
      assert.notInclude(refused.err, plane.token)
    }).pipe(withPlane), 90_000)
})
