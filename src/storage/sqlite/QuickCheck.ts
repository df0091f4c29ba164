import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as Module from "node:module"
import { cleanLine, textLimit } from "../../base/Text.js"
import { StorageError, storageError } from "../StorageError.js"

// Not within this process: SQLite reads the whole file in one call, during which nothing else would run, and which
// nothing could end. Without our settings, because they hold secrets.
const script = `const [driver, file] = process.argv.slice(1)
const database = new (require(driver))(file, { readonly: true, fileMustExist: true, timeout: 5000 })
process.stdout.write(database.pragma("quick_check(3)").map((row) => row.quick_check).join("; "))`

/** Where SQLite's driver is. It belongs to the client's package, and may be installed beside that one alone. */
const driver = (): string => {
  const here = Module.createRequire(import.meta.url)
  try {
    return here.resolve("better-sqlite3")
  } catch {
    return Module.createRequire(here.resolve("@effect/sql-sqlite-node")).resolve("better-sqlite3")
  }
}

/**
 * Reads the whole file in a process of its own, and fails with `Damaged` when SQLite finds fault with it; with any
 * other reason when it could not be checked.
 */
export const quickCheck = (where: string): Effect.Effect<void, StorageError> =>
  Effect.async<string, StorageError>((resume) => {
    try {
      const child = execFile(
        process.execPath,
        ["-e", script, driver(), where],
        { env: {}, windowsHide: true },
        (error, out, words) => {
          if (error === null) return resume(Effect.succeed(out))
          const [, code] = /code: '(SQLITE_\w+)'/.exec(words) ?? []
          const message = /^\w*Error: (.*)$/m.exec(words)?.[1] ?? error.message
          resume(
            Effect.fail(storageError(where)(code === undefined ? message : Object.assign(new Error(message), { code })))
          )
        }
      )
      return Effect.sync(() => child.kill("SIGKILL"))
    } catch (error) {
      return resume(Effect.fail(storageError(where)(error)))
    }
  }).pipe(
    Effect.flatMap((out) =>
      out === "ok" ? Effect.void : new StorageError({ reason: "Damaged", where, words: cleanLine(out, textLimit) })
    )
  )
