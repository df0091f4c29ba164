import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import { migrate } from "../Migrator.js"
import { makeSql, runBy } from "../Sql.js"
import { isBusy, orStorageError, StorageError } from "../StorageError.js"
import { whileBusy } from "./BusySchedule.js"

/** The edge to a host's own database, by its client: what the host has open, a write is a part of. */
export const shareDatabase = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  const where = "of the host"
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
  const edge = orStorageError(where)
  yield* edge(Effect.provideService(migrate(where), SqlClient.SqlClient, client)).pipe(
    Effect.retry({ schedule: whileBusy, while: isBusy })
  )
  const write = <A>(effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
    Effect.flatMap(Effect.serviceOption(SqlClient.TransactionConnection), (open) => {
      const once = edge(client.withTransaction(effect))
      // Within the host's transaction, waiting for another process's would only hold both up.
      if (Option.isSome(open)) return once
      // The client waits for its one connection where it cannot be interrupted: whoever gives up leaves the waiting
      // behind, which does nothing when its turn has come.
      return Effect.retry(Effect.disconnect(once), { schedule: whileBusy, while: isBusy })
    })
  return { sql: makeSql(runBy(client)), where, write, writeAlone: write, read: edge, shared: true, index: undefined }
})
