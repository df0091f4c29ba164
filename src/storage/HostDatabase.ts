import type { PgClient as PostgresClient } from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Option } from "effect"
import { migrate } from "./Migrations.js"
import { makeElsewhere } from "./postgres/Listening.js"
import { migratePostgres } from "./postgres/MigratePostgres.js"
import type { Transactions } from "./postgres/Transactions.js"
import { makeTransactions } from "./postgres/Transactions.js"
import { retryBusy } from "./RetryBusy.js"
import { makeSharedSql } from "./Sql.js"
import { orStorageError, StorageError } from "./StorageError.js"

// By its name, because a host on SQLite does not install the package.
const PgClient = Context.GenericTag<PostgresClient>("@effect/sql-pg/PgClient")

/** A host's database has no name that we know. */
const where = "of the host"

const joins = Effect.map(Effect.serviceOption(SqlClient.TransactionConnection), Option.isSome)

/** Outside of a transaction of the host, over SQLite. */
const onSqlite = (client: SqlClient.SqlClient): Transactions => {
  const edge = orStorageError(where)
  return {
    // The client's wait for its only connection cannot be interrupted. So a caller that gives up leaves the wait
    // behind; once that is over, it does nothing.
    write: (effect) => retryBusy(Effect.disconnect(edge(client.withTransaction(effect)))),
    read: edge,
    answersAgain: Effect.never
  }
}

/**
 * Opens storage in a host's own database, through the host's client. A write joins the transaction that its caller has
 * open.
 */
export const openHostDatabase = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  yield* client.onDialectOrElse({
    sqlite: () => Effect.void,
    pg: () => Effect.void,
    orElse: () =>
      Effect.fail(
        new StorageError({
          reason: "Failed",
          where,
          words: "only SQLite and Postgres are supported; PlaneSync.layer keeps a database of its own beside any other"
        })
      )
  })
  // Inside the transaction, our tables would vanish if it is rolled back, and our background work would go on writing
  // to it after it has ended. Outside of it, we would wait for the only connection, and the transaction would wait for
  // us.
  if (yield* joins) {
    return yield* new StorageError({
      reason: "Failed",
      where,
      words: "the layer is built within a transaction, which it would outlive: build it outside of sql.withTransaction"
    })
  }
  const edge = orStorageError(where)
  const postgres = yield* Effect.serviceOption(PgClient)
  yield* retryBusy(client.onDialectOrElse({
    pg: () => migratePostgres(where),
    orElse: () => edge(migrate(where))
  }))
  const alone = yield* client.onDialectOrElse({
    pg: () => makeTransactions(where),
    orElse: () => Effect.succeed(onSqlite(client))
  })
  const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    // Inside the host's transaction, waiting for one of another process would only hold up both.
    Effect.flatMap(joins, (isOpen) => isOpen ? edge(client.withTransaction(effect)) : alone.write(effect))
  const read = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(joins, (isOpen) => isOpen ? edge(effect) : alone.read(effect))
  return {
    sql: makeSharedSql(client),
    where,
    write,
    writeAlone: write,
    read,
    shared: true,
    joins,
    index: undefined,
    check: undefined,
    answersAgain: alone.answersAgain,
    elsewhere: Option.isNone(postgres) ? undefined : yield* makeElsewhere(postgres.value)
  }
})
