import { Effect } from "effect"
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { Migrations } from "../storage/Migrations.js"
import type { LookedInto } from "../storage/sqlite/LookInto.js"
import { lookInto } from "../storage/sqlite/LookInto.js"
import { databaseAddress } from "../storage/Storage.js"
import { StorageError } from "../storage/StorageError.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, having, Passed, Skipped, Warned } from "./Finding.js"
import { toldByDatabase } from "./ToldByDatabase.js"

const setting = databaseAddress.definition.name

/** The folder that is there, in which missing ones would be made. */
const nearest = (folder: string): string => existsSync(folder) ? folder : nearest(dirname(folder))

const mayWrite = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

const sizeOf = (bytes: number): string => {
  const [size, unit] = bytes < 2 ** 20 ? [bytes / 1024, "KiB"] : bytes < 2 ** 30
    ? [bytes / 2 ** 20, "MiB"]
    : [bytes / 2 ** 30, "GiB"]
  return `${size < 10 ? size.toFixed(1) : String(Math.round(size))} ${unit}`
}

/** What a person does about a file that cannot be used. */
const mendOf = ({ reason, where }: StorageError): string => {
  switch (reason) {
    case "Damaged":
      return "restore a backup, as docs/setup.md says"
    case "NewerSchema":
      return "run the newer version of plane-sync"
    case "Linked":
      return "mount the folder, not the file, or remove the other name"
    case "NotADatabase":
    case "NotAFile":
      return `set ${setting} to another file, which may be a new one`
    default:
      return `see that this user may read and write ${where} and its folder, or set ${setting}`
  }
}

const refused = (error: StorageError): Finding =>
  Failed({ seen: `${error.where}: ${error.words}`, mend: mendOf(error) })

/** A file that is not there yet: whether it can be made. */
const missing = (file: string): Finding => {
  const folder = nearest(dirname(file))
  if (!statSync(folder).isDirectory()) {
    return Failed({ seen: `${file} cannot be made, because ${folder} is no folder`, mend: `set ${setting}` })
  }
  return mayWrite(folder)
    ? Passed({ seen: `${file} is not there yet, and is made when plane-sync serve starts` })
    : Failed({
      seen: `${file} is not there, and this user may not write in ${folder}`,
      mend: `chown or chmod ${folder}, or set ${setting}`
    })
}

const versionOf = (file: string, { version }: LookedInto, known: number): Finding => {
  if (version > known) {
    return refused(
      new StorageError({
        reason: "NewerSchema",
        where: file,
        words: `its tables are of version ${version}, and this plane-sync knows ${known}`
      })
    )
  }
  const size = sizeOf(statSync(file).size)
  return Passed({
    seen: `${file}, ${size}, its tables are of version ${version}` +
      (version < known ? `, and are brought to ${known} by the next start` : "")
  })
}

/** The file: whether it is one of ours, whether it can be written, and the version of its tables. */
export const checkFile: (path: string) => Effect.Effect<Outcome<LookedInto>, never, Migrations> = Effect.fnUntraced(
  function*(path) {
    const file = resolve(path)
    const migrations = yield* Migrations
    if (!existsSync(file)) return found(missing(file))
    return yield* Effect.match(lookInto(file, toldByDatabase), {
      onFailure: (error) => found(refused(error)),
      onSuccess: (looked) => {
        const unwritable = [file, dirname(file)].find((path) => !mayWrite(path))
        return unwritable === undefined
          ? having(looked, versionOf(file, looked, Object.keys(migrations).length))
          : having(
            looked,
            Failed({
              seen: `this user may not write ${unwritable}`,
              mend: `chown or chmod ${unwritable}, or run plane-sync as its owner`
            })
          )
      }
    })
  }
)

/** Whether the file is whole. It has been read as a whole already. */
export const judgeIntegrity = (where: string, damage: string | undefined): Finding =>
  damage === undefined
    ? Passed({ seen: "the file is whole" })
    : refused(new StorageError({ reason: "Damaged", where, words: damage }))

const little = 256 * 2 ** 20
const tooLittle = 16 * 2 ** 20

/** What so many free bytes mean. */
export const judgeSpace = (free: number, folder: string): Finding => {
  const seen = `${sizeOf(free)} are free in ${folder}`
  const mend = "make room there: events are refused when the disk is full"
  return free < tooLittle ? Failed({ seen, mend }) : free < little ? Warned({ seen, mend }) : Passed({ seen })
}

/** The space that is left where the file is, or would be. */
export const checkSpaceFor: (path: string) => Effect.Effect<Outcome<never>> = Effect.fnUntraced(function*(path) {
  const folder = nearest(dirname(resolve(path)))
  const space = yield* Effect.either(Effect.try(() => statfsSync(folder)))
  return found(
    space._tag === "Left"
      ? Skipped({ why: `how much is free in ${folder} is not told` })
      : judgeSpace(space.right.bavail * space.right.bsize, folder)
  )
})
