import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Context, Effect } from "effect"
import { statSync } from "node:fs"
import { resolve } from "node:path"
import { makeBatcher } from "../../base/Batcher.js"
import { cleanLine, textLimit } from "../../base/Text.js"
import { spanIfCollected } from "../../base/Tracing.js"
import type { Migrations } from "../Migrations.js"
import { migrate, migrationTable } from "../Migrations.js"
import { retryBusy } from "../RetryBusy.js"
import { makeOwnSql } from "../Sql.js"
import { isDamage, isStatementError, orStorageError, StorageError } from "../StorageError.js"
import { makeCheckpointer } from "./Checkpointer.js"
import { refuseStrangers } from "./IndexFile.js"
import type { LogSync } from "./LogSync.js"
import { makeLogSync } from "./LogSync.js"
import { makeOpenedFile } from "./OpenedFile.js"
import { quickCheck } from "./QuickCheck.js"

// How many writes share a commit. With more, the first would wait longer, and the others not less.
const maxWrites = 256

/**
 * Fails when the file is shorter than its pages. SQLite itself notices only whole pages that are missing, and when it
 * meets them. While the log is not copied into the file in full, the missing pages may be in the log.
 */
const refuseCut = (client: SqlClient.SqlClient, where: string) =>
  Effect.gen(function*() {
    const isCut = Effect.map(
      client.unsafe<{ bytes: number }>(
        "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size"
      ),
      ([row]) => row !== undefined && statSync(where).size < row.bytes
    )
    if (!(yield* isCut)) return
    const [copied] = yield* client.unsafe<{ busy: number; log: number; checkpointed: number }>("PRAGMA wal_checkpoint")
    if (copied?.busy !== 0 || copied.log !== copied.checkpointed || !(yield* isCut)) return
    return yield* new StorageError({ reason: "Damaged", where, words: "its end is missing" })
  })

/** Fails when the file has tables, and none of ours: our tables would be made between those of another program. */
const refuseOtherTables = (client: SqlClient.SqlClient, where: string) =>
  Effect.gen(function*() {
    const tables = yield* client.unsafe<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    const names = tables.map(({ name }) => name)
    if (names.length === 0 || names.includes(migrationTable)) return
    return yield* new StorageError({
      reason: "NotADatabase",
      where,
      words: `it has the tables of another program: ${cleanLine(names.join(", "), textLimit)}`
    })
  })

/** A database in memory has no disk to wait for. */
const inMemory: LogSync = {
  onDisk: Effect.void,
  refuse: () => Effect.void,
  refuseUnsynced: Effect.void,
  answersAgain: Effect.never
}

