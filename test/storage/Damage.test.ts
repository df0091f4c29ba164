import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schedule } from "effect"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Integrity } from "../../src/storage/Integrity.js"
import { backUp } from "../../src/storage/sqlite/Backup.js"
import { Storage } from "../../src/StorageLayers.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** A file as a program that has ended leaves it. */
const fileOf = (folder: string) => {
  const file = join(folder, "events.sqlite")
  return Effect.as(Effect.scoped(Layer.build(Storage.layerFile(file))), file)
}

const opening = (file: string) => Effect.flip(Effect.scoped(Layer.build(Storage.layerFile(file))))

/** Writes into a file without SQLite, and keeps its length. */
const overwrite = (file: string, at: number, bytes: Uint8Array) => {
  const content = readFileSync(file)
  content.set(bytes, at)
  writeFileSync(file, content)
}

const middle = (file: string) => Math.floor(statSync(file).size / 2 / 4096) * 4096

const zeroPage = (file: string) => overwrite(file, middle(file), new Uint8Array(4096))
const cutByte = (file: string) => truncateSync(file, statSync(file).size - 1)

/** Runs statements in another process. */
const elsewhere = (file: string, sql: string) =>
  execFileSync(process.execPath, ["-e", `new (require("better-sqlite3"))(${JSON.stringify(file)}).exec(\`${sql}\`)`])

describe("row 74: a file that", () => {
  const atStart: ReadonlyArray<readonly [what: string, damage: (file: string) => void, reason: string, words: RegExp]> =
    [
      [
        "lacks its last byte",
        (file) => {
          // Its last page is none that SQLite reads at the start.
          elsewhere(file, "CREATE TABLE filler AS SELECT zeroblob(20000) AS bytes")
          cutByte(file)
        },
        "Damaged",
        /the file is damaged: stop .* restore a backup.*end is missing/
      ],
      ["lacks its second half", (file) => truncateSync(file, middle(file)), "Damaged", /the file is damaged/],
      ["was cut to nothing", (file) => truncateSync(file, 0), "NotADatabase", /the file is empty/],
      ["has another header", (file) => overwrite(file, 0, randomBytes(100)), "NotADatabase", /is damaged/],
      ["is random bytes", (file) => writeFileSync(file, randomBytes(50_000)), "NotADatabase", /is damaged/],
      [
        "is another program's",
        (file) => {
          rmSync(file)
          elsewhere(file, "CREATE TABLE users (id); CREATE TABLE orders (id)")
        },
        "NotADatabase",
        /tables of another program: users, orders/
      ]
    ]
  for (const [what, damage, reason, words] of atStart) {
    it.scopedLive(`${what} is refused at the start, and not changed`, () =>
      Effect.gen(function*() {
        const file = yield* fileOf(yield* temporary)
        damage(file)
        const left = readFileSync(file)
        // As a killed program leaves it: SQLite deletes the log beside an empty file.
        writeFileSync(`${file}-wal`, "")
        const error = yield* opening(file)
        assert.strictEqual(error.reason, reason)
        assert.match(error.message, words)
        assert.isTrue(readFileSync(file).equals(left))
      }))
  }

  it.scopedLive("has a page of zeros is found while it is used, and nothing is accepted any more", () =>
    Effect.gen(function*() {
      const file = yield* fileOf(yield* temporary)
      zeroPage(file)
      yield* Effect.gen(function*() {
        const { doubt } = yield* Integrity
        assert.match((yield* doubt) ?? "", /is being checked for damage/)
        yield* Effect.repeat(doubt, {
          until: (words) => /the file is damaged: stop .* restore a backup/.test(words ?? ""),
          schedule: Schedule.spaced("20 millis")
        })
        const { read, sql, write } = yield* Storage
        assert.strictEqual((yield* Effect.flip(write(sql`UPDATE plane_sync_sender SET pid = pid`))).reason, "Damaged")
        assert.strictEqual((yield* Effect.flip(read(sql`SELECT 1`))).reason, "Damaged")
      }).pipe(
        Effect.provide(Layer.provideMerge(Integrity.layer, Storage.layerFile(file))),
        Effect.timeout("20 seconds")
      )
    }))

  it.scopedLive("is whole is not doubted once it was read", () =>
    Effect.gen(function*() {
      const file = yield* fileOf(yield* temporary)
      yield* Effect.flatMap(Integrity, ({ doubt }) =>
        Effect.repeat(doubt, {
          until: (words) => words === undefined,
          schedule: Schedule.spaced("20 millis")
        })).pipe(
          Effect.provide(Layer.provide(Integrity.layer, Storage.layerFile(file))),
          Effect.timeout("20 seconds")
        )
    }))

  const whileOpen: ReadonlyArray<
    readonly [what: string, damage: (file: string, backup: string) => void, reason: string]
  > = [
    ["a backup is copied over", (file, backup) => copyFileSync(backup, file), "Overwritten"],
    ["loses a page to zeros", zeroPage, "Overwritten"],
    ["loses its last byte", cutByte, "Overwritten"],
    ["is cut to nothing", (file) => truncateSync(file, 0), "Overwritten"],
    ["gets another header", (file) => overwrite(file, 0, randomBytes(100)), "Overwritten"],
    ["loses its log", (file) => rmSync(`${file}-wal`), "Moved"]
  ]
  for (const [what, damage, reason] of whileOpen) {
    it.scopedLive(`${what} while it is open takes nothing more`, () =>
      Effect.gen(function*() {
        const folder = yield* temporary
        const file = yield* fileOf(folder)
        const backup = join(folder, "backup.sqlite")
        assert.isTrue(yield* backUp(file, backup))
        yield* Effect.gen(function*() {
          const { read, sql, write } = yield* Storage
          yield* write(sql`CREATE TABLE note (text TEXT)`)
          const note = write(sql`INSERT INTO note VALUES ('x')`)
          yield* note
          damage(file, backup)
          const error = yield* Effect.flip(note)
          assert.strictEqual(error.reason, reason)
          assert.strictEqual((yield* Effect.flip(read(sql`SELECT 1`))).reason, reason)
        }).pipe(Effect.provide(Storage.layerFile(file)))
      }))
  }

  it.scopedLive("is copied into by checkpoints, ours and others', or gets another mode is used on", () =>
    Effect.gen(function*() {
      const file = yield* fileOf(yield* temporary)
      yield* Effect.gen(function*() {
        const { read, sql, write } = yield* Storage
        yield* write(sql`CREATE TABLE note (text TEXT)`)
        let sizes = 0
        for (let round = 0; round < 6; round++) {
          // 1.2 MB: every fourth has SQLite begin a checkpoint by itself.
          yield* write(sql`INSERT INTO note VALUES (${"x".repeat(1_200_000)})`)
          if (round % 2 === 1) elsewhere(file, "INSERT INTO note VALUES ('y'); PRAGMA wal_checkpoint(TRUNCATE)")
          if (round === 2) chmodSync(file, 0o640)
          sizes += yield* Effect.map(read(sql<{ n: number }>`SELECT count(*) AS n FROM note`), ([row]) => row?.n ?? 0)
        }
        assert.strictEqual(sizes, 1 + 3 + 4 + 6 + 7 + 9)
      }).pipe(Effect.provide(Storage.layerFile(file)))
    }))

  it.scopedLive("was left by a kill, with its log, is opened whole", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const file = yield* fileOf(folder)
      const copy = join(folder, "killed.sqlite")
      yield* Effect.gen(function*() {
        const { sql, write } = yield* Storage
        yield* write(sql`CREATE TABLE note (text TEXT)`)
        yield* write(sql`INSERT INTO note VALUES (${"x".repeat(100_000)})`)
        // The log has pages that the file is too short for.
        copyFileSync(file, copy)
        copyFileSync(`${file}-wal`, `${copy}-wal`)
      }).pipe(Effect.provide(Storage.layerFile(file)))
      const rows = yield* Effect.flatMap(Storage, ({ read, sql }) =>
        read(sql<{ n: number }>`SELECT length(text) AS n FROM note`)).pipe(Effect.provide(Storage.layerFile(copy)))
      assert.deepStrictEqual(rows, [{ n: 100_000 }])
    }))
})

