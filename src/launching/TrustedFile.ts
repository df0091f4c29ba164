import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect, Option } from "effect"
import { delimiter, join } from "node:path"
import type { CommandLine } from "./AgentConfig.js"
import { agentSettings } from "./AgentConfig.js"

const { name: setting } = agentSettings.command.definition

/** A file decides what plane-sync runs, and somebody else could write it; or the program is not there. */
export class UntrustedFile extends Data.TaggedError("UntrustedFile")<{ readonly message: string }> {}

const othersMayWrite = 0o022
const mayBeRun = 0o111

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, "0")

/** Whoever can write a file that names a command, or the command, decides what runs with our rights. */
const checkWriters = (path: string, { mode, uid }: FileSystem.File.Info) => {
  const owner = Option.getOrUndefined(uid)
  const us = process.getuid?.()
  if ((mode & othersMayWrite) !== 0) {
    return new UntrustedFile({
      message:
        `${setting}: ${path} has the mode ${octal(mode)}, so others can write to it, and choose what plane-sync ` +
        `runs: expected one that only its owner can write to (chmod go-w ${path})`
    })
  }
  return owner === undefined || us === undefined || owner === us || owner === 0
    ? Effect.void
    : new UntrustedFile({
      message:
        `${setting}: ${path} belongs to the user ${owner}, who can choose what plane-sync runs: expected it to ` +
        `belong to the user ${us}, as which plane-sync runs, or to root`
    })
}

/** Fails if somebody else could write the file that a command was read from. */
export const checkSource = (path: string): Effect.Effect<void, UntrustedFile | PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(
    Effect.flatMap(FileSystem.FileSystem, (files) => files.stat(path)),
    (info) => checkWriters(path, info)
  )

/** The places where a program of this name may be, as `execvp` looks for it. */
const places = (program: string): ReadonlyArray<string> =>
  program.includes("/")
    ? [program]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, program))

/** Fails if the program of a command is not there, cannot be run, or could be written by somebody else. */
export const checkProgram = (
  [program]: CommandLine
): Effect.Effect<void, UntrustedFile, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { stat } = yield* FileSystem.FileSystem
    const shown = JSON.stringify(program)
    const found = yield* Effect.forEach(places(program), (path) =>
      Effect.map(Effect.option(stat(path)), Option.map((info) => ({ path, info }))))
    const files = found.flatMap(Option.toArray)
    const runnable = files.find(({ info: { mode, type } }) =>
      type === "File" && (mode & mayBeRun) !== 0
    )
    if (runnable !== undefined) return yield* checkWriters(runnable.path, runnable.info)
    const [first] = files
    return yield* new UntrustedFile({
      message: first === undefined
        ? `${setting}: there is no ${shown}${program.includes("/") ? "" : " in PATH"}: expected a program`
        : first.info.type === "File"
        ? `${setting}: ${first.path} cannot be executed: expected a program (chmod +x ${first.path})`
        : `${setting}: ${first.path} is no file: expected a program`
    })
  })
