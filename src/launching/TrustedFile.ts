import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { Data, Effect, Option } from "effect"
import { delimiter, dirname, join, resolve } from "node:path"
import type { CommandLine } from "./AgentConfig.js"
import { agentSettings } from "./AgentConfig.js"

const { name: setting } = agentSettings.command.definition

/** A file decides what plane-sync runs, and somebody else could write it; or the program is not there. */
export class UntrustedFile extends Data.TaggedError("UntrustedFile")<{ readonly message: string }> {}

const othersMayWrite = 0o022
const mayBeRun = 0o111
// In a folder like /tmp nobody can replace what is another's.
const sticky = 0o1000

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, "0")

/** Whoever can write a file that decides what runs, or a folder on the way to it, decides what runs with our rights. */
const checkWriters = (path: string, { mode, type, uid }: FileSystem.File.Info) => {
  const owner = Option.getOrUndefined(uid)
  const us = process.getuid?.()
  const isFolder = type === "Directory"
  if ((mode & othersMayWrite) !== 0 && !(isFolder && (mode & sticky) !== 0)) {
    return new UntrustedFile({
      message: `${setting}: ${isFolder ? "the folder " : ""}${path} has the mode ${octal(mode)}, so others can ` +
        `${
          isFolder ? "put something else in it" : "write to it"
        }, and choose what plane-sync runs: expected one that ` +
        `only its owner can write to (chmod go-w ${path})`
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

/** The folders that a path goes through, the nearest first. */
const foldersOf = (path: string): ReadonlyArray<string> => {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersOf(folder)]
}

/**
 * Fails if somebody else could write a file that decides what runs, or put another one in its place: also where a link
 * leads to.
 */
export const checkTrusted = (
  path: string
): Effect.Effect<void, UntrustedFile | PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { realPath, stat } = yield* FileSystem.FileSystem
    const real = yield* realPath(path)
    for (const each of new Set([path, ...foldersOf(resolve(path)), ...foldersOf(real)])) {
      yield* checkWriters(each, yield* stat(each))
    }
  })

/** The places where a program of this name may be, as `execvp` looks for it. */
const places = (program: string): ReadonlyArray<string> =>
  program.includes("/")
    ? [program]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, program))

/** The arguments that name files: one of them may be the script that an interpreter runs. */
const filesOf = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { stat } = yield* FileSystem.FileSystem
    return yield* Effect.filter(args, (arg) =>
      Effect.match(stat(arg), { onFailure: () => false, onSuccess: ({ type }) => type === "File" }))
  })

/**
 * Fails if the program of a command is not there, cannot be run, or could be written by somebody else; or a file could
 * that is an argument of it.
 */
export const checkProgram = (
  [program, ...args]: CommandLine
): Effect.Effect<void, UntrustedFile | PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { stat } = yield* FileSystem.FileSystem
    const shown = JSON.stringify(program)
    const found = yield* Effect.forEach(places(program), (path) =>
      Effect.map(Effect.option(stat(path)), Option.map((info) => ({ path, info }))))
    const files = found.flatMap(Option.toArray)
    const runnable = files.find(({ info: { mode, type } }) =>
      type === "File" && (mode & mayBeRun) !== 0
    )
    if (runnable !== undefined) {
      return yield* Effect.forEach([runnable.path, ...(yield* filesOf(args))], checkTrusted, { discard: true })
    }
    const [first] = files
    return yield* new UntrustedFile({
      message: first === undefined
        ? `${setting}: there is no ${shown}${program.includes("/") ? "" : " in PATH"}: expected a program`
        : first.info.type === "File"
        ? `${setting}: ${first.path} cannot be executed: expected a program (chmod +x ${first.path})`
        : `${setting}: ${first.path} is no file: expected a program`
    })
  })
