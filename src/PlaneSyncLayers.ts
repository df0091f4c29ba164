import type * as SqlClient from "@effect/sql/SqlClient"
import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { projectsLayer } from "./config/ProjectsConfig.js"
import type { StageEvents } from "./events/StageEvents.js"
import type { LeaderActive } from "./outbox/Leader.js"
import { PlaneClient } from "./plane/PlaneClient.js"
import { DeadLetters } from "./sending/DeadLetters.js"
import { PlaneProjects } from "./sending/PlaneProjects.js"
import { PlaneSync as Sending } from "./sending/PlaneSync.js"
import type { StorageError } from "./storage/StorageError.js"
import { Storage } from "./StorageLayers.js"

/** The client of the first project, which most hosts have alone. */
const firstClient = Layer.effect(PlaneClient, Effect.map(PlaneProjects, ({ all: [{ client }] }) => client))

const layerStorage = Layer.mergeAll(DeadLetters.layer, firstClient).pipe(
  Layer.provideMerge(Sending.layerStorage),
  Layer.provideMerge(projectsLayer)
)

/** Sending, with its storage: published events become states and comments in Plane. */
export class PlaneSync extends Sending {
  /** Over a storage, with its projects and the services that read it. See `layerStorage` of `sending/PlaneSync.ts`. */
  static override readonly layerStorage: Layer.Layer<
    Layer.Layer.Success<typeof layerStorage>,
    Layer.Layer.Error<typeof layerStorage>,
    Layer.Layer.Context<typeof layerStorage>
  > = layerStorage

  /** With a SQLite file of its own, at `ORCH_DATABASE_URL`. Settings are read from the environment's `ORCH_PLANE_*`. */
  static readonly layer: Layer.Layer<
    Sending | StageEvents | DeadLetters | PlaneClient | PlaneProjects,
    ConfigError.ConfigError | LeaderActive | StorageError
  > = Layer.provide(layerStorage, Storage.layer)

  /**
   * In the host's own database (SQLite): a publish inside the host's `sql.withTransaction` is committed, or vanishes,
   * with it. Its tables are named `plane_sync_*`. The layer itself is refused within a transaction.
   */
  static readonly layerSql: Layer.Layer<
    Sending | StageEvents | DeadLetters | PlaneClient | PlaneProjects,
    ConfigError.ConfigError | LeaderActive | StorageError,
    SqlClient.SqlClient
  > = Layer.provide(layerStorage, Storage.layerSql)
}
