import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { isOf } from "../../src/doctor/Surveyed.js"
import { PlaneConfig } from "../../src/plane/PlaneConfig.js"
import { settings } from "../plane/FakePlane.js"

describe("what init has read", () => {
  it.effect("counts for the checks only if the settings lead to the same Plane, by the same API token", () =>
    Effect.gen(function*() {
      const config = yield* PlaneConfig
      const access = { url: config.url, workspace: config.workspaceSlug, apiToken: config.apiToken }
      const of = (other: Partial<typeof access>) =>
        isOf({ access: { ...access, ...other }, projects: new Map(), left: 3 }, config)
      assert.isTrue(of({}))
      assert.isTrue(of({ apiToken: Redacted.make(Redacted.value(access.apiToken)) }))
      assert.isFalse(of({ apiToken: Redacted.make("another") }))
      assert.isFalse(of({ url: "http://another.test" }))
      assert.isFalse(of({ workspace: "another" }))
    }).pipe(Effect.provide(settings({ ORCH_PLANE_API_TOKEN: "plane_api_1" }))))
})
