import { assert, describe, it } from "@effect/vitest"
import { operationOf } from "../../src/plane/CountRequest.js"

const project = ["workspaces", "team", "projects", "0b1f7c1e-0000-4000-8000-000000000001"]

describe("what a request to Plane is counted as", () => {
  it.each(
    [
      ["GET projects/{id}", "GET", project],
      ["GET work-items", "GET", [...project, "work-items"]],
      ["PATCH work-items/{id}", "PATCH", [...project, "issues", "some-id"]],
      ["POST comments", "POST", [...project, "work-items", "some-id", "comments"]],
      ["DELETE comments/{id}", "DELETE", [...project, "work-items", "some-id", "comments", "another"]],
      ["GET work-items/{id}", "GET", ["workspaces", "team", "work-items", "ET-2"]],
      ["GET work-items/search", "GET", ["workspaces", "team", "work-items", "search"]],
      ["GET me", "GET", ["users", "me"]],
      ["GET other", "GET", ["what", "is", "new"]]
    ] as const
  )("%s", (operation, method, path) => {
    assert.strictEqual(operationOf({ method, path }), operation)
  })
})
