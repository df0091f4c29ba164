import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request } from "../http/Server.js"
import { circle, comesTo, told } from "./Circle.js"

describe("the story of a work item", () => {
  it.scopedLive(
    "tells what each webhook of Plane meant, in order with the task that it started",
    () =>
      Effect.gen(function*() {
        const { at, plane } = yield* circle
        const { id, key, number } = yield* plane.addWorkItem({ name: "Trail map" })
        yield* plane.moveWorkItem(id, "In Progress")
        yield* comesTo(at, number, "analysis active")
        yield* told(at)
        yield* plane.moveWorkItem(id, "Cancelled")
        yield* comesTo(at, number, "analysis stopped")
        const { body } = yield* request(`${at.url}/api/work-items/${key}`)
        const { story, task } = body as {
          readonly story: ReadonlyArray<{ readonly at: string; readonly kind: string; readonly line: string }>
          readonly task: unknown
        }
        assert.deepStrictEqual(task, { stage: "analysis", status: "stopped" })
        const hooks = story.filter(({ kind }) => kind === "hook").map(({ line }) => line)
        const who = plane.person.name
        assert.include(
          hooks,
          `webhook of Plane (issue): ${who} moved the work item to In Progress in Plane, so its task starts`
        )
        assert.strictEqual(
          hooks.at(-1),
          `webhook of Plane (issue): ${who} moved the work item to Cancelled in Plane, so its task stops`
        )
        assert.includeMembers(story.map(({ kind }) => kind), ["task", "verdict", "event", "request"])
        assert.deepStrictEqual(story, story.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at)))
      }),
    90_000
  )
})
