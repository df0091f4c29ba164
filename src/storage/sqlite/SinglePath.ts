import { Effect } from "effect"
import { readFileSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { StorageError, storageError } from "../StorageError.js"

// The kernel escapes blanks and backslashes, and leaves all of UTF-8 as it is.
const unescaped = (field: string) =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))

/** Whether something is mounted at `path` itself, by the text of Linux's /proc/self/mountinfo: its fifth field. */
export const isMountPoint = (mountinfo: string, path: string): boolean =>
  mountinfo.split("\n").some((line) => unescaped(line.split(" ")[4] ?? "") === path)

/** The file has several names. SQLite keeps a log beside each, so that two programs would not see each other. */
export const linked = (where: string, links: bigint): StorageError =>
  new StorageError({ reason: "Linked", where, words: `a hard link: the file has ${links} names` })

const mountinfo = (): string | undefined => {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8")
  } catch {
    return undefined
  }
}

/**
 * Fails where the file at `where` has more than one path: as a hard link, or as a file that is mounted alone. Asked before
 * SQLite opens it, which may write. One that is not there yet will have one path.
 */
export const refuseLinked = (where: string): Effect.Effect<void, StorageError> =>
  Effect.try({
    try: () => {
      const found = statSync(where, { bigint: true, throwIfNoEntry: false })
      if (found === undefined || !found.isFile()) return undefined
      if (found.nlink > 1n) return linked(where, found.nlink)
      const path = realpathSync(where)
      const mounts = mountinfo()
      const mounted = mounts === undefined
        ? found.dev !== statSync(dirname(path), { bigint: true }).dev
        : isMountPoint(mounts, path)
      return mounted
        ? new StorageError({ reason: "Linked", where, words: "something is mounted at the file itself" })
        : undefined
    },
    catch: storageError(where)
  }).pipe(Effect.flatMap((refused) => refused ?? Effect.void))