describe("a backup", () => {
  it.scopedLive("overwrites nothing and makes no other file, whatever blanks are around its name", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const file = yield* fileOf(folder)
      const backup = join(folder, "backup.sqlite")
      assert.isTrue(yield* backUp(file, ` ${backup} `))
      const before = readFileSync(backup)
      assert.isFalse(yield* backUp(file, `${backup} `))
      assert.isTrue(before.equals(readFileSync(backup)))
      assert.deepStrictEqual(readdirSync(folder).filter((name) => name.startsWith("backup")), ["backup.sqlite"])
    }))
})

describe("row 74: no backup is made", () => {
  const refused: ReadonlyArray<readonly [string, (file: string) => void, RegExp]> = [
    ["of a file that was emptied", (file) => truncateSync(file, 0), /no database of plane-sync.*\(it has no tables of/],
    ["of another program's", (file) => {
      rmSync(file)
      elsewhere(file, "CREATE TABLE theirs (a)")
    }, /no database of plane-sync.*\(it has no tables of/],
    ["of one with a page of zeros", zeroPage, /the file is damaged/],
    [
      "of one whose list of tables is lost",
      (file) => overwrite(file, 4096, new Uint8Array(4096)),
      /the file is damaged/
    ]
  ]
  for (const [what, damage, words] of refused) {
    it.scopedLive(`${what}, and the file is named`, () =>
      Effect.gen(function*() {
        const folder = yield* temporary
        const file = yield* fileOf(folder)
        damage(file)
        const error = yield* Effect.flip(backUp(file, join(folder, "backup.sqlite")))
        assert.strictEqual(error.where, file)
        assert.match(error.message, words)
        assert.isFalse(readdirSync(folder).includes("backup.sqlite"))
      }))
  }
})

describe("row 73: a database file", () => {
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

  it.scopedLive("that is new, its log, its index and its backup are readable by this user alone", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const file = join(folder, "events.sqlite")
      const backup = join(folder, "backup.sqlite")
      yield* Effect.zipRight(Storage, backUp(file, backup)).pipe(
        Effect.zipRight(Effect.sync(() => {
          const modes = [file, `${file}-wal`, `${file}-shm`, backup].map(modeOf)
          assert.deepStrictEqual(modes, ["600", "600", "600", "600"])
        })),
        Effect.provide(Storage.layerFile(file))
      )
    }))

  for (const [mode, warned] of [[0o644, true], [0o666, true], [0o640, false]] as const) {
    it.scopedLive(`of mode ${mode.toString(8)} is ${warned ? "warned of once" : "not warned of"}, and not changed`, () =>
      Effect.gen(function*() {
        const file = yield* fileOf(yield* temporary)
        chmodSync(file, mode)
        const lines: Array<string> = []
        yield* Effect.provide(
          Effect.void,
          Layer.provide(Integrity.layer, Storage.layerFile(file)).pipe(
            Layer.provide(
              Logger.replace(Logger.defaultLogger, Logger.map(Logger.logfmtLogger, (line) => void lines.push(line)))
            )
          )
        )
        assert.strictEqual(lines.filter((line) => line.includes("chmod 600")).length, warned ? 1 : 0)
        assert.strictEqual(modeOf(file), mode.toString(8))
      }))
  }
})
