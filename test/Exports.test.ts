import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const text = (path: string) => readFileSync(fileURLToPath(new URL(`../src/${path}`, import.meta.url)), "utf8")

/** What a host gives, and may leave out; what it makes a layer of, but does not read; and what only the tasks note. */
const given = [
  "GivenOrder",
  "Link",
  "Noted",
  "Override",
  "PipelineStage",
  "QualityGate",
  "Question",
  "Received",
  "StageEvent",
  "StageReport",
  "Start",
  "TaskQuery",
  "Verdict"
]

/** Services that only the types of layers name. A host does not have their tags, so it cannot ask them. */
const notHad = ["Gitea", "Integrity", "Leadership", "Outbox", "Projects", "StorageService", "TaskStore"]

/** The fields of a query are given, too; and `cause` is every error's, so that it stays as JavaScript has it. */
const query = /^readonly (code|limit|cursor)\?: |^cause: /

interface Exported {
  /** As a host knows it. */
  readonly name: string
  /** As its file knows it. */
  readonly own: string
  readonly file: string
}

/** The names that a file exports: those that a host uses, and those that only its declarations name. */
const exported = (path: string): ReadonlyArray<Exported> =>
  Array.from(
    text(path).matchAll(/export (?:type )?\{([^}]*)\} from "\.\/(.*?)\.js"/gs),
    ([, names = "", file = ""]) =>
      names.split(",").map((each) => each.trim()).filter((each) => each !== "").map((each): Exported => {
        const [own = each, name = own] = each.split(" as ")
        return { name, own, file: `${file}.ts` }
      })
  ).flat()

/** The declaration of a type, without its comments; nothing of a name that is only a value. */
const declaration = (name: string, file: string): string => {
  const source = text(file).replace(/\/\*.*?\*\//gs, "").replace(/^\s*\/\/.*$/gm, "")
  const start = source.search(new RegExp(`^export (interface|type|class) ${name}\\b`, "m"))
  // Formatted code ends a declaration where the next one begins at the first column.
  return start < 0 ? "" : (/^.*?\n(?=[a-z@])/s.exec(source.slice(start))?.[0] ?? source.slice(start))
}

/**
 * Fields and answers that say "none" otherwise than by Option, and moments that are numbers. Those of an error are a
 * schema's.
 */
const others = (type: string): ReadonlyArray<string> =>
  type.split("\n").filter((line) =>
    /^  (\| \{ )?(  )?(readonly )?\w+: .*(\| (undefined|null)\b|EpochMillis)/.test(line.replace(/\([^)]*\) =>/g, "")) ||
    /^  (  )?readonly \w+\?: /.test(line) ||
    /^  \w+: .*\bSchema\.(optional|NullOr|NullishOr|UndefinedOr)\(/.test(line)
  )

describe("what a host reads", () => {
  const all = [...exported("index.ts"), ...exported("HttpLayers.ts")]
  const types = all.map(({ file, name, own }) => [name, declaration(own, file)] as const).filter(([, type]) => type)

  it("is looked at", () => {
    assert.includeMembers(
      types.map(([name]) => name),
      ["Task", "GivenVerdict", "Report", "StoryLine", "Tasks", "OutboxStatus", "DestinationStatus", "ProjectStatus"]
    )
    const alone = ["PlaneError", "History", "Move", "SignedComment", "Page", "WorkItem", "PersonMove", "Sending"]
    assert.includeMembers(types.map(([name]) => name), alone)
    // Those that are left out are there.
    assert.includeMembers(types.map(([name]) => name), [...given, ...notHad])
  })

  it("notices the other ways", () => {
    const type =
      "  readonly a: string | undefined\n  readonly b?: string\n  readonly c: EpochMillis\n  readonly d: string"
    assert.lengthOf(others(type), 3)
    const error = "  a: Schema.optional(Schema.Int),\n  b: Schema.NullOr(Schema.String),\n  c: orNone(Schema.Int),\n"
    assert.lengthOf(others(error), 2)
  })

  it("says that there is none by Option, and moments by DateTime.Utc", () => {
    const wrong = types.filter(([name]) => !given.includes(name) && !notHad.includes(name))
      .flatMap(([name, type]) =>
        others(type).filter((line) => !query.test(line.trim())).map((line) => `${name}: ${line.trim()}`)
      )
    assert.deepStrictEqual(wrong, [])
  })
})
