import { assert, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { EpochMillis, toTheSecond } from "../../src/base/Time.js"
import { replicaStatement, seenReplicas } from "../../src/outbox/Replicas.js"
import { Storage } from "../../src/storage/Storage.js"
import { inPostgres } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"

describePostgres("what doctor tells of replicas", () => {
  it.effect("each, since when it is there, and what it leads; of one that is gone, when it was last seen", () =>
    Effect.gen(function*() {
      const { read, sql, write } = yield* Storage
      const [{ noon } = { noon: 0 }] = yield* read(sql<{ noon: number }>`SELECT ${sql.clock(EpochMillis(0))} AS noon`)
      const at = (millis: number) => toTheSecond(noon + millis)
      const add = (id: string, pid: number, since: number, seen: number) =>
        write(sql`INSERT INTO plane_sync_replica (id, host, pid, since, seen_at)
          VALUES (${id}, 'alps', ${pid}, ${since}, ${seen})`)
      const leads = (replica: string, project: string) =>
        write(sql`INSERT INTO plane_sync_sender (project, holder, pid, host, since, seen_at, replica)
          VALUES (${project}, ${replica}, 1, 'alps', 0, 0, ${replica})`)
      const told = Effect.map(read(sql`${sql.literal(replicaStatement)}`), seenReplicas)
      assert.deepStrictEqual(yield* told, Option.none())
      yield* add("a", 11, noon - 3_600_000, noon - 4_000)
      assert.deepStrictEqual(yield* told, Option.none())

      yield* add("b", 12, noon - 60_000, noon + 2_000)
      yield* add("c", 13, noon - 50_000, noon - 16_000)
      yield* add("d", 14, noon - 40_000, noon)
      yield* add("e", 15, noon - 30_000, noon - 17_000)
      for (const project of ["*", "ET", "HX"]) yield* leads("a", project)
      yield* leads("b", "OPS")
      yield* leads("e", "APP")
      assert.deepStrictEqual(
        yield* told,
        Option.some(
          `replicas: process 11 on alps since ${at(-3_600_000)}, leads ET, HX, what is of no project; ` +
            `process 12 on alps since ${at(-60_000)}, leads OPS; ` +
            `process 13 on alps was last seen ${at(-16_000)}; ` +
            `process 14 on alps since ${at(-40_000)}, leads nothing; ` +
            `process 15 on alps was last seen ${at(-17_000)}, and nobody else leads APP yet`
        )
      )
    }).pipe(Effect.provide(inPostgres.storage)))
})
