import { Effect, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { toTheSecond } from "../base/Time.js"
import { named } from "../outbox/Leader.js"
import { seenReplicas } from "../outbox/Replicas.js"
import { seenLeader } from "../outbox/SeenLeader.js"
import type { Migrations } from "../storage/Migrations.js"
import { databaseAddress } from "../storage/Storage.js"
import { lastHeard } from "../webhooks/LastHeard.js"
import type { Source } from "../webhooks/WebhookConfig.js"
import { checkFile, checkSpaceFor, judgeIntegrity } from "./FileChecks.js"
import type { Outcome } from "./Finding.js"
import { found, having, Passed, Skipped, Warned } from "./Finding.js"
import { checkPostgres } from "./PostgresChecks.js"

/** What the database tells that other checks ask. */
export interface Database {
  /** Whether a process sends from it now. */
  readonly isServed: boolean
  readonly heard: ReadonlyMap<Source, EpochMillis>
}

/** What was found in the database. */
interface Looked {
  /** What it answers to `toldByDatabase`. */
  readonly told: ReadonlyArray<ReadonlyArray<unknown> | null>
  /** What SQLite finds wrong with the whole file. */
  readonly damage: string | undefined
  /** Whether processes on other machines may use it too. */
  readonly isShared: boolean
}

const wrongSetting = Skipped({ why: "a setting that it needs is wrong" })

const ofPostgres = Skipped({ why: "a Postgres looks after its own files" })

/** The database, without making or changing it. */
export const checkDatabase: Effect.Effect<Outcome<Looked>, never, Migrations> = Effect.gen(function*() {
  const address = yield* Effect.either(databaseAddress)
  if (address._tag === "Left") return found(wrongSetting)
  if (address.right._tag === "Postgres") {
    const { findings, value } = yield* checkPostgres(address.right)
    return { findings, value: value && { told: value.rows, damage: undefined, isShared: true } }
  }
  const { findings, value } = yield* checkFile(address.right.path)
  return { findings, value: value && { told: value.rows, damage: value.damage, isShared: false } }
})

/** Whether the file is whole. It has been read as a whole already. */
export const checkIntegrity = ({ damage }: Looked): Effect.Effect<Outcome<never>> =>
  Effect.match(databaseAddress, {
    onFailure: () => found(wrongSetting),
    onSuccess: (address) => found(address._tag === "Postgres" ? ofPostgres : judgeIntegrity(address.path, damage))
  })

/** The space that is left where the file is, or would be. */
export const checkSpace: Effect.Effect<Outcome<never>> = Effect.matchEffect(databaseAddress, {
  onFailure: () => Effect.succeed(found(wrongSetting)),
  onSuccess: (address) => address._tag === "Postgres" ? Effect.succeed(found(ofPostgres)) : checkSpaceFor(address.path)
})

/** Who sends what the database owes, and what it knows of senders of webhooks. */
export const checkLeader = ({ isShared, told: [leaders, heard, replicas] }: Looked): Effect.Effect<Outcome<Database>> =>
  Effect.map(seenLeader(leaders ?? [], { isShared }), (leader) => {
    const isServed = leader?.active === true
    const others = Option.match(seenReplicas(replicas), { onNone: () => "", onSome: (words) => `; ${words}` })
    // Others may send for their destinations all the same.
    const nobody = others === "" ? "no process sends" : "no replica leads what is of no project"
    return having(
      { isServed, heard: lastHeard(heard ?? []) },
      isServed
        ? Passed({ seen: `${named(leader)} has been sending since ${toTheSecond(leader.since)}${others}` })
        : Warned({
          seen: (leader === undefined
            ? nobody
            : `${nobody}: ${named(leader)} has ended without a word`) + others,
          mend: "plane-sync serve"
        })
    )
  })