/** Opens a SQLite file of our own. Its only connection is taken for as long as the scope is open. */
const open = Effect.fnUntraced(function*(where: string) {
  const client = yield* SqlClient.SqlClient
  const typed = orStorageError(where)
  const edge = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StorageError, R> => retryBusy(typed(effect))
  const isInMemory = where === ":memory:"

  // The driver blocks the event loop while it waits, so it waits briefly, and we wait between our tries.
  yield* edge(client.unsafe("PRAGMA busy_timeout = 20"))
  // With FULL, each COMMIT waits for the disk, and the event loop with it. So COMMIT does not wait; whoever has
  // committed something, or has read it, does: see `LogSync`. OFF would not do: a power cut could leave a file that
  // cannot be read.
  yield* edge(client.unsafe("PRAGMA synchronous = NORMAL"))
  if (!isInMemory) yield* edge(refuseOtherTables(client, where))
  const [pages] = yield* edge(client.unsafe<{ page_count: number }>("PRAGMA page_count"))
  // Only now, because it changes the file.
  yield* edge(client.unsafe("PRAGMA journal_mode = WAL"))
  // A read opens the log and the index, so that both can be checked before anything else is written.
  yield* edge(client.unsafe("PRAGMA schema_version"))
  const { index, log, refuseFromNow, refuseMoved } = yield* makeOpenedFile(where)
  if (index !== undefined) yield* refuseStrangers(where, index)
  if (!isInMemory) yield* edge(refuseCut(client, where))
  // What a process has left in the log that the disk had refused may be read here, and not be on disk: it is copied, so
  // that the log begins anew.
  if (!isInMemory) yield* edge(client.unsafe("PRAGMA wal_checkpoint"))
  yield* edge(migrate(where))
  /** Once a part of the file was found to be damaged, nothing more is read or written. */
  const guarded = <A>(effect: Effect.Effect<A, StorageError>) =>
    Effect.tapError(effect, (error) => isDamage(error) ? refuseFromNow(error) : Effect.void)

  // Nobody else uses this client, so taking its connection makes nobody wait. `connectionLock` keeps transactions
  // and reads apart.
  const connection = yield* typed(client.reserve)
  const sql = makeOwnSql(client, connection)
  const connectionLock = Effect.unsafeMakeSemaphore(1)
  const alone = connectionLock.withPermits(1)
  const { answersAgain, onDisk, refuse, refuseUnsynced } = log === undefined
    ? inMemory
    : yield* makeLogSync(where, log.path, log.end)
  if (log !== undefined) yield* typed(connection.execute("PRAGMA wal_autocheckpoint = 0", [], undefined))
  const committed = log === undefined ? () => Effect.void : yield* makeCheckpointer(where, resolve(where), {
    alone,
    refuse,
    instead: Effect.catchAll(
      Effect.asVoid(connection.execute("PRAGMA wal_autocheckpoint = 1000", [], undefined)),
      (error) => Effect.logError(`The log of ${where} grows without end: restart plane-sync`, error)
    )
  })
  const isUsable = Effect.zipRight(refuseUnsynced, refuseMoved)
  // A read has written nothing, so nothing of it may be stored.
  const isReadOnDisk = Effect.catchAll(onDisk, ({ reason, words }) => new StorageError({ reason, where, words }))
  const begin = connection.execute("BEGIN", [], undefined)
  const commit = connection.execute("COMMIT", [], undefined)
  // A ROLLBACK fails when SQLite has rolled back already. If it ever leaves a transaction open, the next BEGIN fails
  // and leads here again, so no write joins a transaction that is not its own.
  const rollback = Effect.ignore(connection.execute("ROLLBACK", [], undefined))

  const spanned = spanIfCollected("sql.transaction", {
    kind: "client",
    captureStackTrace: false,
    attributes: { "db.system.name": "sqlite" }
  })

  // Not `client.withTransaction`: it prepares BEGIN and COMMIT each time, opens a span and a scope, and takes more than
  // twice as long, which is a good part of a publish (`npm run bench -- parts`). It would also join a transaction of a
  // host that it finds in the fiber's context.
  const transaction = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    guarded(edge(
      alone(Effect.uninterruptibleMask((restore) =>
        // Checked before BEGIN too: a process that opens another file at our path may take over our log.
        Effect.zipRight(isUsable, begin).pipe(
          Effect.zipRight(restore(effect)),
          Effect.zipLeft(refuseMoved),
          Effect.zipLeft(commit),
          // Whether SQLite began the log anew, or copied it, is noted at once. What else is found fails the next one.
          Effect.zipLeft(Effect.ignore(refuseMoved)),
          // A COMMIT that fails leaves its transaction open, and the next writes would join it.
          Effect.onError(() => rollback),
          spanned
        )
      )).pipe(Effect.zipLeft(onDisk), Effect.zipLeft(Effect.suspend(() => committed(log?.end()))))
    ))

  const commitTogether = yield* makeBatcher({
    run: (writes: ReadonlyArray<Effect.Effect<void, SqlError>>) =>
      Effect.as(transaction(Effect.all(writes, { discard: true })), writes),
    runSinglyAfter: isStatementError,
    maxItems: maxWrites,
    closed: new StorageError({ reason: "Closed", where, words: "shut down" })
  })
  const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    Effect.suspend(() => {
      let result: Effect.Effect<A> = Effect.dieMessage("committed before it ran")
      return Effect.zipRight(
        commitTogether(Effect.map(effect, (value) => {
          result = Effect.succeed(value)
        })),
        Effect.suspend(() => result)
      )
    })
  const read = <A>(effect: Effect.Effect<A, SqlError>) =>
    // It may have been committed a moment ago, and nobody must act on what a power cut undoes.
    guarded(edge(Effect.zipLeft(alone(Effect.zipRight(isUsable, effect)), isReadOnDisk)))
  // A file that is made now has nothing in it that could be damaged.
  const check = isInMemory ? undefined : pages?.page_count === 0 ? Effect.void : guarded(quickCheck(where))
  return {
    sql,
    where,
    write,
    writeAlone: transaction,
    read,
    shared: false,
    joins: Effect.succeed(false),
    index,
    check,
    answersAgain,
    elsewhere: undefined
  }
})

/**
 * Opens a SQLite file of our own until the scope closes. The tag of the running transaction is global, so a transaction
 * that a host has open is taken out of the context: otherwise our statements would go to the host's database.
 */
export const openOwnFile = (where: string) =>
  Effect.mapInputContext(
    open(where),
    (context: Context.Context<SqlClient.SqlClient | Migrations | Scope.Scope>) =>
      Context.omit(SqlClient.TransactionConnection)(context)
  )
