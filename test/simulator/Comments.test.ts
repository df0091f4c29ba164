import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { ask, until, withItem } from "./support.js"

const Who = Schema.Struct({
  created_by: Schema.String,
  updated_by: Schema.NullOr(Schema.String),
  actor: Schema.String,
  external_source: Schema.NullOr(Schema.String),
  external_id: Schema.NullOr(Schema.String)
})
const Made = Schema.parseJson(Schema.Struct({ id: Schema.String, ...Who.fields }))
const Listed = Schema.parseJson(Schema.Struct({ results: Schema.Array(Who) }))
const Delivered = Schema.parseJson(
  Schema.Struct({ data: Who, activity: Schema.Struct({ actor: Schema.Struct({ id: Schema.String }) }) })
)

describe("a comment's people and external id", () => {
  it.scopedLive("are in what is answered, read, listed and told", () => {
    const told: Array<typeof Delivered.Type> = []
    return Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const path = `projects/${plane.project.id}/work-items/${item.id}/comments/`
      const pair = { external_source: "plane-sync", external_id: "event-1" }
      const body = { comment_html: "<p>x</p>", ...pair }
      const { text } = yield* ask(plane, "POST", path, { body })
      const { id, ...answered } = yield* Schema.decodeUnknown(Made)(text)
      const ours = { created_by: plane.bot.id, actor: plane.bot.id, ...pair }
      assert.deepStrictEqual(answered, { ...ours, updated_by: plane.bot.id })

      const read = Effect.gen(function*() {
        const single = yield* Schema.decodeUnknown(Schema.parseJson(Who))(
          (yield* ask(plane, "GET", `${path}${id}/`)).text
        )
        const { results } = yield* Schema.decodeUnknown(Listed)((yield* ask(plane, "GET", path)).text)
        assert.deepStrictEqual(results, [single])
        return single
      })
      // Nobody has changed it yet: only the answer to the POST names who sent it.
      assert.deepStrictEqual(yield* read, { ...ours, updated_by: null })
      yield* ask(plane, "PATCH", `${path}${id}/`, { key: plane.tokens.owner, body: { comment_html: "<p>y</p>" } })
      assert.deepStrictEqual(yield* read, { ...ours, updated_by: plane.person.id })
      yield* until(Effect.sync(() => told.length >= 2))
      assert.deepStrictEqual(told.map(({ activity, data }) => [data.actor, data.external_id, activity.actor.id]), [
        [plane.bot.id, "event-1", plane.bot.id],
        [plane.bot.id, "event-1", plane.person.id]
      ])
    }).pipe(Effect.provide(telling(told)))
  })

  it.scopedLive("name the API token's user, though `created_by` says another", () => {
    const told: Array<typeof Delivered.Type> = []
    return Effect.gen(function*() {
      const { item, plane } = yield* withItem
      const path = `projects/${plane.project.id}/work-items/${item.id}/comments/`
      const body = { comment_html: "<p>/approve</p>", created_by: plane.person.id }
      const { text } = yield* ask(plane, "POST", path, { body })
      const { id, ...answered } = yield* Schema.decodeUnknown(Made)(text)
      assert.deepInclude(answered, { created_by: plane.person.id, actor: plane.person.id, updated_by: plane.bot.id })
      const stored = yield* Schema.decodeUnknown(Schema.parseJson(Who))(
        (yield* ask(plane, "GET", `${path}${id}/`)).text
      )
      assert.deepInclude(stored, { created_by: plane.person.id, actor: plane.bot.id, updated_by: null })
      yield* until(Effect.sync(() => told.length >= 1))
      assert.deepStrictEqual(told.map(({ activity, data }) => [data.created_by, data.actor, activity.actor.id]), [
        [plane.person.id, plane.bot.id, plane.bot.id]
      ])
    }).pipe(Effect.provide(telling(told)))
  })
})

/** A Plane that tells `told` of its comments. */
const telling = (told: Array<typeof Delivered.Type>) =>
  PlaneSimulator.layer({
    rateLimit: "off",
    webhook: {
      url: "http://receiver.test/",
      secret: "plane_wh_3f9c",
      send: ({ body, headers }) =>
        headers["X-Plane-Event"] !== "issue_comment"
          ? Effect.succeed(200)
          : Effect.map(Schema.decodeUnknown(Delivered)(body), (delivered) => {
            told.push(delivered)
            return 200
          })
    }
  })
