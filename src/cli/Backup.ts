import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import { Console, Effect, Option } from "effect"
import { backUp } from "../storage/sqlite/Backup.js"
import { existingFile } from "./Database.js"
import { lineOf } from "./Help.js"
import { wrongUse } from "./WrongUse.js"

const copy = Args.text({ name: "file" }).pipe(Args.withDescription("The copy to make. A file that exists is refused"))

/** `plane-sync backup <file>`: a copy of the database, also while it is written to. */
export const backup = Command.make("backup", { copy }, ({ copy }) =>
  Effect.gen(function*() {
    const existing = yield* existingFile
    if (Option.isNone(existing)) return yield* wrongUse("a Postgres is backed up by its own tools, such as pg_dump")
    const file = existing.value
    if (!(yield* backUp(file, copy))) {
      return yield* wrongUse(`${copy} exists, and a backup overwrites nothing: name a new file`)
    }
    yield* Console.log(copy)
    yield* Console.error(`This is ${file} as it was a moment ago, checked and on disk.`)
  })).pipe(Command.withDescription(lineOf("backup")))
