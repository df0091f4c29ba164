import * as PgClient from "@effect/sql-pg/PgClient"
import { TransactionConnection } from "@effect/sql/SqlClient"
import type { Scope } from "effect"
import { Context, Effect, Layer } from "effect"
import { inOwnScope } from "../../base/OwnScope.js"
import type { Migrations } from "../Migrations.js"
import { makeSharedSql } from "../Sql.js"
import type { PostgresAddress } from "./Address.js"
import { makeElsewhere } from "./Listening.js"
import { migratePostgres } from "./MigratePostgres.js"
import { makeTransactions } from "./Transactions.js"
import { watchedSocket } from "./WatchedSocket.js"

/** Connections of one process: more than its transactions that wait for a disk at the same time would help. */
const maxConnections = 6

/** A client of a database of our own. */
const postgresClient = ({ url }: PostgresAddress) =>
  PgClient.layer({
    url,
    applicationName: "plane-sync",
    maxConnections,
    connectTimeout: "4 seconds",
    idleTimeout: "1 minute",
    stream: watchedSocket
  })

const open = Effect.fnUntraced(function*(where: string) {
  const client = yield* PgClient.PgClient
  yield* migratePostgres(where)
  const { answersAgain, read, write } = yield* makeTransactions(where)
  return {
    sql: makeSharedSql(client),
    where,
    read,
    write,
    writeAlone: write,
    shared: false,
    joins: Effect.succeed(false),
    index: undefined,
    check: undefined,
    answersAgain,
    elsewhere: yield* makeElsewhere(client)
  }
})

/**
 * Opens a Postgres until the scope closes. The tag of the running transaction is global, so a transaction that a host
 * has open is taken out of the context: otherwise our statements would go to the host's database.
 */
export const openOwnPostgres = (address: PostgresAddress) =>
  Effect.flatMap(inOwnScope(Layer.build(postgresClient(address))), (clients) =>
    Effect.mapInputContext(
      open(address.where),
      (context: Context.Context<Migrations | Scope.Scope>) =>
        Context.merge(Context.omit(TransactionConnection)(context), clients)
    ))
