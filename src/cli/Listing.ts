import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import { DateTime, Effect, Either, Layer } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { Outbox } from "../outbox/Outbox.js"
import { databaseFile, Storage } from "../storage/Storage.js"
import { StorageError } from "../storage/StorageError.js"

export const invalid = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

/** How many lines a list has at most. */
export const limit = Options.integer("limit").pipe(
  Options.withDescription("At most so many, 1 to 1000"),
  Options.mapEffect((count) =>
    count >= 1 && count <= 1000
      ? Either.right(count)
      : Either.left(invalid(`--limit ${count} is not right: expected 1 to 1000`))
  ),
  Options.withDefault(50)
)

/** A text as a terminal may have it: it comes from anybody, and a terminal obeys control characters. */
export const shown = (text: string) => cleanLine(text, textLimit)

/** Milliseconds since 1970 as people and programs read them. */
export const moment = (millis: number) => DateTime.formatIso(DateTime.unsafeMake(millis)).replace(/\.\d+Z$/, "Z")

/** Rows with their columns below each other. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows.reduce<ReadonlyArray<number>>(
    (widest, row) => row.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    []
  )
  return rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ").trimEnd()).join("\n")
}

/** The database of `ORCH_DATABASE_URL`, also beside a serve. */
export const database = Layer.provideMerge(Outbox.layer, Storage.layer)

/** The same for who only looks: a mistyped path makes no new one. */
export const existingDatabase = Layer.unwrapEffect(
  Effect.gen(function*() {
    const file = yield* databaseFile
    const files = yield* FileSystem.FileSystem
    if (yield* Effect.orElseSucceed(files.exists(file), () => false)) return database
    return yield* new StorageError({ reason: "CannotOpen", where: file, words: "there is no such file" })
  })
)

/** The file that is looked into. */
export const where = Effect.map(Storage, ({ where }) => where)
