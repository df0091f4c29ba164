import { assert, describe, it } from "@effect/vitest"
import type { ConfigError } from "effect"
import { Cause, Config, ConfigProvider, Duration, Effect, Inspectable, Redacted } from "effect"
import { inspect } from "node:util"
import { projectConfig } from "../../src/domain/ProjectSettings.js"
import { defaultStageStates, StateId } from "../../src/domain/StageStates.js"
import { PlaneConfig } from "../../src/plane/PlaneConfig.js"

// A ConfigError says what it has to say in its `toString`.
const said = (error: ConfigError.ConfigError) => `${Cause.fail(error).toString()} ${JSON.stringify(error)}`

const texts = (error: ConfigError.ConfigError) =>
  [said(error), Inspectable.toStringUnknown(error), inspect(error, { depth: 9 })].join("\n")

const configs = Config.all({ plane: PlaneConfig, project: projectConfig }).pipe(
  Config.map(({ plane, project }) => ({ ...plane, project }))
)

const load = (settings: Record<string, string>) =>
  Effect.withConfigProvider(configs, ConfigProvider.fromMap(new Map(Object.entries(settings))))

describe("PlaneConfig", () => {
  it.effect("has its defaults, also for variables that are empty", () =>
    Effect.gen(function*() {
      const config = yield* load({})
      assert.strictEqual(config.url, "http://localhost:8091")
      assert.strictEqual(Redacted.value(config.apiToken), "")
      assert.strictEqual(config.workspaceSlug, "ag_proj")
      assert.strictEqual(config.project.id, "7a79f0a9-5278-49cd-9007-9a338f238f9c")
      assert.strictEqual(config.project.identifier, "ET")
      assert.deepStrictEqual(
        config.project.stages,
        new Map(Array.from(defaultStageStates, ([stage, id]) => [stage, { id }]))
      )
      assert.deepStrictEqual(config.timeout, Duration.seconds(10))
      assert.deepStrictEqual(config.rateLimit, { requests: 60, window: Duration.minutes(1) })
      assert.deepStrictEqual(config.quiet, Duration.seconds(30))
      assert.deepStrictEqual(config.maxBackoff, Duration.seconds(60))
      assert.strictEqual(config.maxAttempts, 8)
      assert.deepStrictEqual(config.keyPatience, Duration.minutes(10))
      assert.strictEqual(config.concurrency, 8)
      const empty = yield* load({ ORCH_PLANE_API_URL: "", ORCH_PLANE_TIMEOUT: " ", ORCH_PLANE_STAGE_STATES: "" })
      assert.deepStrictEqual(empty, config)
    }))

  const addresses: ReadonlyArray<readonly [string, string]> = [
    ["http://localhost:8091/", "http://localhost:8091"],
    ["http://localhost:8091/api/v1", "http://localhost:8091"],
    ["http://localhost:8091/api/v1/", "http://localhost:8091"],
    ["http://localhost:8091/api/", "http://localhost:8091"],
    ["https://tools.example.test/plane//", "https://tools.example.test/plane"],
    ["https://tools.example.test/plane/api/v1/", "https://tools.example.test/plane"]
  ]
  it.effect.each(addresses)("takes the address as %s", ([text, url]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* load({ ORCH_PLANE_API_URL: text })).url, url)
    }))

  it.effect("takes what is set", () =>
    Effect.gen(function*() {
      const config = yield* load({
        ORCH_PLANE_API_TOKEN: " plane_api_x ",
        ORCH_PLANE_PROJECT_ID: "7A79F0A9-5278-49CD-9007-9A338F238F9D",
        ORCH_PLANE_PROJECT_IDENTIFIER: "web",
        ORCH_PLANE_STAGE_STATES: `{"live":"381A2833-3C4E-4BE5-BD0F-BE84CB946AD8"}`,
        ORCH_PLANE_RATE_LIMIT: "100000/second",
        ORCH_PLANE_TIMEOUT: "250 millis"
      })
      assert.strictEqual(Redacted.value(config.apiToken), "plane_api_x")
      assert.strictEqual(config.project.id, "7a79f0a9-5278-49cd-9007-9a338f238f9d")
      assert.strictEqual(config.project.identifier, "WEB")
      assert.deepStrictEqual(
        config.project.stages,
        new Map([["live", { id: StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8") }]])
      )
      assert.deepStrictEqual(config.rateLimit, { requests: 100_000, window: Duration.seconds(1) })
      assert.deepStrictEqual(config.timeout, Duration.millis(250))
    }))

  const wrong: ReadonlyArray<readonly [string, string]> = [
    ["ORCH_PLANE_API_URL", "nonsense"],
    ["ORCH_PLANE_API_URL", "ftp://localhost"],
    ["ORCH_PLANE_API_URL", "http://localhost:8091/?a=b"],
    ["ORCH_PLANE_WORKSPACE_SLUG", "a/../b"],
    ["ORCH_PLANE_PROJECT_ID", "ET"],
    ["ORCH_PLANE_PROJECT_IDENTIFIER", "TOO-LONG-FOR-ONE"],
    ["ORCH_PLANE_STAGE_STATES", "{done:1}"],
    ["ORCH_PLANE_STAGE_STATES", `{"done":"Done"}`],
    ["ORCH_PLANE_TIMEOUT", "10"],
    ["ORCH_PLANE_TIMEOUT", "0 seconds"],
    ["ORCH_PLANE_TIMEOUT", "-1 seconds"],
    ["ORCH_PLANE_QUIET", "2 days"],
    ["ORCH_PLANE_QUIET", "-3 seconds"],
    ["ORCH_PLANE_KEY_PATIENCE", "-1 millis"],
    ["ORCH_PLANE_URGENT_AFTER", "-10 minutes"],
    ["ORCH_PLANE_RATE_LIMIT", "60"],
    ["ORCH_PLANE_RATE_LIMIT", "0/minute"],
    ["ORCH_PLANE_RATE_LIMIT", "60/hour"],
    ["ORCH_PLANE_MAX_ATTEMPTS", "0"],
    ["ORCH_PLANE_MAX_ATTEMPTS", "eight"],
    ["ORCH_PLANE_CONCURRENCY", "1.5"],
    ["ORCH_PLANE_KEY_PATIENCE", "soon"],
    ["ORCH_PLANE_MAX_BACKOFF", "Infinity"]
  ]
  it.effect.each(wrong)(
    "refuses %s=%s by name, value and what would be right",
    ([name, value]) =>
      Effect.gen(function*() {
        const error = said(yield* Effect.flip(load({ [name]: value })))
        assert.include(error, name)
        assert.include(error, JSON.stringify(value))
        assert.include(error, "expected")
      })
  )

  it.effect("names the stage and the value that are wrong in the table of states, in a line", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load({ ORCH_PLANE_STAGE_STATES: `{"done":"Done"}` }))
      const line = Cause.fail(error).toString()
      assert.match(line, /\(done: .*"Done"\): expected JSON, stage → state id, like/)
      assert.notInclude(line, "\n")
    }))

  it.effect("takes the limits of a duration as its refusal writes them", () =>
    Effect.gen(function*() {
      const refusal = said(yield* Effect.flip(load({ ORCH_PLANE_QUIET: "10s" })))
      const [, least = "", most = ""] = /expected (\S+ \S+) to (\S+ \S+), like/.exec(refusal) ?? []
      assert.deepStrictEqual((yield* load({ ORCH_PLANE_QUIET: least })).quiet, Duration.zero)
      assert.deepStrictEqual((yield* load({ ORCH_PLANE_QUIET: most })).quiet, Duration.hours(1))
    }))

  it.effect("repeats no secret in a refusal", () =>
    Effect.gen(function*() {
      const url = yield* Effect.flip(load({ ORCH_PLANE_API_URL: "http://me:secret1@localhost" }))
      assert.include(said(url), "ORCH_PLANE_API_URL")
      assert.notInclude(texts(url), "secret1")
      const key = yield* Effect.flip(load({ ORCH_PLANE_API_TOKEN: "secret2\nX-Other: 1" }))
      assert.include(said(key), "ORCH_PLANE_API_TOKEN")
      assert.notInclude(texts(key), "secret2")
    }))
})
