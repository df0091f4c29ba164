import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import type { PlatformError, SystemErrorReason } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Config, ConfigError } from "effect"
import { Cause, Context, Effect, Either, Layer, Option, Schedule } from "effect"
import { realpathSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { setting } from "../domain/Setting.js"
import { batched } from "./Batched.js"
import { migrate } from "./Migrations.js"
import type { Sql } from "./Sql.js"
import { makeSql } from "./Sql.js"
import { isOneStatements, StorageError, storageError } from "./StorageError.js"

/**
 * The SQL edge: every statement of the project passes here, and what a driver throws, as a failure or as a defect,
 * leaves as a `StorageError`.
 */
export class Storage extends Context.Tag("plane-sync/Storage")<Storage, {
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
}>() {
  /** A SQLite file of our own, at `ORCH_DATABASE_URL`. */
  static readonly layer: Layer.Layer<Storage, StorageError | ConfigError.ConfigError> = Layer.unwrapEffect(
    Effect.suspend(() => Effect.map(databaseFile, Storage.layerFile))
  )

  /** A SQLite file of our own; its folder is made where it is missing. */
  static readonly layerFile = (filename: string): Layer.Layer<Storage, StorageError> =>
    Layer.scoped(Storage, makeFile(filename)).pipe(
      Layer.provide(SqliteClient.layer({ filename })),
      Layer.provide(Layer.effectDiscard(filename === ":memory:" ? Effect.void : makeFolder(dirname(filename)))),
      Layer.catchAllCause((cause) => Layer.fail(storageError(filename)(Cause.squash(cause)))),
      Layer.provide(NodeFileSystem.layer)
    )

  /**
   * The host's own SqlClient, whose transactions a publish takes part in. SQLite only, so far. How durable a commit is,
   * is then the host's setting (`synchronous = FULL` is what survives a power cut). Within a transaction it is not built.
   */
  static readonly layerSql: Layer.Layer<Storage, StorageError, SqlClient.SqlClient> = Layer.effect(
    Storage,
    Effect.suspend(() => makeShared)
  )
}

/** `ORCH_DATABASE_URL`: the path of a SQLite file. */
export const databaseFile: Config.Config<string> = setting(
  "ORCH_DATABASE_URL",
  "./data/plane-sync.sqlite",
  (text) =>
    /^[a-z]{3,}:/i.test(text) && !text.startsWith("file:")
      // An address may hold a password, so no more of it is repeated.
      ? Either.left(
        `expected the path of a SQLite file, like "./data/plane-sync.sqlite", was given an address of ` +
          `"${text.slice(0, text.indexOf(":"))}:"`
      )
      : Either.right(text.replace(/^file:(\/\/)?/, ""))
)

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

// Writes that share a commit. More would only lengthen the wait of the first.
const maxGroup = 256

// Nobody waits longer than this for another process's transaction; each of ours takes milliseconds.
const whileBusy = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.upTo("5 seconds")
)

const isBusy = (error: StorageError): boolean => error.reason === "Busy"

// The tag of a running transaction is global: without this, ours would go to the host's own database.
const outsideTransaction = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (open) =>
    Option.isNone(open)
      ? effect
      : Effect.mapInputContext(
        effect,
        (context: Context.Context<never>) => Context.omit(SqlClient.TransactionConnection)(context)
      ))

/**
 * Fails once another file, or none, is where the one that is open was: what would be written is on no disk any more when
 * that is closed, and whoever opens the path has a database, and is a sender, of its own. The log is as much of the
 * database.
 */
const makeUnmoved = (where: string): Effect.Effect<Effect.Effect<void, StorageError>, StorageError> => {
  if (where === ":memory:") return Effect.succeed(Effect.void)
  const attempt = <A>(read: () => A) => Effect.try({ try: read, catch: storageError(where) })
  return Effect.gen(function*() {
    const path = resolve(where)
    const log = `${yield* attempt(() => realpathSync(path))}-wal`
    // It asks no disk, and takes 3 µs: by the thread pool it takes 25.
    const identify = (file: string) => {
      const found = statSync(file, { bigint: true, throwIfNoEntry: false })
      return found === undefined ? "none" : `${found.dev}:${found.ino}`
    }
    const identity = attempt(() => `${identify(path)} ${identify(log)}`)
    const opened = yield* identity
    return Effect.flatMap(identity, (found) =>
      found === opened ? Effect.void : new StorageError({
        reason: "Moved",
        where,
        words: "it is not the file that was opened"
      }))
  })
}

