import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { replicaStatement, seenReplicas } from "../../src/outbox/Replicas.js"
import { Storage } from "../../src/storage/Storage.js"
import { inPostgres } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"

const noon = Date.UTC(2026, 9, 5, 12)

describePostgres("what doctor tells of replicas", () => {
  it.effect("each, since when it is there, and what it leads; of one that is gone, when it was last seen", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const add = (id: string, pid: number, since: number, seen: number) =>
        write(sql`INSERT INTO plane_sync_replica (id, host, pid, since, seen_at)
          VALUES (${id}, 'alps', ${pid}, ${since}, ${seen})`)
      const leads = (replica: string, project: string) =>
        write(sql`INSERT INTO plane_sync_sender (project, holder, pid, host, since, seen_at, replica)
          VALUES (${project}, ${replica}, 1, 'alps', 0, 0, ${replica})`)
      const told = Effect.map(
        read(sql`${sql.literal(replicaStatement)}`),
        (rows) => seenReplicas(rows, EpochMillis(noon))
      )
      assert.deepStrictEqual(yield* told, Option.none())
      yield* add("a", 11, noon - 3_600_000, noon - 4_000)
      assert.deepStrictEqual(yield* told, Option.none())

      yield* add("b", 12, noon - 60_000, noon + 2_000)
      yield* add("c", 13, noon - 50_000, noon - 16_000)
      yield* add("d", 14, noon - 40_000, noon)
      for (const project of ["*", "ET", "HX"]) yield* leads("a", project)
      yield* leads("b", "OPS")
      assert.deepStrictEqual(
        yield* told,
        Option.some(
          "replicas: process 11 on alps since 2026-10-05T11:00:00Z, leads ET, HX, what is of no project; " +
            "process 12 on alps since 2026-10-05T11:59:00Z, leads OPS; " +
            "process 13 on alps was last seen 2026-10-05T11:59:44Z; " +
            "process 14 on alps since 2026-10-05T11:59:20Z, leads nothing"
        )
      )
    }).pipe(Effect.provide(inPostgres.storage)))
})
