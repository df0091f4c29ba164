import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Effect } from "effect"
import { AgentConfig } from "../../src/launching/AgentConfig.js"

const read = (settings: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(AgentConfig, ConfigProvider.fromMap(new Map(Object.entries(settings))))

const command = (text: string) => read({ ORCH_AGENT_COMMAND: text })

const refusal = (settings: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(read(settings)), (error) => Cause.fail(error).toString())

describe("who starts agents", () => {
  it.effect("is nobody where nothing is set", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* read({}))._tag, "Nobody")
      assert.strictEqual((yield* read({ ORCH_AGENT_COMMAND: " ", ORCH_AGENT_WEBHOOK: "" }))._tag, "Nobody")
    }))

  it.effect("is a command, as words or as a JSON array: its arguments are what is written", () =>
    Effect.gen(function*() {
      for (
        const [text, words] of [
          ["/usr/local/bin/run-agent", ["/usr/local/bin/run-agent"]],
          ["run-agent  --fast\t-n 2", ["run-agent", "--fast", "-n", "2"]],
          ["[\"run-agent\", \"two words\", \"\", \"$HOME; 'x'\"]", ["run-agent", "two words", "", "$HOME; 'x'"]]
        ] as const
      ) {
        assert.deepStrictEqual({ ...(yield* command(text)) }, { _tag: "Command", command: words })
      }
    }))

  it.effect("is no shell: its signs are refused, with what to write instead", () =>
    Effect.gen(function*() {
      for (const sign of ["\"", "'", "$", "|", ";", "<", ">", "&", "`", "\\"]) {
        const said = yield* refusal({ ORCH_AGENT_COMMAND: `run-agent a${sign}b` })
        assert.include(said, "ORCH_AGENT_COMMAND")
        assert.include(
          said,
          `${JSON.stringify(`run-agent a${sign}b`)} has a ${sign}, and no shell reads it: write JSON`
        )
        assert.include(said, "expected a program and its arguments")
      }
      for (const text of ["[\"a\", 1]", "[", "[run-agent]", "[]"]) {
        assert.include(
          yield* refusal({ ORCH_AGENT_COMMAND: text }),
          `${JSON.stringify(text)} is no JSON array of texts`
        )
      }
      assert.include(yield* refusal({ ORCH_AGENT_COMMAND: "[\" \"]" }), "names no program")
      assert.include(yield* refusal({ ORCH_AGENT_COMMAND: "[\"a\",\"b\\u0000\"]" }), "has a NUL character")
    }))

  it.effect("is a webhook with its secret", () =>
    Effect.gen(function*() {
      const config = yield* read({ ORCH_AGENT_WEBHOOK: "https://a.example/api/v1", ORCH_AGENT_WEBHOOK_SECRET: "s" })
      assert.containSubset(config, { _tag: "Webhook", url: "https://a.example/api/v1" })
      assert.include(
        yield* refusal({ ORCH_AGENT_WEBHOOK: "https://a.example" }),
        "it is not set, and ORCH_AGENT_WEBHOOK is: expected the secret"
      )
    }))

  it.effect("is at no address with a password, which is not repeated, and at none that is no http", () =>
    Effect.gen(function*() {
      const webhook = (url: string) => refusal({ ORCH_AGENT_WEBHOOK: url, ORCH_AGENT_WEBHOOK_SECRET: "hunter2" })
      for (
        const url of ["https://lea:hunter3@a.example", "https://hunter3@a.example", "https://a.example/?t=hunter3"]
      ) {
        const said = yield* webhook(url)
        assert.include(said, "ORCH_AGENT_WEBHOOK")
        assert.include(said, "expected an address that takes POST requests")
        assert.notInclude(said, "hunter")
      }
      assert.include(yield* webhook("ftp://a.example"), "\"ftp://a.example\" is neither http nor https")
      assert.include(yield* webhook("agents"), "\"agents\" is not a URL")
    }))

  it.effect("is not both", () =>
    Effect.gen(function*() {
      const said = yield* refusal({
        ORCH_AGENT_COMMAND: "run-agent",
        ORCH_AGENT_WEBHOOK: "https://a.example",
        ORCH_AGENT_WEBHOOK_SECRET: "hunter2"
      })
      assert.include(said, "ORCH_AGENT_WEBHOOK")
      assert.include(said, "it is set, and ORCH_AGENT_COMMAND too: expected one of the two")
      assert.notInclude(said, "hunter2")
    }))
})
