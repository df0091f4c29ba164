import { Cause, Effect, Schema } from "effect"
import { hasCode } from "../base/ErrorCode.js"

/**
 * Why storage failed.
 *
 * - `Busy`: another transaction kept the database locked for longer than we wait
 * - `Full`: there is no space, or no quota, left for the file
 * - `ReadOnly`: the file or its folder may not be written
 * - `CannotOpen`: the folder does not exist, or this user may not use it
 * - `NotAFile`: what is at the path is a folder or a device
 * - `Moved`: the file that is open, its log or its index is no longer the one at its path: it was moved, deleted or
 *   replaced
 * - `Linked`: the file has more than one path: it is a hard link, or is mounted by itself
 * - `Overwritten`: another program has written into the open file, past SQLite
 * - `NotADatabase`: the file is something else, or so damaged that it cannot be told apart from something else
 * - `Damaged`: a part of the file is missing, or is not what SQLite has written
 * - `NewerSchema`: a newer plane-sync has changed the tables
 * - `NoDriver`: SQLite's driver was installed without its binary, or with that of another Node
 * - `OldNode`: this version of SQLite's driver needs a newer Node
 * - `Silent`: the disk does not confirm what is written
 * - `NotSynced`: the disk has refused to confirm what was written; nothing more is read or written until a restart
 * - `NoClient`: the address is that of a Postgres, and `@effect/sql-pg` is not installed
 * - `Unreachable`: Postgres does not answer, ends, or has no connection left
 * - `Refused`: Postgres does not let us in: user, password, database or permissions are not right
 * - `Closed`: the layer has been shut down
 * - `Failed`: anything else that the database refused
 */
export const StorageReason = Schema.Literal(
  "Busy",
  "Full",
  "ReadOnly",
  "CannotOpen",
  "NotAFile",
  "Moved",
  "Linked",
  "Overwritten",
  "NotADatabase",
  "Damaged",
  "NewerSchema",
  "NoDriver",
  "OldNode",
  "Silent",
  "NotSynced",
  "NoClient",
  "Unreachable",
  "Refused",
  "Closed",
  "Failed"
)
export type StorageReason = typeof StorageReason.Type

/** The database could not be read or written. */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  reason: StorageReason,
  /** The file or the database, named as a person knows it. */
  where: Schema.String,
  /** What the database said, or what we found. */
  words: Schema.String,
  /** It was committed, and may be there or not. Otherwise nothing of the transaction that failed was stored. */
  unknown: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `Storage ${this.where}: ${advice[this.reason]} (${this.words})`
  }
}

const restoreIt = "stop plane-sync, remove the file, its -wal and its -shm, and restore a backup, as docs/setup.md says"

const advice: Record<StorageReason, string> = {
  Busy: "another transaction, of another process or of the host itself, keeps it locked",
  Full: "there is no space left for it",
  ReadOnly: "it may not be written",
  CannotOpen: "it cannot be opened: is the folder there, and may this user write in it?",
  NotAFile: "it is no file: set ORCH_DATABASE_URL to the path of a file, which may be a new one",
  Moved:
    "the file, its log or its index was moved, deleted or replaced: put it back, or restart plane-sync to begin with " +
    "what is there",
  Linked: "it has another path, by which a second program would not see this one's writes: mount the folder, not the " +
    "file, or remove the other name",
  Overwritten: "another program has written into the file while it was open: " + restoreIt,
  NotADatabase: "it is no database of plane-sync, or is damaged: set ORCH_DATABASE_URL to another file, or restore it",
  Damaged: "the file is damaged: " + restoreIt,
  NewerSchema: "a newer version of plane-sync has written it: run that one",
  NoDriver: "better-sqlite3 has no binary for this Node: run `npm rebuild better-sqlite3 --ignore-scripts=false`, " +
    "which needs Python 3, make and a C++ compiler (apt-get install python3 make g++) where none can be fetched",
  OldNode: "better-sqlite3 would crash this Node, which is older than 22",
  Silent: "its disk does not answer. What was just written may be there or not",
  NotSynced: "its disk has failed, and what was just written may be there or not: look at the disk, then restart " +
    "plane-sync",
  NoClient: "@effect/sql-pg is not installed: run `npm install @effect/sql-pg@^0.53`",
  Unreachable: "it does not answer: is Postgres running, is it reachable from here, and has it connections left?",
  Refused: "Postgres does not let plane-sync in: look at the user, the password and the database of " +
    "ORCH_DATABASE_URL, and at what that user may do",
  Closed: "it has been shut down",
  Failed: "the database refused"
}

