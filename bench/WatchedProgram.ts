import { Effect, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { programs } from "./ProgramProcess.js"

const mebi = 1024 * 1024

/** What a process's memory is used for, in MB. */
export interface Memory {
  readonly heap: number
  /** Outside the heap, by objects of the heap: the array buffers among them. */
  readonly external: number
  readonly arrayBuffers: number
}

/** The program in a separate process. Its memory can be asked for. */
export interface WatchedProgram {
  /** The resident set in MB: all memory that the machine gives it, SQLite's included. */
  readonly residentSet: Effect.Effect<number>
  /** How many files and sockets it has open. */
  readonly openFiles: Effect.Effect<number>
  /** What it uses now: with garbage, and after a forced collection. */
  readonly memory: Effect.Effect<Memory, unknown>
  readonly collected: Effect.Effect<Memory, unknown>
}

const Usage = Schema.Struct({ heapUsed: Schema.Number, external: Schema.Number, arrayBuffers: Schema.Number })

const probe = fileURLToPath(new URL("MemoryProbe.js", import.meta.url))

/** Starts `plane-sync serve` with these settings only. It is killed when the scope closes. */
export const startWatched = (
  settings: Readonly<Record<string, string>>
): Effect.Effect<WatchedProgram, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--expose-gc", "--import", probe, programs.program, "serve"], {
          env: { PATH: process.env["PATH"], ...settings },
          stdio: ["ignore", "ignore", "ignore", "ipc"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    ),
    (child) => {
      const proc = `/proc/${child.pid ?? 0}`
      const ask = (message: "measure" | "collect") =>
        Effect.async<unknown>((resume) => {
          child.once("message", (answer) => resume(Effect.succeed(answer)))
          child.send(message)
        }).pipe(
          Effect.flatMap(Schema.decodeUnknown(Usage)),
          Effect.map(({ arrayBuffers, external, heapUsed }): Memory => ({
            heap: heapUsed / mebi,
            external: external / mebi,
            arrayBuffers: arrayBuffers / mebi
          })),
          Effect.timeout("30 seconds")
        )
      return {
        residentSet: Effect.sync(() =>
          Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${proc}/status`, "utf8"))?.[1]) / 1_024
        ),
        openFiles: Effect.sync(() => readdirSync(`${proc}/fd`).length),
        memory: ask("measure"),
        collected: ask("collect")
      }
    }
  )
