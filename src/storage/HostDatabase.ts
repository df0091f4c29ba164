import type { PgClient as PostgresClient } from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Option } from "effect"
import { migrate } from "./Migrations.js"
import { makeElsewhere } from "./postgres/Listening.js"
import { migratePostgres } from "./postgres/MigratePostgres.js"
import { watchSchema } from "./postgres/SchemaWatch.js"
import { retryBusy } from "./RetryBusy.js"
import { makeSharedSql } from "./Sql.js"
import { orStorageError, StorageError } from "./StorageError.js"

// By its name, because a host on SQLite does not install the package.
const PgClient = Context.GenericTag<PostgresClient>("@effect/sql-pg/PgClient")

const joins = Effect.map(Effect.serviceOption(SqlClient.TransactionConnection), Option.isSome)

/**
 * Opens storage in a host's own database, through the host's client. A write joins the transaction that its caller has
 * open.
 */
export const openHostDatabase = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  const where = "of the host"
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
  const refuseNewer = yield* client.onDialectOrElse({
    pg: () => watchSchema(where),
    orElse: () => Effect.succeed<Effect.Effect<void, StorageError>>(Effect.void)
  })
  const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Effect.zipRight(refuseNewer, joins), (isOpen) => {
      const once = edge(client.withTransaction(effect))
      // Inside the host's transaction, waiting for one of another process would only hold up both.
      if (isOpen) return once
      // The client's wait for its only connection cannot be interrupted. So a caller that gives up leaves the wait
      // behind; once that is over, it does nothing.
      return retryBusy(Effect.disconnect(once))
    })
  return {
    sql: makeSharedSql(client),
    where,
    write,
    writeAlone: write,
    read: <A>(effect: Effect.Effect<A, SqlError>) => Effect.zipRight(refuseNewer, edge(effect)),
    shared: true,
    joins,
    index: undefined,
    check: undefined,
    answersAgain: Effect.never,
    elsewhere: Option.isNone(postgres) ? undefined : yield* makeElsewhere(postgres.value)
  }
})
