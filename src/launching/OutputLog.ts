import { Effect, Option } from "effect"
import { counted } from "../base/Text.js"
import type { AgentProcess, Ended } from "./AgentProcess.js"
import { makeOutputLines } from "./OutputLines.js"

const lookEvery = "250 millis"
const chunk = 16 * 1024

/** What nobody reads any more is thrown away when the file has grown to this size, in bytes. */
const fileLimit = 1024 * 1024

/**
 * Logs what a process prints, line by line, until it has ended; says how it has ended. What its children print after
 * that is not logged. A file that cannot be read is no trouble of the agent's: then nothing is logged.
 */
export const logOutput = (
  { ended, output }: AgentProcess,
  log: (line: string) => Effect.Effect<void>
): Effect.Effect<Ended> =>
  Effect.gen(function*() {
    const lines = makeOutputLines()
    const buffer = new Uint8Array(chunk)
    let position = 0
    let dropped = 0

    const logAll = (all: ReadonlyArray<string>) => Effect.forEach(all, log, { discard: true })

    const read = Effect.gen(function*() {
      const { size } = yield* Effect.tryPromise(() => output.stat())
      // Somebody has opened it anew by its path in /proc, and emptied it.
      if (size < position) position = 0
      while (lines.room() > 0) {
        const length = Math.min(chunk, lines.room())
        const { bytesRead } = yield* Effect.tryPromise(() => output.read(buffer, 0, length, position))
        if (bytesRead === 0) return
        position += bytesRead
        yield* logAll(lines.take(buffer.subarray(0, bytesRead)))
      }
      const { size: now } = yield* Effect.tryPromise(() => output.stat())
      dropped += Math.max(0, now - position)
      position = now
      if (now < fileLimit) return
      yield* Effect.tryPromise(() => output.truncate(0))
      position = 0
    }).pipe(Effect.catchAll((error) => Effect.logDebug("the output of an agent cannot be read", error)))

    for (;;) {
      const exit = yield* Effect.timeoutOption(ended, lookEvery)
      yield* read
      if (Option.isNone(exit)) continue
      yield* logAll(lines.end())
      if (dropped > 0) yield* log(`… and ${counted(dropped, "more byte", "more bytes")}, not logged`)
      return exit.value
    }
  })
