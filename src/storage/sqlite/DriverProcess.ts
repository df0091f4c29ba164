import { Effect } from "effect"
import { execFile } from "node:child_process"
import * as Module from "node:module"
import type { StorageError } from "../StorageError.js"
import { storageError } from "../StorageError.js"

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
 * Runs a script of ours in a process of its own, and gives what it printed. The script finds the driver, the file and
 * `args` in `process.argv.slice(1)`. What the driver throws there becomes a `StorageError`.
 *
 * Not within this process: SQLite may read a whole file in one call, during which nothing else would run, and which
 * nothing could end. Without our settings, because they hold secrets.
 */
export const inDriverProcess = (
  where: string,
  script: string,
  ...args: ReadonlyArray<string>
): Effect.Effect<string, StorageError> =>
  Effect.async<string, StorageError>((resume) => {
    try {
      const child = execFile(
        process.execPath,
        ["-e", script, driver(), where, ...args],
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
  })
