import { Effect } from "effect"
import { execFile } from "node:child_process"
import type { StorageError } from "../StorageError.js"
import { storageError } from "../StorageError.js"
import { driverPath, refuseOldNode } from "./Driver.js"

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
  Effect.zipRight(
    refuseOldNode(where),
    Effect.async<string, StorageError>((resume) => {
      try {
        const child = execFile(
          process.execPath,
          ["-e", script, driverPath(), where, ...args],
          { env: {}, windowsHide: true },
          (error, out, words) => {
            if (error === null) return resume(Effect.succeed(out))
            const [, code] = /code: '(SQLITE_\w+)'/.exec(words) ?? []
            const message = /^\w*Error: (.*)$/m.exec(words)?.[1] ?? error.message
            resume(
              Effect.fail(
                storageError(where)(code === undefined ? message : Object.assign(new Error(message), { code }))
              )
            )
          }
        )
        return Effect.sync(() => child.kill("SIGKILL"))
      } catch (error) {
        return resume(Effect.fail(storageError(where)(error)))
      }
    })
  )
