import * as NodeContext from "@effect/platform-node/NodeContext"
import { Effect } from "effect"
import type { Scope } from "effect"
import { execFile } from "node:child_process"
import { build } from "../crash/Build.js"

/** Runs the real program, in a process of its own, on a database. Returns whether it succeeded, and its output. */
export type ProgramRunner = (
  database: string,
  ...args: ReadonlyArray<string>
) => Effect.Effect<{ readonly done: boolean; readonly words: string }>

/** Builds the program. It is removed when the scope closes. */
export const make: Effect.Effect<ProgramRunner, never, Scope.Scope> = build.pipe(
  Effect.orDie,
  Effect.provide(NodeContext.layer),
  Effect.map(({ program }): ProgramRunner => (database, ...args) =>
    Effect.async((resume) => {
      // Nobody listens on port 1, where the program would ask for the leader's health.
      const env = { PATH: process.env["PATH"], ORCH_DATABASE_URL: database, ORCH_PORT: "1" }
      execFile(process.execPath, [program, ...args], { env }, (error, _, words) =>
        resume(Effect.succeed({ done: error === null, words })))
    })
  )
)
