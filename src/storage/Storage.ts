import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { PlatformError, SystemErrorReason } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { ConfigError } from "effect"
import { Cause, Context, Effect, Either, Layer } from "effect"
import { dirname } from "node:path"
import type { Setting } from "../base/Setting.js"
import { defineSetting } from "../base/Setting.js"
import type { Sql } from "./Sql.js"
import { shareDatabase } from "./sqlite/HostDatabase.js"
import type { IndexFile } from "./sqlite/IndexFile.js"
import { openFile } from "./sqlite/OwnFile.js"
import { refuseLinked } from "./sqlite/SinglePath.js"
import type { StorageError } from "./StorageError.js"
import { storageError } from "./StorageError.js"

/**
 * The SQL edge: every statement of the project passes here, and what a driver throws, as a failure or as a defect,
 * leaves as a `StorageError`.
 */
export class Storage extends Context.Tag("plane-sync/Storage")<Storage, {
  /** Its statements are run by `read`, `write` or `writeAlone`: alone, one could be a part of another fiber's transaction. */
  readonly sql: Sql
  /** The file or database, as a person knows it. */
  readonly where: string
  /**
   * Runs `effect` in a transaction and succeeds once that is committed; on a failure nothing of it is stored. Its first
   * statement must be one that writes: a transaction that reads first cannot wait for another process's.
   */
  readonly write: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** `write` in a transaction of its own, where others may share theirs: for what is many writes already. */
  readonly writeAlone: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  readonly read: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** The client is the host's: a write belongs to the caller's transaction, if it has one open. */
  readonly shared: boolean
  /** Undefined in memory and in a host's database, whose file we do not know. */
  readonly index: IndexFile | undefined
}>() {
  /** A SQLite file of our own, at `ORCH_DATABASE_URL`. */
  static readonly layer: Layer.Layer<Storage, StorageError | ConfigError.ConfigError> = Layer.unwrapEffect(
    Effect.suspend(() => Effect.map(databaseFile, Storage.layerFile))
  )

  /** A SQLite file of our own; its folder is made where it is missing. */
  static readonly layerFile = (filename: string): Layer.Layer<Storage, StorageError> =>
    Layer.scoped(Storage, openFile(filename)).pipe(
      Layer.provide(SqliteClient.layer({ filename })),
      Layer.provide(Layer.effectDiscard(
        filename === ":memory:" ? Effect.void : Effect.zipRight(makeFolder(dirname(filename)), refuseLinked(filename))
      )),
      Layer.catchAllCause((cause) => Layer.fail(storageError(filename)(Cause.squash(cause)))),
      Layer.provide(NodeFileSystem.layer)
    )

  /**
   * The host's own SqlClient, whose transactions a publish takes part in. SQLite only, so far. How durable a commit is,
   * is then the host's setting (`synchronous = FULL` is what survives a power cut). Within a transaction it is not built.
   */
  static readonly layerSql: Layer.Layer<Storage, StorageError, SqlClient.SqlClient> = Layer.effect(
    Storage,
    shareDatabase
  )
}

/** `ORCH_DATABASE_URL`: the path of a SQLite file. */
export const databaseFile: Setting<string> = defineSetting({
  name: "ORCH_DATABASE_URL",
  about: "The SQLite file that keeps what is published.",
  accepts: {
    expected: `the path of a SQLite file, like "./data/plane-sync.sqlite"`,
    parse: (text) =>
      /^[a-z]{3,}:/i.test(text) && !text.startsWith("file:")
        // An address may hold a password, so no more of it is repeated.
        ? Either.left(`an address that begins with "${text.slice(0, text.indexOf(":"))}:" is not right`)
        : Either.right(text.replace(/^file:(\/\/)?/, ""))
  },
  default: "./data/plane-sync.sqlite"
})

const failedBy = (reason: SystemErrorReason) => (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === reason

// Not by Node's `recursive`, which never ends where a folder cannot be made though the one above is there, as in /proc.
const makeFolder = (folder: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    const parent = dirname(folder)
    const one = fs.makeDirectory(folder).pipe(Effect.catchIf(failedBy("AlreadyExists"), () => Effect.void))
    return parent === folder
      ? one
      : Effect.catchIf(one, failedBy("NotFound"), () => Effect.zipRight(makeFolder(parent), one))
  })
