import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, served } from "../http/Served.js"
import { commandLine } from "./CommandLine.js"

// Nobody listens on port 1.
const alone = Effect.map(folder, (cwd) => commandLine({ ORCH_DATABASE_URL: `${cwd}/events.sqlite`, ORCH_PORT: "1" }))

describe("plane-sync publish", () => {
  it.scopedLive("commits each kind of event, and says that nobody is sending", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const moved = ["publish", "stage-changed", "ET-2", "--from", "a", "--to", "b", "--agent", "c", "--id", "e1"]
      const first = yield* cli(...moved, "--at", "2026-11-20T08:30:00+01:00")
      assert.deepStrictEqual([first.code, first.out], [0, "e1"])
      assert.match(first.err, /^Nobody is sending from \S+\/events.sqlite: the event is kept/)
      yield* cli("publish", "gate-failed", "ET-2", "--stage", "testing", "--check", "coverage", "--reason", "71 %")
      yield* cli("publish", "completed", "ET-002")
      const { out } = yield* cli("events", "--json", "--work-item", "et-2")
      const events = out.split("\n").map((line): unknown => JSON.parse(line))
      assert.containSubset(events[1], {
        id: "e1",
        event: { type: "stage_changed", workItem: "ET-2", from: "a", to: "b", agent: "c" },
        occurredAt: "2026-11-20T07:30:00.000Z",
        status: "pending"
      })
      assert.containSubset(events[0], {
        event: { type: "quality_gate_failed", stage: "testing", check: "coverage", reason: "71 %" }
      })
      const { out: table } = yield* cli("events")
      assert.match(
        table,
        /^\S+Z {2}ET-002 {2}pending {2}completed\n\S+Z {2}ET-2 {4}pending {2}gate failed at testing: /
      )
    }))

  it.scopedLive("tells duplicates, and refuses an id with other content", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      yield* cli("publish", "completed", "ET-2", "--id", "e1")
      const again = yield* cli("publish", "completed", "ET-2", "--id", "e1")
      assert.strictEqual(again.code, 0)
      assert.include(again.err, "It was published before")
      const other = yield* cli("publish", "completed", "ET-3", "--id", "e1")
      assert.deepStrictEqual([other.code, other.out], [1, ""])
      assert.include(other.err, "the first stands")
    }))

  it.live("says why the serve may not send soon", () =>
    Effect.gen(function*() {
      const database = `${yield* folder}/events.sqlite`
      const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_PLANE_API_TOKEN: "" })
      const cli = commandLine({ ORCH_DATABASE_URL: database, ORCH_PORT: new URL(url).port })
      const { code, err } = yield* cli("publish", "completed", "ET-2")
      assert.strictEqual(code, 0)
      assert.match(err, /is degraded:\n {2}ORCH_PLANE_API_TOKEN is not set/)
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))

  it.scopedLive("refuses wrong use with 2", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const wrong = [
        [["publish"], "stage-changed, gate-failed, completed"],
        [["publish", "nonsense"], "Invalid subcommand"],
        [["publish", "stage-changed", "ET-2", "--from", "a"], "--to"],
        [["publish", "completed", "nokey"], "is not a work item key"],
        [["publish", "completed", "ET-2", "--at", "yesterday"], "--at: \"yesterday\" is not an instant"],
        [["publish", "completed", "ET-2", "--id", "a b"], "--id: "],
        [["publish", "completed", "ET-2", "--nope"], "--nope"],
        [["frobnicate"], "use one of 'serve', 'publish', 'events', 'find', 'comment'"],
        [["events", "--limit", "0"], "1 to 1000"],
        [["events", "--status", "lost"], "pending"]
      ] as const
      for (const [args, words] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, words)
      }
      assert.strictEqual((yield* cli("events")).out, "")
    }))
})

describe("plane-sync", () => {
  it.scopedLive("has help with examples and exit codes", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const { code, out } = yield* cli("--help")
      assert.strictEqual(code, 0)
      for (const words of ["publish", "events", "find", "comment", "EXAMPLES", "EXIT CODES", ".env"]) {
        assert.include(out, words)
      }
      assert.include((yield* cli("publish", "stage-changed", "--help")).out, "--agent architect")
    }))

  it.scopedLive("says in a line that the database cannot be used", () =>
    Effect.gen(function*() {
      const cli = commandLine({ ORCH_DATABASE_URL: "/dev/null/x.sqlite" })
      const { code, err } = yield* cli("events")
      assert.strictEqual(code, 1)
      assert.match(err, /^plane-sync: Storage \/dev\/null\/x.sqlite: [^\n]+$/)
    }))
})
