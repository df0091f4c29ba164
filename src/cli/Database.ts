import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect, Layer, Option } from "effect"
import { Outbox } from "../outbox/Outbox.js"
import { databaseAddress, Storage } from "../storage/Storage.js"

/** The database of `ORCH_DATABASE_URL`. A `plane-sync serve` may run on it at the same time. */
export const database = Layer.provideMerge(Outbox.layer, Storage.layer)

/** There is no database at all. */
export class NoDatabase extends Data.TaggedError("NoDatabase")<{ readonly file: string }> {
  override get message(): string {
    return `there is no database ${this.file}: plane-sync serve makes it, or check ${databaseAddress.definition.name}`
  }
}

/** The file of the database, which exists; none for a Postgres. */
export const existingFile = Effect.gen(function*() {
  const address = yield* databaseAddress
  if (address._tag === "Postgres") return Option.none<string>()
  const files = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(files.exists(address.path), () => false)) return Option.some(address.path)
  return yield* new NoDatabase({ file: address.path })
})

/** The same for commands that only look: they fail where there is no file, so that a mistyped path makes no new one. */
export const existingDatabase = Layer.unwrapEffect(Effect.as(existingFile, database))

/** The database, as a person knows it. */
export const databasePath = Effect.map(Storage, ({ where }) => where)
