import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect } from "effect"

class NotBuilt extends Data.TaggedError("NotBuilt")<{ readonly code: number }> {
  override get message(): string {
    return `bench/slowdisk.c is not built: cc has ended with ${this.code}`
  }
}

/**
 * The variables with which a process has a disk whose syncs take so much longer. Only where the dynamic loader can put
 * a library between, as on Linux.
 */
export const slowDisk = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-bench-" })
  const library = `${folder}/slowdisk.so`
  // Beside package.json, where `npm run` starts everything.
  const code = yield* Command.exitCode(
    Command.make("cc", "-shared", "-fPIC", "-O1", "-o", library, "bench/slowdisk.c", "-ldl")
  )
  if (code !== 0) return yield* new NotBuilt({ code })
  return (millis: number) => ({ LD_PRELOAD: library, SLOW_DISK_MS: String(millis) })
}).pipe(Effect.provide(NodeContext.layer))
