import type * as SqlClient from "@effect/sql/SqlClient"
import type { ConfigError } from "effect"
import { Layer } from "effect"
import { schemaLayer } from "./Schema.js"
import type { PostgresAddress } from "./storage/postgres/Address.js"
import { Storage as StorageService } from "./storage/Storage.js"
import type { StorageError } from "./storage/StorageError.js"

/**
 * The SQL edge. The layers are those of `storage/Storage.ts`, and what is said of them there holds here. They also
 * bring the tables of all rooms.
 */
export class Storage extends StorageService {
  static override readonly layer: Layer.Layer<StorageService, StorageError | ConfigError.ConfigError> = Layer.provide(
    StorageService.layer,
    schemaLayer
  )

  static override readonly layerFile = (filename: string): Layer.Layer<StorageService, StorageError> =>
    Layer.provide(StorageService.layerFile(filename), schemaLayer)

  static override readonly layerPostgres = (address: PostgresAddress): Layer.Layer<StorageService, StorageError> =>
    Layer.provide(StorageService.layerPostgres(address), schemaLayer)

  static override readonly layerSql: Layer.Layer<StorageService, StorageError, SqlClient.SqlClient> = Layer.provide(
    StorageService.layerSql,
    schemaLayer
  )
}
