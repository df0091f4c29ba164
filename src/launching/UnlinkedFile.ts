import type { Scope } from "effect"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { constants, rmSync } from "node:fs"
import type { FileHandle } from "node:fs/promises"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { LaunchFailed } from "../tasks/LaunchFailed.js"

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR } = constants

const failed = (error: unknown) =>
  new LaunchFailed({ message: `no file could be made in ${tmpdir()} (TMPDIR): ${String(error)}` })

/** A handle that is closed when the scope closes. That it cannot be closed is nobody's trouble. */
const held = (opened: () => Promise<FileHandle>) =>
  Effect.acquireRelease(
    Effect.tryPromise({ try: opened, catch: failed }),
    (handle) => Effect.promise(() => handle.close().catch(() => undefined))
  )

/**
 * A file without a name: it is gone when the last process that has it open has ended. What is written to it is always
 * written at its end, so that it can be emptied while somebody else writes.
 */
export const unlinkedFile: Effect.Effect<FileHandle, LaunchFailed, Scope.Scope> = Effect.suspend(() => {
  const path = join(tmpdir(), `plane-sync-${randomUUID()}`)
  return held(async () => {
    try {
      return await open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0o600)
    } finally {
      rmSync(path, { force: true })
    }
  })
})

/** A file without a name, to be read from its beginning. */
export const unlinkedText = (text: string): Effect.Effect<FileHandle, LaunchFailed, Scope.Scope> =>
  Effect.suspend(() => {
    const path = join(tmpdir(), `plane-sync-${randomUUID()}`)
    return held(async () => {
      try {
        const writing = await open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        await writing.writeFile(text).finally(() => writing.close())
        return await open(path, O_RDONLY)
      } finally {
        rmSync(path, { force: true })
      }
    })
  })
