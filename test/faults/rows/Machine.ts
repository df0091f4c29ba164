import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Effect } from "effect"
import { linkSync, renameSync, rmSync } from "node:fs"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Sql } from "../../../src/storage/Sql.js"
import { Storage } from "../../../src/StorageLayers.js"
import type { Row } from "../Row.js"
import type { Script } from "../Scene.js"
import { comments, met } from "./Fault.js"

const day = 86_400_000

/** Sets the clock while comments wait for the end of their quiet time, and once more while nothing is owed. */
const clockSet = (millis: number): Script => ({ clock, gate, over, plane, received, round, tasks, told }) =>
  Effect.gen(function*() {
    yield* round(1)
    yield* told()
    yield* plane.misbehave(Fault.Status({ status: 502, html: true, when: "after", count: 3, match: comments }))
    yield* round(2)
    yield* received(3, ({ fault }) => fault !== null)
    yield* clock.shift(millis)
    yield* over
    yield* told()
    yield* clock.shift(millis)
    yield* Effect.forEach(tasks, (task) => gate(task))
    yield* Effect.timeoutFail(told(), { duration: "10 seconds", onTimeout: () => "it waits for the clock" }).pipe(
      Effect.orDie
    )
  })

/**
 * Something is done to the file, and undone. Meanwhile another process publishes five events to `path`, and this one
 * publishes one. None of them should be accepted, but each that is must be told.
 */
const fileFault = (options: {
  readonly begin: (database: string) => void
  readonly path: (database: string) => string
  readonly end: (database: string) => void
  readonly says: string
}): Script =>
({ check, database, elsewhere, gate, over, round, seen, tasks: [task], told }) =>
  Effect.gen(function*() {
    const publish = yield* elsewhere
    yield* round(1)
    const before = yield* publish(task, database)
    yield* check((yield* seen).notStored === 0, `another process could not publish before: ${before}`)
    yield* told()
    yield* Effect.sync(() => options.begin(database))
    for (let i = 0; i < 5; i++) {
      const words = yield* publish(task, options.path(database))
      yield* check(words.includes(options.says), `the other process does not say what is wrong, but: ${words}`)
    }
    yield* gate(task)
    yield* check((yield* seen).notStored === 6, "something was accepted meanwhile")
    yield* Effect.sync(() => options.end(database))
    yield* over
    yield* round(2)
  }).pipe(Effect.scoped)

const leaderRow = <A>(database: string, use: (sql: Sql) => Effect.Effect<A, SqlError>) =>
  Effect.flatMap(Storage, ({ sql, writeAlone }) => writeAlone(use(sql))).pipe(
    Effect.provide(Storage.layerFile(database))
  )

/** The row of a process on another host that was seen 82 s ago. */
const leaderElsewhere = (database: string) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) =>
      leaderRow(database, (sql) =>
        Effect.asVoid(sql`INSERT INTO plane_sync_sender (id, holder, pid, host, since, seen_at)
        VALUES (1, 'the former', 1, 'a-container', ${now}, ${now - 82_000})`))
  )

const leaseOverAt = (database: string) =>
  leaderRow(database, (sql) =>
    Effect.map(
      sql<{ at: number }>`SELECT seen_at + 90000 AS at FROM plane_sync_sender WHERE host = 'a-container'`,
      ([row]) => row?.at ?? 0
    ))

