import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Effect, Inspectable } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import { allSettings, firstSettings } from "../../src/config/AllSettings.js"
import { envExample, settingsPage } from "../../src/config/SettingTexts.js"
import { pullRequestSettings } from "../../src/domain/ProjectSettings.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

const filesOf = (folder: string, extension: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => ({ name, text: readFileSync(join(root, folder, name), "utf8") }))

const files = filesOf("src", ".ts")

const names = allSettings.map(({ definition }) => definition.name)

const found = (pattern: RegExp) =>
  files.flatMap(({ text }) => Array.from(text.matchAll(pattern), ([, name = ""]) => name)).sort()

const withVariables = (variables: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

describe("the settings", () => {
  it("are each defined once, and all are listed", () => {
    assert.deepStrictEqual(found(/^\s+name: "(ORCH_\w+)"/gm), [...names].sort())
    assert.strictEqual(new Set(names).size, names.length)
  })

  it("are all that the sources name", () => {
    // A name that goes on in a pattern, as in `ORCH_PLANE_*`, is none.
    const named = new Set(found(/\b(ORCH_\w*[A-Z])\b(?!_?\*)/g))
    assert.deepStrictEqual(Array.from(named).sort(), [...names].sort())
  })

  it("are all that documents, tests, demo and bench name", () => {
    const others = [
      ...["README.md", "CONTRIBUTING.md", ".env.example", ".ci/run", "package.json"].map((name) => ({
        name,
        text: readFileSync(join(root, name), "utf8")
      })),
      ...filesOf("docs", ".md"),
      ...["test", "demo", "bench"].flatMap((folder) => filesOf(folder, ".ts"))
    ]
    // The test below looks for all names that begin so. The other is of these tests, and the program does not read it:
    // the test above would find it.
    const own = ["ORCH_PLANE_PROJECT", "ORCH_TEST_DATABASE_URL"]
    for (const { name: file, text } of others) {
      for (const [name] of text.matchAll(/\bORCH_\w*/g)) {
        // A name that ends in a dash is the beginning of a pattern, as in `ORCH_PLANE_*`.
        const isKnown = name.endsWith("_") ? names.some((each) => each.startsWith(name)) : names.includes(name)
        assert.isTrue(isKnown || own.includes(name), `${file} names ${name}`)
      }
    }
  })

  it("are all on the page that the README leads to", () => {
    assert.include(readFileSync(join(root, "README.md"), "utf8"), "(docs/settings.md)")
    const page = readFileSync(join(root, "docs/settings.md"), "utf8")
    const rows = Array.from(page.matchAll(/^\| `(ORCH_\w+)` \|/gm), ([, name = ""]) => name)
    assert.deepStrictEqual(rows.sort(), [...names].sort())
  })

  it("name the project where they are defined, and in the simulator for hosts: all other rooms are handed it", () => {
    const rooms = files.filter(({ text }) => text.includes("ORCH_PLANE_PROJECT")).map(({ name }) => name.split(sep)[0])
    assert.deepStrictEqual(Array.from(new Set(rooms)), ["config", "domain", "simulator"])
  })

  it("have a sentence and words for what they accept", () => {
    for (const { definition: { about, defaultText, defaultWords, expected, name } } of allSettings) {
      assert.match(about, /\.$/, name)
      assert.notStrictEqual(expected, "", name)
      assert.notStrictEqual(defaultText === "", defaultWords === undefined, name)
    }
  })

  for (const [path, text] of [[".env.example", envExample()], ["docs/settings.md", settingsPage()]] as const) {
    it(`are what ${path} shows: npm run settings -- --write`, () => {
      assert.strictEqual(readFileSync(join(root, path), "utf8"), text)
    })
  }

  it("stand in .env.example with the three first ones set", () => {
    const set = envExample().split("\n").filter((line) => /^[A-Z]/.test(line)).map((line) => line.split("=")[0])
    assert.deepStrictEqual(set, firstSettings.settings.map(({ definition }) => definition.name))
  })

  it.scoped("have the same values without a file and with all lines of .env.example", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "plane-sync-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const file = join(folder, ".env")
      writeFileSync(file, envExample().replace(/^#(?=ORCH_)/gm, ""))
      const provider = yield* PlatformConfigProvider.fromDotEnv(file)
      for (const setting of allSettings) {
        const { defaultText, name } = setting.definition
        if (defaultText !== "") {
          assert.deepStrictEqual(yield* provider.load(setting), yield* setting, name)
        }
      }
    }).pipe(withVariables({}), Effect.provide(NodeFileSystem.layer)))

  it.effect("say their name and what would be right, and never repeat a secret", () =>
    Effect.gen(function*() {
      // No text is right for all of them, and this one is for none but those that take any text.
      const wrong = "hunter2 \n{"
      for (const setting of allSettings) {
        const { expected, name, secret } = setting.definition
        const result = yield* Effect.either(withVariables({ [name]: wrong })(setting))
        if (result._tag === "Right") continue
        const text = Cause.fail(result.left).toString()
        assert.include(text, name)
        assert.include(text, `expected ${expected}`)
        const all = [text, Inspectable.toStringUnknown(result.left), inspect(result.left, { depth: 9 })].join("\n")
        assert.strictEqual(all.includes("hunter2"), !secret, name)
      }
    }))

  it.effect("row 11: that are lists take texts with commas between or JSON, and refuse what can match nothing", () =>
    Effect.gen(function*() {
      const { branches, ciUsers, repositories, requiredChecks, reviewers } = pullRequestSettings
      for (
        const [setting, text, given] of [
          [branches, "[\"a\"", "[\"a\""],
          [requiredChecks, "[\"ci/a\", 1]", "[\"ci/a\", 1]"],
          [requiredChecks, "test (20, x)", "test (20, x)"],
          [requiredChecks, "ci/a,,ci/b", "ci/a,,ci/b"],
          [repositories, "acme/widgets, acme", "acme"],
          [reviewers, "lea jonas", "lea jonas"],
          [reviewers, "[\"lea\", \"jo nas\"]", "jo nas"],
          [ciUsers, "{\"a\":1}", "{\"a\":1}"]
        ] as const
      ) {
        const { expected, name } = setting.definition
        const result = yield* Effect.either(withVariables({ [name]: text })(setting))
        const message = result._tag === "Left" ? Cause.fail(result.left).toString() : "taken"
        assert.include(message, `${JSON.stringify(given)} `, text)
        assert.include(message, name)
        assert.include(message, `expected ${expected}`)
      }
      for (
        const [setting, text, right] of [
          [branches, "release/*, [ab]", ["release/*", "[ab]"]],
          [requiredChecks, "[\"test (20, x)\"]", ["test (20, x)"]],
          [repositories, "acme/*, *, acme*", ["acme/*", "*", "acme*"]],
          [reviewers, "[\"lea\"]", ["lea"]],
          [ciUsers, "gitea-actions, drone_1.x", ["gitea-actions", "drone_1.x"]]
        ] as const
      ) {
        assert.deepStrictEqual(yield* withVariables({ [setting.definition.name]: text })(setting), right)
      }
    }))
})
