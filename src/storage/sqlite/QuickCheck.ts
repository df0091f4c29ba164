import { Effect } from "effect"
import { cleanLine, textLimit } from "../../base/Text.js"
import { StorageError } from "../StorageError.js"
import { inDriverProcess } from "./DriverProcess.js"

const script = `const [driver, file] = process.argv.slice(1)
const database = new (require(driver))(file, { readonly: true, fileMustExist: true, timeout: 5000 })
process.stdout.write(database.pragma("quick_check(3)").map((row) => row.quick_check).join("; "))`

/**
 * Reads the whole file in a process of its own, and fails with `Damaged` when SQLite finds fault with it; with any
 * other reason when it could not be checked.
 */
export const quickCheck = (where: string): Effect.Effect<void, StorageError> =>
  Effect.flatMap(
    inDriverProcess(where, script),
    (out) =>
      out === "ok" ? Effect.void : new StorageError({ reason: "Damaged", where, words: cleanLine(out, textLimit) })
  )
