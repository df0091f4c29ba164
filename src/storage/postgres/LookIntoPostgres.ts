import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Option, Schema } from "effect"
import { migrationTable } from "../Migrations.js"
import type { StorageError } from "../StorageError.js"
import { orStorageError } from "../StorageError.js"
import type { PostgresAddress } from "./Address.js"
import { runOnPostgres } from "./Numbers.js"

const Server = Schema.Tuple(Schema.Struct({
  version: Schema.String,
  /** Servers that copy this one's commits. */
  standbys: Schema.Int,
  /** Those of them that a commit waits for; empty if it waits for none. */
  synchronous: Schema.String,
  /** Whether COMMIT waits for the disk at all. */
  durable: Schema.String
}))

const Versions = Schema.Tuple(Schema.Struct({ version: Schema.NullOr(Schema.Int) }))

/** A Postgres as it is, without having made tables in it. */
export interface LookedIntoPostgres {
  readonly server: typeof Server.Type[0]
  /** The last step that its tables have run, 0 if none. */
  readonly version: number
  /** What each of the statements gives; empty while its table is not there. */
  readonly rows: ReadonlyArray<ReadonlyArray<unknown>>
}

/** Reads what a Postgres tells of itself, and the answers to `statements`, which only read. */
export const lookIntoPostgres = (
  address: PostgresAddress,
  statements: ReadonlyArray<string>
): Effect.Effect<LookedIntoPostgres, StorageError> =>
  Effect.gen(function*() {
    const client = yield* PgClient.PgClient
    const connection = yield* client.reserve
    const all = (text: string) => runOnPostgres<object>(connection, text, [])
    const server = yield* Effect.flatMap(
      all(`SELECT current_setting('server_version') AS version,
        (SELECT count(*) FROM pg_stat_replication) AS standbys,
        current_setting('synchronous_standby_names') AS synchronous,
        current_setting('synchronous_commit') AS durable`),
      Schema.decodeUnknown(Server)
    )
    const [{ there }] = yield* Effect.flatMap(
      all(`SELECT CASE WHEN to_regclass('${migrationTable}') IS NULL THEN 0 ELSE 1 END AS there`),
      Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ there: Schema.Int })))
    )
    if (there === 0) return { server: server[0], version: 0, rows: [] }
    const [{ version }] = yield* Effect.flatMap(
      all(`SELECT max(migration_id) AS version FROM ${migrationTable}`),
      Schema.decodeUnknown(Versions)
    )
    const rows = yield* Effect.forEach(statements, (statement) =>
      Effect.map(Effect.option(all(statement)), Option.getOrElse(() => [])))
    return { server: server[0], version: version ?? 0, rows }
  }).pipe(
    Effect.scoped,
    Effect.provide(
      PgClient.layer({ url: address.url, applicationName: "plane-sync doctor", connectTimeout: "4 seconds" })
    ),
    orStorageError(address.where)
  )
