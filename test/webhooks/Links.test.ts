import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { circle, comesTo } from "./Circle.js"
import { changed } from "./Fixtures.js"
import { pullBody, sha } from "./Scene.js"

/** Waits until Plane shows these links of a work item, in any order. */
const linked = (plane: PlaneSimulator["Type"], id: string, wanted: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    let seen: ReadonlyArray<string> = []
    yield* Effect.repeat(
      Effect.delay(
        Effect.map(plane.links(id), (links) => {
          seen = links.map(({ title, url }) => `${title ?? ""} ${url}`).toSorted()
        }),
        "50 millis"
      ),
      { until: () => seen.join("\n") === wanted.join("\n") }
    ).pipe(Effect.timeoutOption("45 seconds"))
    assert.deepStrictEqual(seen, wanted)
  })

const page = "https://forge.trails.test/rideworks/trail-maps/pulls/88"
const pullRequest = `rideworks/trail-maps#88 ${page}`

describe("links, from Gitea's hooks to Plane", () => {
  it.scopedLive(
    "the pull request's stays; that of a failing check goes when it is green",
    () =>
      Effect.gen(function*() {
        const { at, plane } = yield* circle
        const { id, number } = yield* plane.addWorkItem({ name: "Trail map" })
        yield* plane.moveWorkItem(id, "In Progress")
        yield* comesTo(at, number, "analysis active")
        yield* at.reported(number)
        yield* comesTo(at, number, "development active")

        const pull = { number: 88, workItem: number, head: sha("one") }
        const status = (id: number, fields: Readonly<Record<string, string>>) =>
          changed("gitea/status_success", { id, sha: pull.head, commit: { id: pull.head }, ...fields })
        yield* at.gitea("pull_request", pullBody("pull_request_opened", pull))
        yield* linked(plane, id, [pullRequest])

        for (const run of [7, 8]) {
          const target_url = `https://ci.trails.test/build/${run}`
          yield* at.gitea("status", status(run, { state: "failure", target_url }))
          yield* linked(plane, id, [`build/tiles: failure ${target_url}`, pullRequest])
        }

        yield* at.gitea("status", status(9, { state: "success", target_url: "https://ci.trails.test/build/9" }))
        yield* linked(plane, id, [pullRequest])
        assert.strictEqual(yield* at.stage(number), "review active")
      }),
    200_000
  )
})
