import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { existsSync } from "node:fs"
import type { HealthReport } from "../../src/health/HealthReport.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/StorageLayers.js"
import { folder, post, request, served, unfit } from "../http/Server.js"
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
      assert.match(
        first.err,
        /^Nobody is sending from \S+\/events.sqlite: the event waits until `plane-sync serve` runs/
      )
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
      yield* cli("publish", "question-asked", "ET-7", "--question", "May it go?", "--agent", "architect")
      assert.include((yield* cli("events", "--work-item", "ET-7")).out, "architect asks: May it go?")
    }))

  it.scopedLive("reports duplicates, and refuses an id with other content", () =>
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
      assert.match(err, /is degraded, so the event may wait:\n {2}ORCH_PLANE_API_TOKEN is not set/)
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))

  it.scopedLive("refuses wrong use with 2", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const wrong = [
        [["publish"], "stage-changed | gate-failed | completed | question-asked"],
        [
          ["publish", "stage_changed", "ET-2"],
          "expected publish stage-changed | gate-failed | completed | question-asked"
        ],
        [["dead"], "list | show | retry | discard"],
        [["dead", "lst"], "expected dead list | show | retry | discard"],
        [["dead", "list", "--code", "nope"], "unfit, wrong_project, ambiguous, not_found"],
        [["dead", "show", "x"], "'x' is not a integer"],
        [["dead", "show", "0"], "0 is not an id"],
        [["notices"], "list | retry | discard"],
        [["notices", "retry"], "either an id or --all"],
        [["notices", "discard", "1", "--all"], "either an id or --all"],
        [["dead", "retry"], "either an id, or at least one of --code"],
        [["dead", "retry", "1", "--code", "gone"], "either an id, or at least one of --code"],
        [["publish", "stage-changed", "ET-2", "--from", "a"], "--to"],
        [["publish", "completed", "nokey"], "is not a work item key"],
        [["publish", "completed", "ET-2", "--at", "yesterday"], "--at: \"yesterday\" is not an instant"],
        [
          ["publish", "completed", "ET-2", "--at", "2026-02-31T00:00:00Z"],
          "--at: \"2026-02-31T00:00:00Z\" is not an instant"
        ],
        [["publish", "completed", "ET-2", "--id", "a b"], "--id: "],
        [["publish", "completed", "ET-2", "--nope"], "--nope"],
        [["frobnicate"], "frobnicate: there is no such command"],
        [["events", "--limit", "0"], "1 to 1000"],
        [["events", "--status", "lost"], "pending"]
      ] as const
      // The dead letters of a file that is not there are not looked for.
      yield* cli("publish", "completed", "ET-1", "--id", "e1")
      for (const [args, words] of wrong) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 2, args.join(" "))
        assert.include(err, words)
      }
      assert.lengthOf((yield* cli("events")).out.split("\n"), 1)
    }))
})

describe("plane-sync serve", () => {
  it.effect("says all that is wrong at once, the settings of its logs too", () =>
    Effect.gen(function*() {
      const cli = commandLine({
        ORCH_LOG_LEVEL: "loud",
        ORCH_LOG_FORMAT: "xml",
        ORCH_PORT: "http",
        ORCH_RETENTION: "x"
      })
      for (const args of [[], ["serve"]]) {
        const { code, err } = yield* cli(...args)
        assert.strictEqual(code, 1)
        const names = err.split("\n").map((line) => /^plane-sync: (\w+): /.exec(line)?.[1])
        assert.sameMembers(names, ["ORCH_LOG_LEVEL", "ORCH_LOG_FORMAT", "ORCH_PORT", "ORCH_RETENTION"])
      }
      assert.match((yield* cli("events")).err, /^plane-sync: ORCH_LOG_LEVEL: "loud" is not right/)
    }))
})

// A Plane that refuses every comment as if it were our fault, and a key that is none of this project's.
const refusing = (folder: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const { key } = yield* plane.addWorkItem({ name: "Trail map" })
    yield* plane.misbehave(Fault.Status({ match: { method: "POST" }, status: 400 }))
    const database = `${folder}/events.sqlite`
    const url = yield* served({ ORCH_DATABASE_URL: database, ORCH_PLANE_QUIET: "100 millis" })
    for (const workItem of [key, "XX-1"]) {
      const gate = { type: "quality_gate_failed", stage: "review", check: "lint", reason: "one" }
      yield* post(url, JSON.stringify({ ...gate, workItem, occurredAt: "2026-11-20T08:30:00Z" }))
    }
    const cli = commandLine({ ORCH_DATABASE_URL: database, ORCH_PORT: new URL(url).port })
    const health = Effect.map(request(`${url}/health`), ({ body }) => body as HealthReport)
    yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), health), {
      until: ({ outbox }) => outbox.dead === 2 && outbox.pending === 0
    })
    return { cli, database, health, key, plane, url }
  })

