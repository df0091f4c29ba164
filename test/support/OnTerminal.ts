import { Data, Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"

const script = fileURLToPath(new URL("terminal.py", import.meta.url))

const Ran = Schema.parseJson(Schema.Struct({ shown: Schema.String, status: Schema.Int }))

/** The program did not show what was expected of it. */
export class NotShown extends Data.TaggedError("NotShown")<{ readonly message: string }> {}

/** A pattern of what it shows since the last answer, and what a person types then. */
export type Step = readonly [shown: string, typed: string]

/** Keys that have no letter. */
export const key = { enter: "\r", down: "\u001b[B", interrupt: "\u0003" }

/**
 * A program on a terminal of 80 columns, with a person who answers. `raw` is all that the terminal received, and `shown`
 * the same without colours and moves.
 */
export const onTerminal = (
  argv: ReadonlyArray<string>,
  options: {
    readonly cwd: string
    readonly settings?: Readonly<Record<string, string>>
    readonly steps: ReadonlyArray<Step>
  }
) =>
  Effect.async<string, NotShown>((resume) => {
    const child = spawn("python3", [script], { stdio: ["pipe", "pipe", "pipe"] })
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.on("error", (error) => resume(new NotShown({ message: String(error) })))
    child.on("close", (code) =>
      resume(code === 0 ? Effect.succeed(out) : new NotShown({ message: `it did not go on: ${err}` })))
    child.stdin.end(JSON.stringify({
      argv,
      cwd: options.cwd,
      env: { PATH: process.env["PATH"], HOME: options.cwd, TERM: "xterm", ...options.settings },
      steps: options.steps
    }))
    return Effect.sync(() =>
      child.kill("SIGKILL")
    )
  }).pipe(
    Effect.flatMap(Schema.decode(Ran)),
    Effect.map(({ shown, status }) => ({ raw: shown, shown: stripVTControlCharacters(shown), status }))
  )
