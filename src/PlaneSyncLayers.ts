import type * as SqlClient from "@effect/sql/SqlClient"
import type { ConfigError } from "effect"
import { Layer } from "effect"
import { projectsLayer } from "./config/ProjectsConfig.js"
import type { StageEvents } from "./events/StageEvents.js"
import type { LeaderActive } from "./outbox/Leader.js"
import { PlaneSync as Sending } from "./sending/PlaneSync.js"
import type { StorageError } from "./storage/StorageError.js"
import { Storage } from "./StorageLayers.js"

/** Sending, with its storage: published events become states and comments in Plane. */
export class PlaneSync extends Sending {
  /** Sending with its projects, as the settings name them, over a storage. */
  static override readonly layerStorage = Layer.provideMerge(Sending.layerStorage, projectsLayer)

  /** With a SQLite file of its own, at `ORCH_DATABASE_URL`. Settings are read from the environment's `ORCH_PLANE_*`. */
  static readonly layer: Layer.Layer<
    Sending | StageEvents,
    ConfigError.ConfigError | LeaderActive | StorageError
  > = Layer.provide(Sending.layerStorage, [Storage.layer, projectsLayer])

  /**
   * In the host's own database (SQLite): a publish inside the host's `sql.withTransaction` is committed, or vanishes,
   * with it. Its tables are named `plane_sync_*`. The layer itself is refused within a transaction.
   */
  static readonly layerSql: Layer.Layer<
    Sending | StageEvents,
    ConfigError.ConfigError | LeaderActive | StorageError,
    SqlClient.SqlClient
  > = Layer.provide(Sending.layerStorage, [Storage.layerSql, projectsLayer])
}
