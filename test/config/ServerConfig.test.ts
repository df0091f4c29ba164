import { assert, describe, it } from "@effect/vitest"
import { Cause, ConfigProvider, Effect, Redacted } from "effect"
import { LogConfig } from "../../src/config/LogConfig.js"
import { ServerConfig, urlOf } from "../../src/config/ServerConfig.js"

const withVariables = (variables: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

const refusal = (variables: Readonly<Record<string, string>>) =>
  Effect.map(Effect.flip(withVariables(variables)(ServerConfig)), (error) => Cause.fail(error).toString())

describe("ServerConfig", () => {
  it.effect("has loopback as its default, and takes what is set", () =>
    Effect.gen(function*() {
      const { apiToken, host, port } = yield* withVariables({ ORCH_HOST: "" })(ServerConfig)
      assert.deepStrictEqual([host, port, Redacted.value(apiToken)], ["127.0.0.1", 8500, ""])
      for (
        const [text, host] of [["[::1]", "::1"], [" localhost ", "localhost"], ["127.0.0.9", "127.0.0.9"]] as const
      ) {
        assert.strictEqual((yield* withVariables({ ORCH_HOST: text })(ServerConfig)).host, host)
      }
      const open = yield* withVariables({ ORCH_HOST: "0.0.0.0", ORCH_PORT: "0", ORCH_API_TOKEN: "s3cret" })(
        ServerConfig
      )
      assert.deepStrictEqual([open.host, open.port, Redacted.value(open.apiToken)], ["0.0.0.0", 0, "s3cret"])
    }))

  it.effect("refuses what is no address, no port or no token, with what would be right", () =>
    Effect.gen(function*() {
      assert.match(
        yield* refusal({ ORCH_HOST: "-x-" }),
        /ORCH_HOST.*"-x-" is not an address: expected .*, like "127.0.0.1"/
      )
      for (const port of ["http", "65536", "-1"]) {
        assert.include(
          yield* refusal({ ORCH_PORT: port }),
          `"${port}" is not a port: expected a number from 0 (any free one) to 65535`
        )
      }
      const token = yield* refusal({ ORCH_API_TOKEN: "s3cr et" })
      assert.match(
        token,
        /ORCH_API_TOKEN.*blanks or characters other than visible ASCII: expected .*openssl rand -hex 32/
      )
      assert.notInclude(token, "s3cr")
    }))

  it.effect("needs a token where other machines can reach it", () =>
    Effect.gen(function*() {
      assert.match(
        yield* refusal({ ORCH_HOST: "0.0.0.0" }),
        /ORCH_API_TOKEN.*it is not set, and ORCH_HOST "0.0.0.0" can be reached from other machines: set it, or leave ORCH_HOST at 127.0.0.1/
      )
    }))
})

describe("the URL of the program", () => {
  it.each([
    ["::1", "http://[::1]:8500"],
    ["fd00::7", "http://[fd00::7]:8500"],
    ["fe80::1%eth0", "http://[fe80::1%25eth0]:8500"],
    ["::", "http://[::1]:8500"],
    ["0.0.0.0", "http://127.0.0.1:8500"],
    ["127.0.0.1", "http://127.0.0.1:8500"],
    ["localhost", "http://localhost:8500"]
  ])("row 79: can be clicked, listening on %s", (host, url) => {
    assert.strictEqual(urlOf({ host, port: 8500 }), url)
  })
})

describe("the operator's token", () => {
  it.effect("row 27: is not the one that agents have", () =>
    Effect.gen(function*() {
      const same = yield* refusal({ ORCH_API_TOKEN: "s3cret", ORCH_OPERATOR_TOKEN: "s3cret" })
      assert.match(
        same,
        /ORCH_OPERATOR_TOKEN.*it is the same as ORCH_API_TOKEN, so agents would be operators: set another one, or leave/
      )
      assert.notInclude(same, "s3cret")
      const wrong = yield* refusal({ ORCH_OPERATOR_TOKEN: "s3cr et" })
      assert.match(wrong, /ORCH_OPERATOR_TOKEN.*blanks or characters other than visible ASCII/)
      assert.notInclude(wrong, "s3cr")
      for (const variables of [{}, { ORCH_API_TOKEN: "one" }, { ORCH_OPERATOR_TOKEN: "two" }]) {
        yield* withVariables(variables)(ServerConfig)
      }
      const both = yield* withVariables({ ORCH_API_TOKEN: "one", ORCH_OPERATOR_TOKEN: "two" })(ServerConfig)
      assert.deepStrictEqual([both.apiToken, both.operatorToken].map(Redacted.value), ["one", "two"])
    }))

  it.effect("does not take the place of the other token where other machines can reach it", () =>
    Effect.gen(function*() {
      assert.match(
        yield* refusal({ ORCH_HOST: "0.0.0.0", ORCH_OPERATOR_TOKEN: "two" }),
        /ORCH_API_TOKEN.*it is not set/
      )
    }))
})

describe("LogConfig", () => {
  it.effect("takes its words in letters of either case, and says all of them", () =>
    Effect.gen(function*() {
      const { format, level } = yield* withVariables({ ORCH_LOG_LEVEL: "Debug", ORCH_LOG_FORMAT: "JSON" })(LogConfig)
      assert.deepStrictEqual([level, format], ["debug", "json"])
      const error = yield* Effect.flip(withVariables({ ORCH_LOG_LEVEL: "LOUD" })(LogConfig))
      assert.include(
        Cause.fail(error).toString(),
        `"LOUD" is not right: expected trace, debug, info, warning, error, fatal or none`
      )
    }))
})
