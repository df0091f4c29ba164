import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { assert, describe, it } from "@effect/vitest"
import { createConfig, lintFromString } from "@redocly/openapi-core"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Effect, Option, Schema } from "effect"
import { isObject } from "../../src/base/Issue.js"
import { Api } from "../../src/http/Api.js"
import { Problem } from "../../src/http/Problem.js"
import { decodeGiteaHook } from "../../src/webhooks/GiteaHook.js"
import { decodePlaneHook } from "../../src/webhooks/PlaneHook.js"
import { post, request, served, withPlane } from "./Server.js"

type Json = Readonly<Record<string, unknown>>

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((inner, key) => isObject(inner) ? inner[key] : undefined, value)

const membersOf = (value: unknown): ReadonlyArray<readonly [string, Json]> =>
  Object.entries(isObject(value) ? value : {}).flatMap(([key, member]) => isObject(member) ? [[key, member]] : [])

/** The examples of the contents of a body. */
const examplesOf = (body: unknown): ReadonlyArray<unknown> =>
  membersOf(at(body, "content")).flatMap(([, media]) =>
    "example" in media ? [media.example] : membersOf(media.examples).map(([, { value }]) => value)
  )

const document = () => JSON.parse(JSON.stringify(OpenApi.fromApi(Api))) as Json

const operations = () =>
  membersOf(document().paths).flatMap(([path, methods]) =>
    membersOf(methods).map(([method, operation]) => ({ path, method, operation }))
  )

describe("/openapi.json", () => {
  it("is valid, as a validator by the schema of OpenAPI says", async () => {
    const { errors, valid } = await new Validator().validate({ ...document() })
    assert.deepStrictEqual([valid, errors], [true, undefined])
  })

  it("is valid, as a linter says, which also holds each example against its schema", async () => {
    const config = await createConfig({
      extends: ["recommended-strict"],
      // `/health` fails for nobody who may ask it.
      rules: { "operation-4xx-response": "off" }
    })
    const source = JSON.stringify(document(), null, 2)
    const problems = await lintFromString({ source, config, absoluteRef: "openapi.json" })
    assert.deepStrictEqual(problems.map(({ location, message }) => [message, location[0]?.pointer]), [])
  })

  it("has an example of each body that is taken and answered", () => {
    const without = operations().flatMap(({ method, operation, path }) =>
      [["request", operation.requestBody] as const, ...membersOf(operation.responses)]
        .filter(([, body]) => body !== undefined && examplesOf(body).length === 0)
        .map(([what]) => `${method} ${path} ${what}`)
    )
    assert.deepStrictEqual(without, [])
  })

  it("has examples that the API's own schemas decode", () => {
    let decoded = 0
    const decode = (schema: Schema.Schema.All, examples: ReadonlyArray<unknown>, where: string) => {
      assert.isNotEmpty(examples, where)
      for (const example of examples) {
        const result = Schema.decodeUnknownEither(Schema.make(schema.ast), { onExcessProperty: "error" })(example)
        assert.strictEqual(result._tag, "Right", `${where}: ${JSON.stringify(result)}`)
        decoded += 1
      }
    }
    HttpApi.reflect(Api, {
      onGroup: () => undefined,
      onEndpoint: ({ endpoint, errors, payloads, successes }) => {
        const path = endpoint.path.replace(/:(\w+)/g, "{$1}")
        const operation = at(document(), "paths", path, endpoint.method.toLowerCase())
        const where = `${endpoint.method} ${path}`
        if (payloads.size > 0) {
          decode(endpoint.payloadSchema.pipe(Option.getOrThrow), examplesOf(at(operation, "requestBody")), where)
        }
        for (const [status, { ast }] of [...successes, ...errors]) {
          // A 400 that only the platform declares, and that is never sent, is not there.
          const response = at(operation, "responses", String(status))
          if (response === undefined && status === 400) continue
          decode(Schema.make(Option.getOrThrow(ast)), examplesOf(response), `${where} ${status}`)
        }
      }
    })
    assert.isAbove(decoded, 80)
  })

  it("has webhooks that the program reads, and their answers", () => {
    const example = (path: string) =>
      JSON.stringify(examplesOf(at(document(), "paths", path, "post", "requestBody"))[0])
    const plane = decodePlaneHook(example("/webhooks/plane"))
    assert.containSubset(plane, { _tag: "Right", right: { _tag: "WorkItemSeen", number: 7, stateGroup: "started" } })
    const gitea = decodeGiteaHook("status", example("/webhooks/gitea"), 0)
    assert.containSubset(gitea, { _tag: "Right", right: { _tag: "Status" } })
    for (const path of ["/webhooks/plane", "/webhooks/gitea"]) {
      for (const [status, response] of membersOf(at(document(), "paths", path, "post", "responses"))) {
        for (const answer of examplesOf(response)) {
          if (status === "202") assert.deepStrictEqual(answer, { accepted: true })
          else assert.isTrue(Schema.is(Problem)(answer), `${path} ${status}`)
        }
      }
    }
  })

  it.live("has events that their type tells apart, and that are taken as they stand there", () =>
    Effect.gen(function*() {
      const url = yield* served()
      const { body } = yield* request(`${url}/openapi.json`)
      assert.deepStrictEqual(body, document())
      assert.deepStrictEqual(at(body, "components", "schemas", "StageEvent", "discriminator", "propertyName"), "type")
      const events = examplesOf(at(body, "paths", "/api/events", "post", "requestBody"))
      assert.sameMembers(events.map((event) => at(event, "type")), [
        "stage_changed",
        "quality_gate_failed",
        "task_completed",
        "question_asked"
      ])
      for (const event of events) {
        assert.strictEqual((yield* post(url, JSON.stringify(event))).status, 202, JSON.stringify(event))
      }
    }).pipe(Effect.scoped, withPlane))
})
