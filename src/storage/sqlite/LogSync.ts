import type { Scope } from "effect"
import { Context, Effect, Exit } from "effect"
import { closeSync, fdatasync, openSync } from "node:fs"
import { makeSignal } from "../../base/Signal.js"
import { StorageError, storageError } from "../StorageError.js"
import type { LogEnd } from "./WalIndex.js"

/** How a file's content is brought to the disk; a test has its own. */
export class Disk extends Context.Reference<Disk>()("plane-sync/Disk", {
  defaultValue: (): { readonly sync: (descriptor: number, done: (error: Error | null) => void) => void } => ({
    sync: fdatasync
  })
}) {}

/** The wait for the disk, which COMMIT itself does not wait for: that would hold the event loop. */
export interface LogSync {
  /**
   * Waits until everything that is committed now, by whatever process, is on disk. It fails if the disk does not
   * confirm it. Then what was committed may be there or not.
   */
  readonly onDisk: Effect.Effect<void, StorageError>
  /** Fails while the disk does not answer, and for good once it has refused. */
  readonly refuseUnsynced: Effect.Effect<void, StorageError>
  /** Refuses for good, because the disk has refused another sync of the file. */
  readonly refuse: (words: string) => Effect.Effect<void>
  /** Completes the next time that the disk answers again after it was silent for too long. */
  readonly answersAgain: Effect.Effect<void>
}

// By the computer's time and not by Effect's clock, because the disk does not wait for a clock that a test moves.
const patienceMillis = 5_000

type Resume = (exit: Exit.Exit<void, StorageError>) => void

/**
 * Opens the log of a file beside SQLite. Those who wait share a sync, which runs in a thread of Node's pool. The log is
 * no file that SQLite locks, so that closing it here releases no lock. `endOfLog` says how far the log reaches.
 *
 * After a sync that has failed, a later one that succeeds proves nothing: the system may have dropped what could not be
 * written. So nothing more is accepted then.
 */
export const makeLogSync = (
  where: string,
  log: string,
  endOfLog: () => LogEnd | undefined
): Effect.Effect<LogSync, StorageError, Scope.Scope> =>
  Effect.gen(function*() {
    const { sync } = yield* Disk
    const { mark, notify, since } = yield* makeSignal
    let waiting: Array<Resume> = []
    let group: Array<Resume> = []
    let isRunning = false
    let synced: LogEnd | undefined
    let refused: StorageError | undefined
    let whenIdle = () => {}
    const closeIfIdle = () => {
      if (!isRunning) whenIdle()
    }

    const descriptor = yield* Effect.acquireRelease(
      Effect.try({ try: () => openSync(log, "r+"), catch: storageError(where) }),
      (descriptor) =>
        Effect.async<void>((resume) => {
          const timer = setTimeout(() => resume(Effect.void), patienceMillis)
          // Not before: the descriptor could be that of another file by the time a sync begins that waits for a thread.
          whenIdle = () => {
            whenIdle = () => {}
            clearTimeout(timer)
            closeSync(descriptor)
            resume(Effect.void)
          }
          closeIfIdle()
        })
    )

    const answer = (exit: Exit.Exit<void, StorageError>) => {
      const answered = group
      group = []
      for (const resume of answered) resume(exit)
    }
    const isForGood = () => refused?.reason === "NotSynced"
    const giveUp = (error: StorageError) => {
      if (!isForGood()) refused = error
      group = [...group, ...waiting]
      waiting = []
      answer(Exit.fail(error))
    }

    const notSynced = (words: string) => new StorageError({ reason: "NotSynced", where, words, unknown: true })

    const confirmed = (end: LogEnd | undefined) => {
      if (isForGood()) return
      synced = end
      if (refused !== undefined) {
        refused = undefined
        Effect.runSync(notify)
      }
      answer(Exit.void)
      next()
    }

    const next = () => {
      if (isRunning || waiting.length === 0) return
      isRunning = true
      group = waiting
      waiting = []
      const end = endOfLog()
      let isAnswered = false
      const timer = setTimeout(() => {
        // A loop that was held up for so long has not looked yet whether there is an answer.
        setImmediate(() => {
          if (isAnswered) return
          giveUp(new StorageError({ reason: "Silent", where, words: "no answer within 5 seconds", unknown: true }))
        })
      }, patienceMillis)
      sync(descriptor, (error) => {
        clearTimeout(timer)
        isAnswered = true
        isRunning = false
        if (error === null) confirmed(end)
        else giveUp(notSynced(error.message))
        closeIfIdle()
      })
    }

    const isSynced = () => {
      const end = endOfLog()
      return end !== undefined && synced !== undefined && end.log === synced.log && end.frames <= synced.frames
    }

    return {
      onDisk: Effect.async<void, StorageError>((resume) => {
        if (refused !== undefined) return resume(Exit.fail(refused))
        if (isSynced()) return resume(Exit.void)
        waiting.push(resume)
        next()
      }),
      // What is refused before it has begun is not there.
      refuseUnsynced: Effect.suspend(() =>
        refused === undefined ? Effect.void : new StorageError({ reason: refused.reason, where, words: refused.words })
      ),
      refuse: (words) => Effect.sync(() => giveUp(notSynced(words))),
      answersAgain: Effect.flatMap(mark, since)
    }
  })
