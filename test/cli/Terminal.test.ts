import { assert, describe, it } from "@effect/vitest"
import { Cause, Console, Effect, Layer, Logger } from "effect"
import { visible, visibleLine } from "../../src/base/Text.js"
import { shown, shownWhole } from "../../src/cli/Table.js"
import { forTerminal } from "../../src/cli/Terminal.js"

const controls = ["\u0000", "\u0007", "\u001b", "\r", "\u007f", "\u0085", "\u009b", "\u009d", "\u061c"]
const directions = ["\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\u2028", "\u2029"]
const all = [...controls, ...directions]

const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]/

describe("row 48: a text from outside", () => {
  it("is shown with its control characters escaped, and else as it is", () => {
    for (const character of all) {
      const inside = character === "\r" ? " " : code(character)
      assert.strictEqual(shown(`a${character}2J`), `a${inside}2J`)
      assert.strictEqual(shownWhole(`reason\n\twith \u{1f504} → é ${character}`), `reason with \u{1f504} → é ${inside}`)
      assert.strictEqual(visible(`"${character}"`), `"${code(character)}"`)
    }
    assert.strictEqual(visibleLine("x".repeat(300), 200), `${"x".repeat(200)}… (cut)`)
  })

  it.effect("reaches the terminal in no output and no log line, and JSON stays JSON", () =>
    Effect.gen(function*() {
      const live = yield* Console.consoleWith(Effect.succeed)
      const lines: Array<string> = []
      const write = (...parts: ReadonlyArray<unknown>) => void lines.push(parts.map(String).join(" "))
      const recording: Console.Console = { ...live, unsafe: { ...live.unsafe, log: write, error: write } }
      const text = `reason ${all.join("x")} end`
      const said = Effect.gen(function*() {
        yield* Console.log(text)
        yield* Console.error(`plane-sync: ${text}`)
        yield* Console.log(JSON.stringify({ text }))
        yield* Effect.logWarning(text)
        yield* Effect.logError("A bug", Cause.die(new Error(text))).pipe(Effect.annotateLogs({ key: text }))
      })
      for (
        const logger of [
          Logger.prettyLogger({ stderr: true, colors: false, mode: "tty" }),
          Logger.withConsoleError(Logger.jsonLogger)
        ]
      ) {
        yield* said.pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          forTerminal,
          Effect.withConsole(recording)
        )
      }
      assert.isAbove(lines.length, 9)
      for (const line of lines) assert.notMatch(line, obeyed)
      const [, , json = ""] = lines
      const { text: kept } = JSON.parse(json) as { readonly text: string }
      assert.strictEqual(kept, text)
      assert.include(lines[0], "\\u009bx")
      assert.include(lines[0], "\\u202e")
    }).pipe(Effect.provide(Layer.empty)))
})
