import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import type { Scope } from "effect"
import { Context, Data, Effect } from "effect"
import { choose, installed } from "../../test/support/PostgresBinaries.js"
import { makeCluster, onDatabase } from "../../test/support/PostgresCluster.js"
import { destinations } from "./Destinations.js"

/** Whether everything is smaller, to see that it runs. The figures then mean little. */
export class Quick extends Context.Reference<Quick>()("bench/Quick", { defaultValue: () => false }) {}

class NoPostgres extends Data.TaggedError("NoPostgres")<{ readonly why: string }> {
  override get message(): string {
    return `There is nothing to measure replicas on: ${this.why}`
  }
}

/** What replicas run on. All of it is gone when the scope closes. */
export interface Scene {
  /** The address of a new database on the one Postgres, which waits for the disk as the file does. */
  readonly postgres: Effect.Effect<string>
  /** The path of a new file. */
  readonly sqlite: Effect.Effect<string>
  /** The settings with these projects. */
  readonly settings: (projects: ReadonlyArray<number>) => Effect.Effect<Readonly<Record<string, string>>, unknown>
}

export const makeScene: Effect.Effect<Scene, unknown, Scope.Scope> = Effect.gen(function*() {
  const chosen = choose(undefined, installed)
  if (chosen._tag !== "Own") return yield* new NoPostgres({ why: chosen._tag === "None" ? chosen.why : "" })
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-bench-" })
  const cluster = yield* makeCluster(chosen.folder, { durable: true })
  let made = 0
  return {
    postgres: Effect.suspend(() => {
      const name = `bench_${++made}`
      return Effect.as(
        onDatabase(cluster.url("postgres"), (sql) => sql.unsafe(`CREATE DATABASE ${name}`)),
        cluster.url(name)
      )
    }),
    sqlite: Effect.sync(() => `${folder}/bench-${++made}.sqlite`),
    settings: (projects: ReadonlyArray<number>) =>
      Effect.provideService(destinations(folder, projects), FileSystem.FileSystem, files)
  }
}).pipe(Effect.provide(NodeFileSystem.layer))
