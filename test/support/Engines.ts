import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type { Scope } from "effect"
import { Effect, Layer, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe } from "vitest"
import { parseAddress } from "../../src/storage/postgres/Address.js"
import type { Storage } from "../../src/storage/Storage.js"
import type { StorageError } from "../../src/storage/StorageError.js"
import { Storage as Layers } from "../../src/StorageLayers.js"
import { immediateDisk } from "./ImmediateDisk.js"
import { describePostgres, filledPostgresUrl } from "./Postgres.js"

/** A way in which storage can be kept. */
export interface Engine {
  readonly name: string
  readonly dialect: "sqlite" | "postgres"
  /** Whether the client is a host's. */
  readonly hosts: boolean
  /** Whether a database is still there when it is opened again. */
  readonly lasts: boolean
  /**
   * A database of its own, which is gone when the scope closes. Each use of the layer (`Layer.fresh`) opens it once
   * more, as another process would.
   */
  readonly database: Effect.Effect<Layer.Layer<Storage, StorageError>, never, Scope.Scope>
  /** A new database each time that it is built. */
  readonly storage: Layer.Layer<Storage, StorageError>
}

const temporaryFile = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-engine-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(Effect.map((folder) => join(folder, "events.sqlite")))

const engine = (of: Omit<Engine, "storage">): Engine => ({ ...of, storage: Layer.unwrapScoped(of.database) })

export const inMemory = engine({
  name: "SQLite in memory",
  dialect: "sqlite",
  hosts: false,
  lasts: false,
  database: Effect.succeed(Layer.provide(Layers.layerFile(":memory:"), immediateDisk))
})

export const inFile = engine({
  name: "a SQLite file",
  dialect: "sqlite",
  hosts: false,
  lasts: true,
  database: Effect.map(temporaryFile, (file) => Layer.provide(Layers.layerFile(file), immediateDisk))
})

export const inHostsFile = engine({
  name: "a host's SQLite client",
  dialect: "sqlite",
  hosts: true,
  lasts: true,
  database: Effect.map(
    temporaryFile,
    (filename) => Layer.provide(Layers.layerSql, Layer.orDie(SqliteClient.layer({ filename })))
  )
})

const addressed = (url: Redacted.Redacted) => Layers.layerPostgres(Effect.runSync(parseAddress(Redacted.value(url))))

/** A new database of Postgres that has all tables. */
export const migratedUrl = filledPostgresUrl((url) => Effect.scoped(Layer.build(addressed(url))))

export const inPostgres = engine({
  name: "Postgres",
  dialect: "postgres",
  hosts: false,
  lasts: true,
  database: Effect.map(migratedUrl, addressed)
})

export const inHostsPostgres = engine({
  name: "a host's Postgres client",
  dialect: "postgres",
  hosts: true,
  lasts: true,
  database: Effect.map(migratedUrl, (url) => Layer.provide(Layers.layerSql, Layer.orDie(PgClient.layer({ url }))))
})

/** The same tests on each database, each opened as our own: for statements, which do not know whose client runs them. */
export const onEachDialect = (name: string, tests: (engine: Engine) => void): void => {
  describe(`${name} on ${inFile.name}`, () => tests(inFile))
  describePostgres(`${name} on ${inPostgres.name}`, () => tests(inPostgres))
}

/**
 * The same tests on each engine: what holds wherever the rows are kept. On Postgres, a TestClock does not wait for what
 * the driver does: read the time from it, and use `it.live` where something must pass.
 */
export const onEachEngine = (name: string, tests: (engine: Engine) => void): void => {
  for (const engine of [inMemory, inFile, inHostsFile]) describe(`${name} on ${engine.name}`, () => tests(engine))
  for (const engine of [inPostgres, inHostsPostgres]) {
    describePostgres(`${name} on ${engine.name}`, () => tests(engine))
  }
}
