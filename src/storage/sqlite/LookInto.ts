import { Effect, Schema } from "effect"
import { statSync } from "node:fs"
import { cleanLine, textLimit } from "../../base/Text.js"
import { migrationTable } from "../Migrations.js"
import { StorageError, storageError } from "../StorageError.js"
import { inDriverProcess } from "./DriverProcess.js"
import { refuseLinked } from "./LinkedFile.js"

/**
 * In WAL mode SQLite makes a log and an index beside a file that it only reads, and leaves them. So a file without a
 * log, which nobody has open, is read into memory; there is no log there, and the header must not ask for one.
 */
const script = `const [driver, file, statements] = process.argv.slice(1)
const { existsSync, readFileSync } = require("node:fs")
const Database = require(driver)
const hasLog = () => existsSync(file + "-wal")
const shared = () => new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 })
const copied = () => {
  const bytes = readFileSync(file)
  if (bytes.length > 100) bytes.fill(1, 18, 20)
  return hasLog() ? shared() : new Database(bytes)
}
const database = hasLog() ? shared() : copied()
const rowsOf = (statement) => {
  try {
    return database.prepare(statement).all()
  } catch (error) {
    // A table that is not there, or a damaged one, of which the check tells.
    if (error.code === "SQLITE_ERROR" || error.code.startsWith("SQLITE_CORRUPT")) return null
    throw error
  }
}
process.stdout.write(JSON.stringify({
  found: database.pragma("quick_check(3)").map((row) => row.quick_check).join("; "),
  rows: JSON.parse(statements).map(rowsOf)
}))`

const Looked = Schema.parseJson(Schema.Struct({
  found: Schema.String,
  rows: Schema.Array(Schema.NullOr(Schema.Array(Schema.Unknown)))
}))

const Tables = Schema.Array(Schema.Struct({ name: Schema.String }))
const Versions = Schema.Array(Schema.Struct({ version: Schema.NullOr(Schema.Int) }))

/** A database file as it is, without having opened it for use. */
export interface LookedInto {
  /** What SQLite finds wrong with the whole file. Undefined when it is whole. */
  readonly damage: string | undefined
  /** The last step that its tables have run, 0 if none. */
  readonly version: number
  /** What each of the statements gives; null where its table, or a column or function that it names, is not there. */
  readonly rows: ReadonlyArray<ReadonlyArray<unknown> | null>
}

/**
 * Reads a database file as a whole, and the answers to `statements`, which only read. It neither makes the file nor
 * changes it or what is beside it, and works beside a process that has it open. Fails as opening it would.
 */
export const lookInto = (where: string, statements: ReadonlyArray<string>): Effect.Effect<LookedInto, StorageError> =>
  Effect.gen(function*() {
    const { isFile, size } = yield* Effect.try({
      try: () => {
        const found = statSync(where)
        return { isFile: found.isFile(), size: found.size }
      },
      catch: storageError(where)
    })
    if (!isFile) return yield* new StorageError({ reason: "NotAFile", where, words: "it is a folder or a device" })
    if (size === 0) return yield* new StorageError({ reason: "NotADatabase", where, words: "the file is empty" })
    yield* refuseLinked(where)
    const all = [
      `SELECT name FROM sqlite_schema WHERE type = 'table'`,
      `SELECT max(migration_id) AS version FROM ${migrationTable}`,
      ...statements
    ]
    const out = yield* inDriverProcess(where, script, JSON.stringify(all))
    const unreadable = () => new StorageError({ reason: "Failed", where, words: cleanLine(out, textLimit) })
    const { found, rows: [tables, versions, ...rows] } = yield* Effect.mapError(
      Schema.decodeUnknown(Looked)(out),
      unreadable
    )
    if (tables === null && found !== "ok") {
      return yield* new StorageError({ reason: "Damaged", where, words: cleanLine(found, textLimit) })
    }
    const names = yield* Effect.mapError(Schema.decodeUnknown(Tables)(tables), unreadable)
    if (names.length > 0 && names.every(({ name }) => name !== migrationTable)) {
      return yield* new StorageError({
        reason: "NotADatabase",
        where,
        words: `it has the tables of another program: ${cleanLine(names.map(({ name }) => name).join(", "), textLimit)}`
      })
    }
    const [last] = yield* Effect.mapError(Schema.decodeUnknown(Versions)(versions ?? []), unreadable)
    return { damage: found === "ok" ? undefined : cleanLine(found, textLimit), version: last?.version ?? 0, rows }
  })
