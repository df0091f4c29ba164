import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Context, Effect } from "effect"
import { makeBatcher } from "../../base/Batcher.js"
import { spanIfCollected } from "../../base/Tracing.js"
import type { Migrations } from "../Migrations.js"
import { migrate } from "../Migrations.js"
import { makeOwnSql } from "../Sql.js"
import { isStatementError, orStorageError, StorageError } from "../StorageError.js"
import { refuseStrangers } from "./IndexFile.js"
import { makeOpenedFile } from "./OpenedFile.js"
import { retryBusy } from "./RetryBusy.js"

// How many writes share a commit. With more, the first would wait longer, and the others not less.
const maxWrites = 256

/** Opens a SQLite file of our own. Its only connection is taken for as long as the scope is open. */
const open = Effect.fnUntraced(function*(where: string) {
  const client = yield* SqlClient.SqlClient
  const typed = orStorageError(where)
  const edge = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StorageError, R> => retryBusy(typed(effect))

  // The driver blocks the event loop while it waits, so it waits briefly, and we wait between our tries.
  yield* edge(client.unsafe("PRAGMA busy_timeout = 20"))
  // NORMAL, the default with WAL, loses the last commits in a power cut.
  yield* edge(client.unsafe("PRAGMA synchronous = FULL"))
  // A read opens the log and the index, so that both can be checked before anything is written.
  yield* edge(client.unsafe("PRAGMA schema_version"))
  const { index, refuseMoved } = yield* makeOpenedFile(where)
  if (index !== undefined) yield* refuseStrangers(where, index)
  yield* edge(migrate(where))

  // Nobody else uses this client, so taking its connection makes nobody wait. `connectionLock` keeps transactions
  // and reads apart.
  const connection = yield* typed(client.reserve)
  const sql = makeOwnSql(client, connection)
  const connectionLock = Effect.unsafeMakeSemaphore(1)
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
    edge(
      connectionLock.withPermits(1)(Effect.uninterruptibleMask((restore) =>
        // Checked before BEGIN too: a process that opens another file at our path may take over our log.
        Effect.zipRight(refuseMoved, begin).pipe(
          Effect.zipRight(restore(effect)),
          Effect.zipLeft(refuseMoved),
          Effect.zipLeft(commit),
          // A COMMIT that fails leaves its transaction open, and the next writes would join it.
          Effect.onError(() => rollback),
          spanned
        )
      ))
    )

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
    edge(connectionLock.withPermits(1)(Effect.zipRight(refuseMoved, effect)))
  return { sql, where, write, writeAlone: transaction, read, shared: false, index }
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
