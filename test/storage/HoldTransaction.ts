// Opens a database, and stands still in a transaction that has the row of the leader. To be stopped in it.
import { Effect, Either } from "effect"
import { parseAddress } from "../../src/storage/postgres/Address.js"
import { Storage } from "../../src/StorageLayers.js"

const address = Either.getOrThrow(parseAddress(process.argv[2] ?? ""))

const say = (words: string) => Effect.sync(() => console.log(words))

Effect.flatMap(Storage, ({ sql, write }) =>
  write(
    sql`UPDATE plane_sync_sender SET seen_at = seen_at`.pipe(
      Effect.zipRight(say("holds")),
      Effect.zipRight(Effect.never)
    )
  )).pipe(
    Effect.catchAll(({ reason }) => say(reason)),
    Effect.provide(Storage.layerPostgres(address)),
    Effect.runFork
  )
