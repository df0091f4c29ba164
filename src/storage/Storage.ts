import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { PlatformError, SystemErrorReason } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { ConfigError } from "effect"
import { Cause, Context, Effect, Either, Layer, Option } from "effect"
import { dirname } from "node:path"
import { hasCode } from "../base/ErrorCode.js"
import type { Setting } from "../base/Setting.js"
import { defineSetting, given } from "../base/Setting.js"
import { metrics } from "../metrics/Metrics.js"
import type { Elsewhere } from "./Elsewhere.js"
import { openHostDatabase } from "./HostDatabase.js"
import type { Migrations } from "./Migrations.js"
import type { PostgresAddress } from "./postgres/Address.js"
import { isPostgres, parseAddress } from "./postgres/Address.js"
import type { Sql } from "./Sql.js"
import { refuseOldNode, warnOfAbort } from "./sqlite/Driver.js"
import type { IndexFile } from "./sqlite/IndexFile.js"
import { refuseLinked } from "./sqlite/LinkedFile.js"
import { prepareFile } from "./sqlite/NewFile.js"
import { openOwnFile } from "./sqlite/OwnFile.js"
import { orStorageError, StorageError, storageError } from "./StorageError.js"
import type { StorageTrouble } from "./StorageTrouble.js"
import { makeStorageTrouble } from "./StorageTrouble.js"

/**
 * The SQL edge. Every statement of the project passes through it, and whatever a driver throws, as a failure or as a
 * defect, comes out as a `StorageError`. Opening a database also brings its tables up to date with the `Migrations`.
 */
export class Storage extends Context.Tag("plane-sync/Storage")<Storage, {
  /**
   * Builds statements. Run them only within `read`, `write` or `writeAlone`: otherwise a statement could become part of
   * another fiber's transaction.
   */
  readonly sql: Sql
  /** The file or the database, named as a person knows it. */
  readonly where: string
  /**
   * Runs `effect` in a transaction and succeeds once it is committed. If it fails, nothing of it is stored. Its first
   * statement must write, because a transaction that reads first cannot wait for one of another process. Writes that
   * come at the same time share a transaction, and with it the wait for the disk.
   */
  readonly write: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** Like `write`, but never shares its transaction. Meant for an effect that is many writes already. */
  readonly writeAlone: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** Runs `effect`, which must only read. */
  readonly read: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** Whether the client is a host's. A write then joins the transaction that its caller has open. */
  readonly shared: boolean
  /** Whether a write would now become part of a transaction that its caller has open in a host's database. */
  readonly joins: Effect.Effect<boolean>
  /** Undefined in memory, and in a host's database, whose file we do not know. */
  readonly index: IndexFile | undefined
  /** What is known of its trouble, and how background loops go on meanwhile. */
  readonly trouble: StorageTrouble
  /**
   * Reads the whole file, beside everything else, and fails with `Damaged` when SQLite finds fault with it. Then
   * nothing more is read or written. Undefined in memory, and in a host's database.
   */
  readonly check: Effect.Effect<void, StorageError> | undefined
  /**
   * Completes the next time that the disk answers again after it was silent for too long. What was reported as failed
   * meanwhile may be stored all the same.
   */
  readonly answersAgain: Effect.Effect<void>
  /** Other processes on the same Postgres. Undefined where they cannot be told anything, as over a file. */
  readonly elsewhere: Elsewhere | undefined
}>() {
  /** A SQLite file or a Postgres of our own, at `ORCH_DATABASE_URL`. */
  static readonly layer: Layer.Layer<Storage, StorageError | ConfigError.ConfigError, Migrations> = Layer.unwrapEffect(
    Effect.suspend(() =>
      Effect.map(
        databaseAddress,
        (address) => address._tag === "File" ? Storage.layerFile(address.path) : Storage.layerPostgres(address)
      )
    )
  )

  /**
   * A Postgres, at an address like "postgres://user:password@host:5432/database". Any number of processes may use it at
   * the same time. Needs `@effect/sql-pg`.
   */
  static readonly layerPostgres = (address: PostgresAddress): Layer.Layer<Storage, StorageError, Migrations> =>
    Layer.scoped(
      Storage,
      loadClient(address.where).pipe(
        Effect.flatMap(({ openOwnPostgres }) => orStorageError(address.where)(openOwnPostgres(address))),
        Effect.flatMap(withTrouble)
      )
    )

  /**
   * A SQLite file of our own, or `:memory:`. A missing folder is created, and so is a missing file, which only this
   * user can read.
   */
  static readonly layerFile = (filename: string): Layer.Layer<Storage, StorageError, Migrations> =>
    Layer.scoped(Storage, Effect.flatMap(Effect.zipRight(warnOfAbort, openOwnFile(filename)), withTrouble)).pipe(
      Layer.provide(SqliteClient.layer({ filename, disableWAL: true })),
      Layer.provide(Layer.effectDiscard(
        filename === ":memory:"
          ? refuseOldNode(filename)
          : Effect.all(
            [refuseOldNode(filename), makeFolder(dirname(filename)), refuseLinked(filename), prepareFile(filename)],
            { discard: true }
          )
      )),
      Layer.catchAllCause((cause) => Layer.fail(storageError(filename)(Cause.squash(cause)))),
      Layer.provide(NodeFileSystem.layer)
    )

  /**
   * The host's own SqlClient, so that a publish joins the host's transaction: of SQLite or of Postgres. How durable
   * a commit is depends on the host's settings: over SQLite only `synchronous = FULL` survives a power cut. The layer
   * is refused within a transaction.
   */
  static readonly layerSql: Layer.Layer<Storage, StorageError, SqlClient.SqlClient | Migrations> = Layer.scoped(
    Storage,
    Effect.suspend(() =>
      // A host may have another client, with another driver.
      Effect.serviceOption(SqliteClient.SqliteClient).pipe(
        Effect.flatMap(Option.match({ onNone: () => Effect.void, onSome: () => warnOfAbort })),
        Effect.zipRight(Effect.flatMap(openHostDatabase, withTrouble))
      )
    )
  )
}

