import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import type { PlaneErrorReason } from "../../src/plane/PlaneError.js"
import type { Reply } from "./FakePlane.js"
import { gone, item, noSuchPath, project, withPlane } from "./FakePlane.js"

const forbidden: Reply = { status: 403, body: { detail: "You do not have permission to perform this action." } }
const shown = (more: object): Reply => ({ status: 200, body: { id: project, identifier: "ET", ...more } })
const other = "00000000-0000-4000-8000-000000000001"

/** The settings that a message names. */
const settingsIn = (message: string) => Array.from(new Set(message.match(/ORCH_[A-Z_]+/g)))

describe("row 44: the cause comes first, and only the settings that can be the cause are named", () => {
  const rows: ReadonlyArray<readonly [string, Reply, PlaneErrorReason, RegExp, ReadonlyArray<string>]> = [
    [
      "a wrong project id",
      gone,
      "WrongAddress",
      /^the workspace ag_proj has no project with the id 7a79f0a9-/,
      ["ORCH_PLANE_PROJECT_ID"]
    ],
    [
      "a wrong workspace",
      forbidden,
      "PermissionDenied",
      /^there is no workspace ag_proj, or the API token's user is not in it/,
      ["ORCH_PLANE_WORKSPACE_SLUG"]
    ],
    [
      "a wrong API token",
      { status: 403, body: { detail: "Given API token is not valid" } },
      "KeyRefused",
      /^Plane does not take the API token/,
      ["ORCH_PLANE_API_TOKEN"]
    ],
    [
      "a wrong identifier",
      shown({ identifier: "OPX" }),
      "WrongAddress",
      /^the project's identifier is OPX, and not ET: set ORCH_PLANE_PROJECT_IDENTIFIER to OPX/,
      ["ORCH_PLANE_PROJECT_IDENTIFIER", "ORCH_PLANE_PROJECT_ID"]
    ],
    ["a wrong address", noSuchPath, "WrongAddress", /^this is not where Plane's API answers/, ["ORCH_PLANE_API_URL"]],
    [
      "the address of a web page",
      { status: 404, body: `<html>${"long ".repeat(1_000)}</html>`, headers: { "content-type": "text/html" } },
      "WrongAddress",
      /^a web page answers instead of Plane's API/,
      ["ORCH_PLANE_API_URL"]
    ],
    [
      "a user who is no member",
      shown({ is_member: false, member_role: null }),
      "PermissionDenied",
      /^the API token's user is not a member of the project ET/,
      ["ORCH_PLANE_API_TOKEN"]
    ],
    [
      "an archived project",
      shown({ archived_at: "2026-11-28" }),
      "Archived",
      /^the project is archived in Plane/,
      ["ORCH_PLANE_PROJECT_ID"]
    ]
  ]
  it.effect.each(rows)("row 44: %s", ([, reply, reason, cause, settings]) => {
    const { layer } = withPlane(() => reply)
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.flatMap(PlaneClient, (plane) => plane.probe))
      assert.strictEqual(error.reason, reason)
      assert.match(error.message, cause)
      assert.deepStrictEqual(settingsIn(error.message), settings)
      // The request and Plane's words come last.
      const [causeAndSetting = "", request = ""] = error.message.split(" (GET ")
      assert.deepStrictEqual(settingsIn(causeAndSetting), settings)
      assert.include(request, `/projects/${project}/`)
    }).pipe(Effect.provide(layer))
  })

  const find = Effect.flatMap(
    PlaneClient,
    (plane) => Effect.flip(plane.find(Either.getOrThrow(WorkItemKey.parse("ET-2"))))
  )

  it.effect("row 44: a look-up by an identifier of another project, or of none", () =>
    Effect.gen(function*() {
      const another = yield* Effect.provide(
        find,
        withPlane(() => ({ status: 200, body: item(2, "Second", { project: other }) })).layer
      )
      assert.match(another.message, /^ET-2 belongs to another project/)
      assert.deepStrictEqual(settingsIn(another.message), ["ORCH_PLANE_PROJECT_IDENTIFIER", "ORCH_PLANE_PROJECT_ID"])
      const none = yield* Effect.provide(find, withPlane(() => forbidden).layer)
      assert.match(none.message, /^the workspace ag_proj has no project with the identifier ET/)
      assert.deepStrictEqual(settingsIn(none.message), ["ORCH_PLANE_PROJECT_IDENTIFIER"])
    }))

  it.effect("row 44: without an API token its setting is named", () => {
    const { layer, seen } = withPlane(() => gone, { ORCH_PLANE_API_TOKEN: "" })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.flatMap(PlaneClient, (plane) => plane.probe))
      assert.match(error.message, /^no API token is set: set ORCH_PLANE_API_TOKEN/)
      assert.strictEqual(seen.length, 0)
    }).pipe(Effect.provide(layer))
  })
})
