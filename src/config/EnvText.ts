import * as FileSystem from "@effect/platform/FileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { Config, Data, Effect } from "effect"

/** A line of a file `.env` that sets a variable. */
const assignment = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:[ \t])/

const nameIn = (line: string): string | undefined => assignment.exec(line)?.[1]

/** The variables that the text of a file `.env` sets, as far as each begins a line. */
export const namesIn = (text: string): ReadonlyArray<string> =>
  text.split(/\r?\n/).flatMap((line) => nameIn(line) ?? [])

/** A value that no line of a file `.env` can hold. It is not repeated, because it may be a secret. */
export class Unwritable extends Data.TaggedError("Unwritable")<{ readonly name: string }> {
  override get message(): string {
    return `the value of ${this.name} cannot be written into a file .env beside what stands there: set the variable in ` +
      "the environment instead"
  }
}

const plain = /^[\w.:/@+=,%~-]*$/

/** The value as it is read again: in a quote that it does not have, with dollar signs that are meant. */
const written = (value: string): string => {
  if (plain.test(value)) return value
  const quote = ["'", "`", "\""].find((each) => !value.includes(each)) ?? "'"
  return quote + value.replaceAll("$", "\\$") + quote
}

const readBack = (text: string) =>
  PlatformConfigProvider.fromDotEnv(".env").pipe(
    Effect.provide(FileSystem.layerNoop({ readFileString: () => Effect.succeed(text) })),
    Effect.map((provider) => (name: string) => provider.load(Config.withDefault(Config.string(name), undefined)))
  )

/** Puts the variables into the lines: each where it stands, or where `#NAME=` stands, or at the end. */
const extended = (
  lines: ReadonlyArray<string>,
  set: ReadonlyMap<string, string>,
  without: ReadonlySet<string>
): ReadonlyArray<string> => {
  const active = new Set(lines.flatMap((line) => nameIn(line) ?? []))
  const done = new Set<string>()
  const kept = lines.flatMap((line) => {
    const name = nameIn(line)
    if (name !== undefined && without.has(name)) return [`#${line}`]
    const place = name ?? nameIn(line.replace(/^#(?=\S)/, ""))
    const value = place === undefined ? undefined : set.get(place)
    if (place === undefined || value === undefined || (name === undefined && active.has(place))) return [line]
    // A second line would win over the first.
    if (done.has(place)) return []
    done.add(place)
    return [`${place}=${written(value)}`]
  })
  const added = Array.from(set).filter(([name]) => !done.has(name)).map(([name, value]) => `${name}=${written(value)}`)
  const end = kept.at(-1) === "" ? kept.slice(0, -1) : kept
  return [...end, ...added, ""]
}

/**
 * The text of a file `.env` with these variables set, and those of `without` turned into comments. All else that stands
 * there keeps its value. It is read back to show this.
 */
export const withVariables = (
  before: string,
  set: ReadonlyMap<string, string>,
  without: ReadonlySet<string>
): Effect.Effect<string, Unwritable> =>
  Effect.gen(function*() {
    const lines = before === "" ? [] : before.split(/\r?\n/)
    const after = extended(lines, set, without).join("\n")
    const was = yield* readBack(before)
    const is = yield* readBack(after)
    for (const name of new Set([...namesIn(before), ...namesIn(after), ...set.keys()])) {
      const expected = without.has(name) ? undefined : set.get(name) ?? (yield* was(name))
      if ((yield* is(name)) !== expected) return yield* new Unwritable({ name })
    }
    return after
  }).pipe(
    // Nothing else can fail here: file and variables are texts in memory.
    Effect.catchAll((error) => error instanceof Unwritable ? error : Effect.die(error))
  )