/** Faults of the machine that the pipeline runs on. */
export const machine: ReadonlyArray<Row> = [
  {
    name: "clock-forward",
    shows: "the clock is set forward by a day, twice",
    script: clockSet(day),
    met: met("Status", "applied")
  },
  {
    name: "clock-back",
    shows: "the clock is set back by a day, twice: nothing waits for it, and a person's cancel is seen",
    ci: true,
    deadlineSeconds: 90,
    script: (scene) =>
      Effect.gen(function*() {
        yield* clockSet(-day)(scene)
        const [task] = scene.tasks
        // What was read before is relied on for this long, however the clock is set. It is not scaled.
        yield* Effect.sleep("31 seconds")
        yield* scene.plane.moveWorkItem(task.id ?? "", "Cancelled")
        yield* scene.stage(task, "review")
        task.state = "Cancelled"
      }),
    met: met("Status", "applied")
  },
  {
    name: "storage-full",
    shows: "the disk is full, and has room again after a second",
    ci: true,
    smallDisk: true,
    script: ({ check, disk, gate, over, round, seen, tasks: [task], told }) =>
      Effect.gen(function*() {
        yield* round(1)
        yield* told()
        yield* disk.fill
        // The file still has room for some events, and stores them.
        yield* Effect.iterate(0, {
          while: (notStored) => notStored < 10,
          body: () => Effect.zipRight(gate(task), Effect.map(seen, ({ notStored }) => notStored))
        })
        yield* Effect.sleep("1 seconds")
        yield* disk.free
        yield* over
        const before = (yield* seen).notStored
        yield* round(2)
        yield* check((yield* seen).notStored === before, "publish did not recover by itself")
      }),
    met: ({ notStored }) => notStored
  },
  {
    name: "storage-full-said",
    shows:
      "the disk is full for 6 s, and has room for small writes: its recovery is said once, when there is room again",
    smallDisk: true,
    script: ({ check, disk, gate, over, round, said, tasks: [task], told }) =>
      Effect.gen(function*() {
        const works = said("Storage works again")
        yield* round(1)
        yield* told()
        yield* disk.fill
        for (let tries = 0; tries < 60; tries++) {
          yield* gate(task)
          yield* Effect.sleep("100 millis")
        }
        yield* check((yield* works) === 0, "it was said to work again while it was full")
        yield* disk.free
        yield* over
        yield* round(2)
        yield* Effect.sleep("6 seconds")
        yield* check((yield* works) === 1, `that it works again was said ${yield* works} times`)
        const warnings = yield* said("not stored: the log has each")
        yield* check(warnings >= 1 && warnings <= 2, `${warnings} warnings of events that were not stored`)
      }),
    met: ({ notStored }) => notStored
  },
  {
    name: "file-linked",
    shows: "the file has a second name for a while, by which another process publishes: refused by both",
    script: fileFault({
      begin: (database) => linkSync(database, `${database}.linked`),
      path: (database) => `${database}.linked`,
      // Its log and index are removed with it, if somebody made them.
      end: (database) => ["", "-wal", "-shm"].forEach((part) => rmSync(`${database}.linked${part}`, { force: true })),
      says: "remove the other name"
    }),
    met: ({ notStored }) => notStored
  },
  {
    name: "index-removed",
    shows: "the file's index (-shm) is away for a while, and another process makes its own: refused by both",
    ci: true,
    script: fileFault({
      begin: (database) => renameSync(`${database}-shm`, `${database}.away`),
      path: (database) => database,
      end: (database) => renameSync(`${database}.away`, `${database}-shm`),
      says: "still has an index (-shm) open that was removed"
    }),
    met: ({ notStored }) => notStored
  },
  {
    name: "new-host-name",
    shows:
      "a container was killed and is back under a new host name: it takes events at once, and sends when the former " +
      "one's lease is over, here in 8 s",
    ci: true,
    prepare: leaderElsewhere,
    script: ({ check, database, over, plane, round }) =>
      Effect.gen(function*() {
        const leaseOver = yield* Effect.orDie(leaseOverAt(database))
        yield* round(1)
        const publishedAt = yield* Clock.currentTimeMillis
        yield* check(publishedAt < leaseOver, "the lease was over before anything was published")
        yield* Effect.sleep(Math.max(0, leaseOver - publishedAt))
        yield* over
        yield* round(2)
        const writes = (yield* plane.requests).filter(({ kind }) => kind === "comments")
        yield* check(writes.every(({ at }) => at >= leaseOver), "a standby has sent")
      }),
    met: ({ accepted }) => accepted
  },
  {
    name: "5000-while-away",
    shows: "5,000 events of 50 work items are published while Plane is away",
    deadlineSeconds: 180,
    script: ({ gate, over, plane, received, stage, task }) =>
      Effect.gen(function*() {
        const tasks = yield* Effect.forEach(Array.from({ length: 50 }), (_, index) => task(`Task ${index + 1}`))
        const names = ["analysis", "architecture", "development", "review", "testing", "deploy"]
        yield* plane.misbehave(Fault.Down({}))
        yield* Effect.forEach(tasks, (each) =>
          Effect.forEach(Array.from({ length: 100 }), (_, index) =>
            index % 20 === 19
              ? gate(each)
              : stage(each, index === 98 ? "done" : names[index % names.length] ?? "done"), {
            discard: true
          }), { concurrency: "unbounded", discard: true })
        yield* received(3, ({ fault }) => fault === "Down")
        yield* plane.calm
        yield* over
      }),
    met: met("Down")
  }
]
