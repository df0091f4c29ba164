import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { commandsOf, helpOf } from "../../src/cli/Help.js"
import { commandLine } from "./CommandLine.js"

const collapsed = (text: string) => text.replace(/\s+/g, " ")

/** What stands below the line of an argument or an option. */
const describing = (lines: ReadonlyArray<string>, term: string): ReadonlyArray<string> => {
  const at = lines.findIndex((line) => line === `  ${term}` || line.startsWith(`  ${term} `))
  if (at === -1) return []
  const after = lines.slice(at + 1)
  const end = after.findIndex((line) => !line.startsWith("      "))
  return after.slice(0, end).map((line) => line.trim()).filter((line) => !line.startsWith("One of the following"))
}

describe("--help at 80 columns", () => {
  it.effect("of every command: no wider, no word broken, each argument explained", () =>
    Effect.gen(function*() {
      const run = commandLine({})
      const all = [[], ...commandsOf([]).map(([name]) => name.split(" "))]
      assert.isAbove(all.length, 20)
      yield* Effect.forEach(all, (words) =>
        Effect.gen(function*() {
          const name = ["plane-sync", ...words].join(" ")
          const { code, err, out } = yield* run(...words, "--help")
          assert.deepStrictEqual([code, err], [0, ""], name)
          const lines = out.split("\n")
          for (const line of lines) assert.isAtMost(line.length, 80, `${name}: ${line}`)
          assert.isTrue(out.startsWith(name), out)
          // What is whole when its lines are joined has no broken word.
          const { examples, line, more = [] } = helpOf(words)
          for (const text of [line, ...more]) assert.include(collapsed(out), text)
          for (const example of examples) assert.include(collapsed(out.replace(/ \\\n/g, "")), `$ ${example}`)
          const usage = collapsed(/^USAGE\n\n(.*?)\n\n/ms.exec(out)?.[1] ?? "")
          assert.include(usage, name)
          assert.notMatch(out, /This (setting|option) (is|may)/)
          // Whatever may be left out stands in brackets.
          assert.notMatch(usage, /(?<!\[)--\S+ \w+\.\.\./)
          for (const term of usage.match(/<(?!command)\w+>|--[a-z-]+/g) ?? []) {
            assert.isNotEmpty(describing(lines, term).join(" "), `${name}: ${term}\n${out}`)
          }
        }))
    }))
})
