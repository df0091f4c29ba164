import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Effect } from "effect"
import { unlinkSync } from "node:fs"
import { resolve } from "node:path"
import { cleanLine, textLimit } from "../../base/Text.js"
import { migrationTable } from "../Migrations.js"
import { isDamage, orStorageError, StorageError, storageError } from "../StorageError.js"
import { refuseStrangers } from "./IndexFile.js"
import { refuseLinked } from "./LinkedFile.js"
import { createOwn, syncFile } from "./NewFile.js"
import { makeOpenedFile } from "./OpenedFile.js"

/** Runs `use` with a client of its own on a file. What it throws becomes a `StorageError`. */
const withClient = <A, E>(
  options: SqliteClient.SqliteClientConfig,
  use: (client: SqliteClient.SqliteClient) => Effect.Effect<A, E>
): Effect.Effect<A, StorageError> =>
  Effect.flatMap(SqliteClient.SqliteClient, use).pipe(
    Effect.provide(SqliteClient.layer({ ...options, disableWAL: true })),
    orStorageError(options.filename)
  )

const attempt = <A>(where: string, run: () => A) => Effect.try({ try: run, catch: storageError(where) })

/**
 * Copies the database in `file` to the file `to`, by SQLite's online backup, also while others write to it: the copy is
 * the database at one moment. False if `to` exists, which is not touched. The copy is on disk and was read as a whole
 * when this succeeds. It is one file, without a log, that only this user can read. If it fails there is no copy.
 */
export const backUp = (file: string, to: string): Effect.Effect<boolean, StorageError> =>
  Effect.gen(function*() {
    // SQLite's driver ignores blanks around a name, so it would write into another file than the one that is made here.
    const copy = resolve(to.trim())
    yield* refuseLinked(file)
    if (!(yield* attempt(copy, () => createOwn(copy, new Uint8Array())))) return false

    const copied = withClient({ filename: file }, (source) =>
      Effect.gen(function*() {
        // Without a transaction that is open all the while, SQLite would begin anew at each commit of another process.
        yield* source.unsafe("BEGIN")
        const ours = yield* source`SELECT 1 FROM sqlite_schema WHERE name = ${migrationTable}`
        // Of a file that was emptied, a copy would take the place of the last good one.
        if (ours.length === 0) {
          return yield* new StorageError({
            reason: "NotADatabase",
            where: file,
            words: "it has no tables of plane-sync"
          })
        }
        const { index } = yield* makeOpenedFile(file)
        if (index !== undefined) yield* refuseStrangers(file, index)
        yield* source.backup(copy)
        yield* source.unsafe("COMMIT")
      }))
    // What is wrong with the copy was wrong with the file.
    const damaged = (words: string) =>
      new StorageError({ reason: "Damaged", where: file, words: cleanLine(words, textLimit) })
    const checked = withClient({ filename: copy }, (client) =>
      // The copy is in WAL mode as the database is, and opening it would make files beside it.
      client.unsafe("PRAGMA journal_mode = DELETE").pipe(
        Effect.zipRight(client.unsafe<{ integrity_check: string }>("PRAGMA integrity_check(3)"))
      )).pipe(Effect.mapError((error) => isDamage(error) ? damaged(error.words) : error))
    yield* copied.pipe(
      Effect.zipRight(checked),
      Effect.flatMap(([first]) =>
        first?.integrity_check === "ok"
          ? attempt(copy, () => syncFile(copy))
          : damaged(first?.integrity_check ?? "no answer")
      ),
      Effect.onError(() => Effect.sync(() => unlinkSync(copy)))
    )
    return true
  })
