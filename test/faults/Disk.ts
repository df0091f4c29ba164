import * as FileSystem from "@effect/platform/FileSystem"
import type { Scope } from "effect"
import { Effect, Option } from "effect"
import { execFile } from "node:child_process"
import type { Sql } from "../../src/storage/Sql.js"
import type { Scene } from "./Scene.js"

const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.async<boolean>((resume) => {
    execFile(program, args, (error) => resume(Effect.succeed(error === null)))
  })

/** Mounts something until the scope closes. Returns whether we may. */
export const mount = (at: string, ...args: ReadonlyArray<string>): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.acquireRelease(
    run("mount", ...args, at),
    // Unmounted lazily, because a file that is still open must not prevent it.
    (mounted) => mounted ? run("umount", "-l", at) : Effect.void
  )

/** Mounts a disk of 8 MiB at a folder until the scope closes. Returns whether we may mount one. */
export const mountSmall = (directory: string): Effect.Effect<boolean, never, Scope.Scope> =>
  mount(directory, "-t", "tmpfs", "-o", "size=8m", "plane-sync-faults")

/** Fills a small disk with a file, to its last byte. */
export const byBallast = (directory: string) =>
  Effect.map(FileSystem.FileSystem, (files): Scene["disk"] => {
    const ballast = `${directory}/ballast`
    const grow = (bytes: number) => files.writeFile(ballast, new Uint8Array(bytes), { flag: "a" })
    const until = (bytes: number): Effect.Effect<void> =>
      Effect.flatMap(
        Effect.option(grow(bytes)),
        Option.match({
          onNone: () => Effect.void,
          onSome: () => until(bytes)
        })
      )
    return { fill: Effect.zipRight(until(65_536), until(512)), free: Effect.orDie(files.remove(ballast)) }
  })

/** Fills the disk without a mount: SQLite itself is told that there are no more pages. */
export const byPages = (sql: Sql): Scene["disk"] => {
  const limit = (pages: number) => Effect.asVoid(Effect.orDie(sql`${sql.literal(`PRAGMA max_page_count = ${pages}`)}`))
  // A limit below the present size counts as the present size.
  return { fill: limit(1), free: limit(1_073_741_823) }
}
