import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const text = (path: string) => readFileSync(fileURLToPath(new URL(`../src/${path}`, import.meta.url)), "utf8")

/** What a host gives, and may leave out; and what it makes a layer of, but does not read. */
const given = ["Override", "Pipeline", "PipelineStage", "QualityGate", "StageEvent", "Verdict"]

/** The fields of a query are given, too. */
const query = /^readonly (code|limit|cursor)\?: /

/** The names that a file is asked for: those that a host uses, not those that only its declarations name. */
const exported = (path: string): ReadonlyArray<readonly [name: string, file: string]> =>
  Array.from(
    (text(path).split("// Types alone")[0] ?? "").matchAll(/export (?:type )?\{([^}]*)\} from "\.\/(.*?)\.js"/gs),
    ([, names = "", file = ""]) =>
      names.split(",").map((name) => [name.trim(), `${file}.ts`] as const).filter(([name]) => name !== "")
  ).flat()

/** The declaration of a type, without its comments; nothing of a name that is only a value. */
const declaration = (name: string, file: string): string => {
  const source = text(file).replace(/\/\*.*?\*\//gs, "").replace(/^\s*\/\/.*$/gm, "")
  const start = source.search(new RegExp(`^export (interface|type|class) ${name}\\b`, "m"))
  // Formatted code ends a declaration where the next one begins at the first column.
  return start < 0 ? "" : (/^.*?\n(?=[a-z@])/s.exec(source.slice(start))?.[0] ?? source.slice(start))
}

/** Fields and answers that say "none" otherwise than by Option, and moments that are numbers. */
const others = (type: string): ReadonlyArray<string> =>
  type.split("\n").filter((line) =>
    /^  (\| \{ )?(  )?(readonly )?\w+: .*(\| (undefined|null)\b|EpochMillis)/.test(line.replace(/\([^)]*\) =>/g, "")) ||
    /^  (  )?readonly \w+\?: /.test(line)
  )

describe("what a host reads", () => {
  const all = [...exported("index.ts"), ...exported("HttpLayers.ts")]
  const types = all.map(([name, file]) => [name, file, declaration(name, file)] as const).filter(([, , type]) => type)

  it("is looked at", () => {
    assert.includeMembers(
      types.map(([name]) => name),
      ["Task", "GivenVerdict", "Report", "StoryLine", "Tasks", "OutboxStatus", "DestinationStatus", "ProjectStatus"]
    )
  })

  it("notices the other ways", () => {
    const type =
      "  readonly a: string | undefined\n  readonly b?: string\n  readonly c: EpochMillis\n  readonly d: string"
    assert.lengthOf(others(type), 3)
  })

  it("says that there is none by Option, and moments by DateTime.Utc", () => {
    const wrong = types.filter(([name]) => !given.includes(name))
      .flatMap(([name, , type]) =>
        others(type).filter((line) => !query.test(line.trim())).map((line) => `${name}: ${line.trim()}`)
      )
    assert.deepStrictEqual(wrong, [])
  })
})