const reasonOfCode: ReadonlyArray<readonly [prefix: string, reason: StorageReason]> = [
  ["SQLITE_BUSY", "Busy"],
  ["SQLITE_LOCKED", "Busy"],
  ["SQLITE_FULL", "Full"],
  ["SQLITE_READONLY", "ReadOnly"],
  ["SQLITE_CANTOPEN", "CannotOpen"],
  ["SQLITE_NOTADB", "NotADatabase"],
  ["SQLITE_CORRUPT", "Damaged"],
  // The classes and codes of Postgres.
  ["08", "Unreachable"],
  ["57P", "Unreachable"],
  ["53100", "Full"],
  ["53", "Unreachable"],
  ["40001", "Busy"],
  ["40P01", "Busy"],
  ["55P03", "Busy"],
  ["57014", "Busy"],
  ["25006", "ReadOnly"],
  ["25P03", "Busy"],
  ["28", "Refused"],
  ["3D000", "Refused"],
  ["42501", "Refused"],
  ["ECONNREFUSED", "Unreachable"],
  ["ECONNRESET", "Unreachable"],
  ["EPIPE", "Unreachable"],
  ["ETIMEDOUT", "Unreachable"],
  ["EHOSTUNREACH", "Unreachable"],
  ["ENETUNREACH", "Unreachable"],
  ["ENOTFOUND", "Unreachable"],
  ["EAI_AGAIN", "Unreachable"],
  ["ENOSPC", "Full"],
  ["EDQUOT", "Full"],
  ["EROFS", "ReadOnly"],
  ["EACCES", "CannotOpen"],
  ["ENOENT", "CannotOpen"],
  ["ENOTDIR", "CannotOpen"],
  ["EEXIST", "CannotOpen"],
  // The binary is of another version of Node, or of another machine.
  ["ERR_DLOPEN_FAILED", "NoDriver"]
]

const reasonOfWords: ReadonlyArray<readonly [words: RegExp, reason: StorageReason]> = [
  [/directory does not exist/, "CannotOpen"],
  // The driver of Postgres gives these no code.
  [
    /^Connection terminated|^timeout exceeded when trying to connect|not queryable|^Connection timed out/,
    "Unreachable"
  ],
  // The package of the binary was installed without it: with --ignore-scripts, or where it could not be compiled.
  [/^Could not locate the bindings file|^Cannot find module .*better.sqlite3/, "NoDriver"]
]

const hasCause = Schema.is(Schema.Struct({ cause: Schema.Unknown }))

// The client wraps the driver's error, and the migrator wraps the client's. The code is in the innermost.
const codeOf = (thrown: unknown): string | undefined => {
  if (hasCode(thrown)) return thrown.code
  return hasCause(thrown) ? codeOf(thrown.cause) : undefined
}

const wordsOf = (thrown: unknown): string => {
  if (hasCause(thrown) && thrown.cause !== undefined) return wordsOf(thrown.cause)
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Turns what the driver, the client or the file system threw into a `StorageError`. */
export const storageError = (where: string) => (thrown: unknown): StorageError => {
  if (thrown instanceof StorageError) return thrown
  const code = codeOf(thrown)
  const words = wordsOf(thrown)
  const reason = reasonOfCode.find(([prefix]) => code?.startsWith(prefix))?.[1] ??
    reasonOfWords.find(([pattern]) => pattern.test(words))?.[1] ?? "Failed"
  // What follows the first line names every folder that was looked into.
  const [first = words] = reason === "NoDriver" ? words.split(/[:\n]/) : [words]
  return new StorageError({ reason, where, words: first, cause: thrown })
}

/** Turns every failure and every defect of an effect into a `StorageError`. */
export const orStorageError =
  (where: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, StorageError, R> =>
    Effect.catchAllCause(
      effect,
      (cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.fail(storageError(where)(Cause.squash(cause)))
    )

/** Whether another transaction was in the way, so that trying again helps. */
export const isBusy = (error: StorageError): boolean => error.reason === "Busy"

/** Whether the database itself did not answer, so that a COMMIT may have been executed. */
export const isUnreachable = (error: StorageError): boolean => error.reason === "Unreachable"

/** The same trouble, for a write that was not tried because of it. */
export const notTried = ({ cause, reason, where, words }: StorageError): StorageError =>
  new StorageError({ reason, where, words, cause })

/** Whether nothing that is read from the file can be relied on. */
export const isDamage = ({ reason }: StorageError): boolean => reason === "Damaged" || reason === "NotADatabase"

/** Whether it stays so until plane-sync is started again: the file that is open is not used any more. */
export const isForGood = (error: StorageError): boolean =>
  isDamage(error) || ["Overwritten", "NotSynced", "NewerSchema"].includes(error.reason)

/** Whether a single statement may be the reason. All other reasons concern the whole database. */
export const isStatementError = (error: StorageError): boolean => error.reason === "Failed"
