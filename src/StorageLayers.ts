import type * as SqlClient from "@effect/sql/SqlClient"
import type { ConfigError } from "effect"
import { Layer } from "effect"
import { schemaLayer } from "./Schema.js"
import { Storage as StorageService } from "./storage/Storage.js"
import type { StorageError } from "./storage/StorageError.js"

/** The SQL edge, with ways to open a database that bring the tables of all rooms. */
export class Storage extends StorageService {
  /** A SQLite file of our own, at `ORCH_DATABASE_URL`. */
  static override readonly layer: Layer.Layer<StorageService, StorageError | ConfigError.ConfigError> = Layer.provide(
    StorageService.layer,
    schemaLayer
  )

  /** A SQLite file of our own, or `:memory:`. A missing folder is created. */
  static override readonly layerFile = (filename: string): Layer.Layer<StorageService, StorageError> =>
    Layer.provide(StorageService.layerFile(filename), schemaLayer)

  /**
   * The host's own SqlClient, so that a publish joins the host's transaction. Only SQLite is supported so far. How
   * durable a commit is depends on the host's settings: only `synchronous = FULL` survives a power cut. The layer is
   * refused within a transaction.
   */
  static override readonly layerSql: Layer.Layer<StorageService, StorageError, SqlClient.SqlClient> = Layer.provide(
    StorageService.layerSql,
    schemaLayer
  )
}
