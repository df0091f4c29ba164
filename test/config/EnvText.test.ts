import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { assert, describe, it } from "@effect/vitest"
import { Config, Effect } from "effect"
import { namesIn, Unwritable, withVariables } from "../../src/config/EnvText.js"

const none = new Set<string>()

/** What the program reads of a file `.env`. */
const valueIn = (text: string, name: string) =>
  Effect.scoped(Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const path = `${yield* files.makeTempDirectoryScoped()}/.env`
    yield* files.writeFileString(path, text)
    return yield* (yield* PlatformConfigProvider.fromDotEnv(path)).load(Config.string(name))
  })).pipe(Effect.provide(NodeFileSystem.layer))

describe("the text of a file .env", () => {
  it.effect("holds values that are read as they were given, whatever they have in them", () =>
    Effect.gen(function*() {
      for (
        const value of ["plain", "a b", "a#b", "$HOME", "it's", "say \"x\"", "`a`", "a\\b", "a=b", "ä→", "'\"", "\\$x$"]
      ) {
        const text = yield* Effect.either(withVariables("A=1\n", new Map([["SECRET", value]]), none))
        if (text._tag === "Left") {
          assert.include(["\\$x$"], value)
          continue
        }
        assert.strictEqual(yield* valueIn(text.right, "SECRET"), value)
        assert.strictEqual(yield* valueIn(text.right, "A"), "1")
      }
    }))

  it.effect("refuses what no line can hold, and does not repeat it", () =>
    Effect.gen(function*() {
      const value = "'\"` # x"
      const error = yield* Effect.flip(withVariables("", new Map([["SECRET", value]]), none))
      assert.instanceOf(error, Unwritable)
      assert.include(error.message, "SECRET")
      assert.notInclude(error.message, value)
    }))

  it.effect("changes no value that it was not told to change", () =>
    Effect.gen(function*() {
      const before = "export A=1 # one\r\n\r\nB=\"x\\ny\"\r\nC=$A\r\n#D=4\r\nE=5\r\nE=6"
      const after = yield* withVariables(before, new Map([["D", "44"], ["E", "55"]]), new Set(["B"]))
      assert.strictEqual(after, "export A=1 # one\n\n#B=\"x\\ny\"\nC=$A\nD=44\nE=55\n")
      // C would have another value then.
      const error = yield* Effect.flip(withVariables(before, new Map([["A", "2"]]), none))
      assert.include(error.message, "the value of C cannot be written")
      // What looks like a line is the inside of a value.
      const within = "A='one\nB=2\n'\n"
      assert.include((yield* Effect.flip(withVariables(within, new Map([["B", "3"]]), none))).message, "the value of ")
    }))

  it("names its variables", () => {
    assert.deepStrictEqual(namesIn("A=1\n#B=2\n  export C=3\nD: 4\n# E = 5\r\nF ="), ["A", "C", "D", "F"])
  })
})
