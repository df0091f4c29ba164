import type * as SqlClient from "@effect/sql/SqlClient"
import type { ConfigError } from "effect"
import { Layer } from "effect"
import type { StageEvents } from "./events/StageEvents.js"
import type { LeaderActive } from "./outbox/Leader.js"
import type { PlaneClient } from "./plane/PlaneClient.js"
import { DeadLetters } from "./sending/DeadLetters.js"
import { PlaneSync as Sending } from "./sending/PlaneSync.js"
import type { StorageError } from "./storage/StorageError.js"
import { Storage } from "./StorageLayers.js"

const layerStorage = Layer.provideMerge(DeadLetters.layer, Sending.layerStorage)

/** Sending, with its storage: published events become states and comments in Plane. */
export class PlaneSync extends Sending {
  /** Over a storage, with the services that read it. See `layerStorage` of `sending/PlaneSync.ts`. */
  static override readonly layerStorage: Layer.Layer<
    Layer.Layer.Success<typeof Sending.layerStorage> | DeadLetters,
    Layer.Layer.Error<typeof Sending.layerStorage>,
    Layer.Layer.Context<typeof Sending.layerStorage>
  > = layerStorage

  /** With a SQLite file of its own, at `ORCH_DATABASE_URL`. Settings are read from the environment's `ORCH_PLANE_*`. */
  static readonly layer: Layer.Layer<
    Sending | StageEvents | DeadLetters | PlaneClient,
    ConfigError.ConfigError | LeaderActive | StorageError
  > = Layer.provide(layerStorage, Storage.layer)

  /**
   * In the host's own database (SQLite): a publish inside the host's `sql.withTransaction` is committed, or vanishes,
   * with it. Its tables are named `plane_sync_*`. The layer itself is refused within a transaction.
   */
  static readonly layerSql: Layer.Layer<
    Sending | StageEvents | DeadLetters | PlaneClient,
    ConfigError.ConfigError | LeaderActive | StorageError,
    SqlClient.SqlClient
  > = Layer.provide(layerStorage, Storage.layerSql)
}
