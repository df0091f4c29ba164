import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Context, Effect } from "effect"
import { makeBatch } from "../../base/Batch.js"
import { spanIfCollected } from "../../base/Tracing.js"
import { refuseOtherIndex } from "../../outbox/Leadership.js"
import { migrate } from "../Migrator.js"
import { makeSql, runOn } from "../Sql.js"
import { isBusy, isOneStatements, orStorageError, StorageError } from "../StorageError.js"
import { whileBusy } from "./BusySchedule.js"
import { makeOpened } from "./FileIdentity.js"
import { refuseStrangers } from "./IndexFile.js"

// Writes that share a commit. More would only lengthen the wait of the first.
const maxGroup = 256

/** The edge to a SQLite file of our own: its one connection is taken for as long as the scope is open. */
const open = Effect.fnUntraced(function*(where: string) {
  const client = yield* SqlClient.SqlClient
  const typed = orStorageError(where)
  const edge = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, StorageError> => {
    const once = typed(effect)
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
  // A read, so that its log and its index are open: what they are is asked before anything is written.
  yield* edge(client.unsafe("PRAGMA schema_version"))
  const { index, unmoved } = yield* makeOpened(where)
  if (index !== undefined) yield* refuseStrangers(where, index)
  yield* edge(Effect.provideService(migrate(where), SqlClient.SqlClient, client))

  // Nobody else uses the client, so nobody waits for it: `turn` keeps transactions and reads apart.
  const connection = yield* typed(client.reserve)
  const sql = makeSql(runOn(client, connection))
  yield* refuseOtherIndex({ read: edge, sql, where, index })
  const turn = Effect.unsafeMakeSemaphore(1)
  const begin = connection.execute("BEGIN", [], undefined)
  const commit = connection.execute("COMMIT", [], undefined)
  // It fails where SQLite has rolled back already. Should it leave a transaction open, the next BEGIN fails and is here again,
  // so no write ever joins one that is not its own.
  const rollback = Effect.ignore(connection.execute("ROLLBACK", [], undefined))

  const spanned = spanIfCollected("sql.transaction", {
    kind: "client",
    captureStackTrace: false,
    attributes: { "db.system.name": "sqlite" }
  })

  // Written out, because `client.withTransaction` prepares BEGIN and COMMIT anew each time, keeps a span and a scope for it,
  // and takes more than twice as long, a good part of a publish (`npm run bench -- parts`). It would also join one that it
  // finds open in the fiber's context, which is a host's.
  const transaction = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    edge(
      turn.withPermits(1)(Effect.uninterruptibleMask((restore) =>
        // Looked at before as well: whoever opens another file at the path may go on with our log, and then it is not ours.
        Effect.zipRight(unmoved, begin).pipe(
          Effect.zipRight(restore(effect)),
          Effect.zipLeft(unmoved),
          Effect.zipLeft(commit),
          // A COMMIT that failed leaves its transaction open, and all that follows would join it.
          Effect.onError(() => rollback),
          spanned
        )
      ))
    )

  const commitTogether = yield* makeBatch({
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
        commitTogether(Effect.map(effect, (value) => {
          result = Effect.succeed(value)
        })),
        Effect.suspend(() => result)
      )
    })
  const read = <A>(effect: Effect.Effect<A, SqlError>) => edge(turn.withPermits(1)(Effect.zipRight(unmoved, effect)))
  return { sql, where, write, writeAlone: transaction, read, shared: false, index }
})

/**
 * As `open`. The tag of a running transaction is global: within a host's, what the client runs would go to the host's
 * own database.
 */
export const openFile = (where: string) =>
  Effect.mapInputContext(
    open(where),
    (context: Context.Context<SqlClient.SqlClient | Scope.Scope>) =>
      Context.omit(SqlClient.TransactionConnection)(context)
  )