describe("plane-sync dead", () => {
  it.live("lists, shows, retries beside a serve, and discards", () =>
    Effect.gen(function*() {
      const { cli, health, key, plane } = yield* refusing(yield* folder)
      const lines = (yield* cli("dead", "list")).out.split("\n")
      assert.strictEqual(lines.length, 3)
      const [id = ""] = lines.map((line) => /^(\d+) .* refused /.exec(line)?.[1]).filter((id) => id !== undefined)
      assert.match(lines[0] ?? "", /^id +dead since +work item +kind +code +attempts +reason$/)
      const { out: json } = yield* cli("dead", "list", "--json", "--code", "refused")
      assert.containSubset(JSON.parse(json), {
        id: Number(id),
        kind: "comment",
        code: "refused",
        workItem: key,
        answer: 400,
        attempts: 2,
        occurredAt: "2026-11-20T08:30:00.000Z"
      })
      const shown = yield* cli("dead", "show", id)
      for (const words of [/^code +refused$/m, /^answer +400$/m, /^occurred +2026-11-20T08:30:00Z$/m, /^body +<p>/m]) {
        assert.match(shown.out, words)
      }

      yield* plane.calm
      assert.deepStrictEqual(yield* cli("dead", "retry", id), { code: 0, out: "retried 1", err: "" })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), health), {
        until: ({ outbox }) => outbox.dead === 1 && outbox.pending === 0
      })
      assert.deepStrictEqual(yield* cli("dead", "retry", id), {
        code: 1,
        out: "",
        err: `plane-sync: ${id} is not the id of a dead letter`
      })
      assert.strictEqual((yield* cli("dead", "show", id)).code, 1)
      assert.strictEqual((yield* cli("dead", "discard", id)).code, 1)

      assert.strictEqual((yield* cli("dead", "discard", "--code", "wrong_project")).out, "discarded 1")
      assert.strictEqual((yield* cli("dead", "retry", "--code", "wrong_project")).out, "retried 0")
      const empty = yield* cli("dead", "list")
      assert.deepStrictEqual([empty.code, empty.out], [0, ""])
      assert.include(empty.err, "No such dead letters in ")
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))

  it.live("says when nobody is sending, and what can never be told", () =>
    Effect.gen(function*() {
      const { cli, database } = yield* Effect.scoped(refusing(yield* folder))
      const retried = yield* cli("dead", "retry", "--code", "refused")
      assert.deepStrictEqual([retried.code, retried.out], [0, "retried 1"])
      assert.match(retried.err, /^Nobody is sending from \S+: what was retried waits until/)
      yield* Effect.provide(
        Effect.flatMap(Outbox, (outbox) => outbox.publish(unfit)),
        Layer.provide(Outbox.layer, Storage.layerFile(database))
      )
      const [, id = ""] = /^(\d+) .* unfit /m.exec((yield* cli("dead", "list")).out) ?? []
      for (const which of [["--code", "unfit"], [id]]) {
        const { code, err, out } = yield* cli("dead", "retry", ...which)
        assert.deepStrictEqual([code, out], [1, ""])
        assert.include(err, "cannot be retried, only discarded: no key")
      }
      assert.strictEqual((yield* cli("dead", "discard", id)).out, "discarded 1")
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())))
})

describe("plane-sync", () => {
  it.scopedLive("has help with examples and exit codes", () =>
    Effect.gen(function*() {
      const cli = yield* alone
      const { code, out } = yield* cli("--help")
      assert.strictEqual(code, 0)
      for (const words of ["publish", "events", "dead", "find", "comment", "EXAMPLES", "EXIT CODES", ".env"]) {
        assert.include(out, words)
      }
      assert.notInclude(out, "--wizard")
      const { out: publish } = yield* cli("publish", "--help")
      assert.match(publish, /^ {2}gate-failed +A quality gate has failed: adds a comment$/m)
      const examples = [
        [["publish", "stage-changed"], "--agent architect"],
        [["dead", "retry"], "$ plane-sync dead retry --code not_found"],
        [["find"], "$ plane-sync find ET-002"],
        [["comment"], "$ plane-sync comment ET-002"]
      ] as const
      for (const [command, words] of examples) assert.include((yield* cli(...command, "--help")).out, words)
    }))

  it.scopedLive("a command that only reads makes no database", () =>
    Effect.gen(function*() {
      const mistyped = `${yield* folder}/mistyped`
      const file = `${mistyped}/plane-sync.sqlite`
      for (const command of [["events"], ["dead", "list"], ["task", "list"], ["task", "show", "ET-1"]]) {
        const { code, err } = yield* commandLine({ ORCH_DATABASE_URL: file })(...command)
        assert.strictEqual(code, 1)
        assert.strictEqual(
          err,
          `plane-sync: there is no database ${file}: plane-sync serve makes it, or check ORCH_DATABASE_URL`
        )
      }
      assert.isFalse(existsSync(mistyped))
    }))

  it.scopedLive("says in a line that the database cannot be used", () =>
    Effect.gen(function*() {
      // Node's own way to make folders never ends in the second.
      for (const file of ["/dev/null/x.sqlite", "/proc/x/y/z.sqlite"]) {
        const { code, err } = yield* commandLine({ ORCH_DATABASE_URL: file })("publish", "completed", "ET-1")
        assert.strictEqual(code, 1)
        assert.match(err, /^plane-sync: Storage \S+: it cannot be opened[^\n]+$/)
        assert.include(err, file)
      }
    }))
})