const makeFile = (where: string) =>
  Effect.gen(function*() {
    const client = yield* SqlClient.SqlClient
    const toError = storageError(where)
    const edge = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, StorageError> => {
      const once = outsideTransaction(effect).pipe(
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.fail(toError(Cause.squash(cause)))
        )
      )
      // What is seldom needed is put together when it is: it takes as long as a statement.
      return Effect.catchIf(once, isBusy, () =>
        Effect.zipRight(
          Effect.sleep("5 millis"),
          Effect.retry(once, { schedule: whileBusy, while: isBusy })
        ))
    }

    // The driver waits with the event loop frozen, so it waits briefly and we wait between tries.
    yield* edge(client.unsafe("PRAGMA busy_timeout = 20"))
    // WAL's default, NORMAL, loses the last commits at a power cut.
    yield* edge(client.unsafe("PRAGMA synchronous = FULL"))
    yield* edge(Effect.provideService(migrate(where), SqlClient.SqlClient, client))
    const unmoved = yield* makeUnmoved(where)

    const transaction = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
      edge(
        Effect.zipLeft(effect, unmoved).pipe(
          client.withTransaction,
          // Before as well: whoever opens another file at the path may go on with our log, and then it is not ours.
          (transaction) => Effect.zipRight(unmoved, transaction),
          // A COMMIT that failed leaves its transaction open, and all that follows would join it.
          Effect.catchAllDefect((defect) =>
            Effect.zipRight(Effect.either(client.unsafe("ROLLBACK")), Effect.die(defect))
          )
        )
      )

    const commit = yield* batched({
      run: (writes: ReadonlyArray<Effect.Effect<void, SqlError>>) =>
        Effect.as(transaction(Effect.all(writes, { discard: true })), writes),
      isItems: isOneStatements,
      maxItems: maxGroup,
      closed: new StorageError({ reason: "Closed", where, words: "shut down" })
    })
    const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
      Effect.suspend(() => {
        let result: Effect.Effect<A> = Effect.dieMessage("committed before it ran")
        return Effect.zipRight(
          commit(Effect.map(effect, (value) => {
            result = Effect.succeed(value)
          })),
          Effect.suspend(() => result)
        )
      })
    const read = <A>(effect: Effect.Effect<A, SqlError>) => edge(Effect.zipRight(unmoved, effect))
    return Storage.of({ sql: makeSql(client), where, write, writeAlone: transaction, read, shared: false })
  })

const makeShared = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  const where = "of the host"
  const toError = storageError(where)
  yield* client.onDialectOrElse({
    sqlite: () => Effect.void,
    orElse: () =>
      Effect.fail(
        new StorageError({
          reason: "Failed",
          where,
          words: "only SQLite is supported so far; PlaneSync.layer keeps a SQLite file of its own beside any database"
        })
      )
  })
  // As a part of it our tables could vanish with it, and what is forked here would write to it when it is long over; beside
  // it we would wait for the one connection there is, and the transaction for us.
  if (Option.isSome(yield* Effect.serviceOption(SqlClient.TransactionConnection))) {
    return yield* new StorageError({
      reason: "Failed",
      where,
      words: "the layer is built within a transaction, which it would outlive: build it outside of sql.withTransaction"
    })
  }
  const edge = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, StorageError> =>
    Effect.catchAllCause(
      effect,
      (cause) => Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.fail(toError(Cause.squash(cause)))
    )
  yield* edge(Effect.provideService(migrate(where), SqlClient.SqlClient, client))
  const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (open) => {
      const once = edge(client.withTransaction(effect))
      // Within the host's transaction, waiting for another process's would only hold both up.
      if (Option.isSome(open)) return once
      // The client waits for its one connection where it cannot be interrupted: whoever gives up leaves the waiting
      // behind, which does nothing when its turn has come.
      return Effect.retry(Effect.disconnect(once), { schedule: whileBusy, while: isBusy })
    })
  return Storage.of({ sql: makeSql(client), where, write, writeAlone: write, read: edge, shared: true })
})