/** Where storage is. */
export type DatabaseAddress =
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Postgres" } & PostgresAddress

const parseFile = (text: string): Either.Either<DatabaseAddress, string> => {
  if (/^[a-z]{3,}:/i.test(text) && !text.startsWith("file:")) {
    // An address may hold a password, so no more of it is repeated.
    return Either.left(`an address that begins with "${text.slice(0, text.indexOf(":"))}:" is not right`)
  }
  // SQLite's driver ignores blanks around a name, and takes an empty one for a database in memory.
  const path = text.replace(/^file:(\/\/)?/, "").trim()
  if (path === "" || path === ":memory:") {
    return Either.left(`${given(text)} is a database in memory, which ends with the program`)
  }
  if (path.includes("?")) return Either.left(`${given(text)} has parameters, and none are understood`)
  return /[\\/]$/.test(path) ? Either.left(`${given(text)} is a folder`) : Either.right({ _tag: "File", path })
}

/** `ORCH_DATABASE_URL`: the path of a SQLite file, or the address of a Postgres. */
export const databaseAddress: Setting<DatabaseAddress> = defineSetting({
  name: "ORCH_DATABASE_URL",
  about: "The SQLite file that keeps what is published, or a Postgres, which several machines can share.",
  accepts: {
    expected: `the path of a SQLite file, like "./data/plane-sync.sqlite", or the address of a Postgres, like ` +
      `"postgres://user:password@host:5432/database"`,
    parse: (text) =>
      isPostgres(text)
        ? Either.map(parseAddress(text), (address) => ({ _tag: "Postgres", ...address }))
        : parseFile(text)
  },
  default: "./data/plane-sync.sqlite"
})

/** Loads what needs `@effect/sql-pg`. Late, because a host on SQLite does not install it. */
export const loadClient = (where: string) =>
  Effect.mapError(
    Effect.tryPromise(() => import("./postgres/Client.js")),
    ({ error }) =>
      hasCode(error) && error.code === "ERR_MODULE_NOT_FOUND"
        ? new StorageError({ reason: "NoClient", where, words: "it was not found" })
        : storageError(where)(error)
  )

const failedBy = (reason: SystemErrorReason) => (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === reason

// Not with Node's `recursive`: it never ends when a folder cannot be created in one that exists, as in /proc.
const makeFolder = (folder: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    const parent = dirname(folder)
    const one = fs.makeDirectory(folder).pipe(Effect.catchIf(failedBy("AlreadyExists"), () => Effect.void))
    return parent === folder
      ? one
      : Effect.catchIf(one, failedBy("NotFound"), () => Effect.zipRight(makeFolder(parent), one))
  })

const measured = (operation: "read" | "write") => {
  const timed = metrics.storage.timed({ operation })
  return <A>(transaction: Effect.Effect<A, StorageError>) =>
    Effect.mapError(timed(transaction), (error) => {
      metrics.storageFailures.add({ reason: error.reason })
      return error
    })
}

const measuredRead = measured("read")
const measuredWrite = measured("write")

const withTrouble = (opened: Omit<Storage["Type"], "trouble">) =>
  Effect.map(makeStorageTrouble, (trouble) => {
    const { read, sql, write, writeAlone } = opened
    const changes = Effect.map(sql<{ rows: number }>`SELECT ${sql.changes} AS rows`, ([row]) => row?.rows ?? 0)
    const watched = trouble.watch(changes, write)
    const watchedAlone = trouble.watch(changes, writeAlone)
    return Storage.of({
      ...opened,
      trouble,
      read: (effect) => measuredRead(read(effect)),
      write: (effect) => measuredWrite(watched(effect)),
      writeAlone: (effect) => measuredWrite(watchedAlone(effect))
    })
  })
