import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, Option, Schema } from "effect"
import { inspect } from "node:util"
import { CommentId, ItemId, UserId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { WorkItemKey } from "../../src/domain/WorkItemKey.js"
import { mayMeanNoSuchItem } from "../../src/plane/Meaning.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import type { PlaneErrorReason } from "../../src/plane/PlaneError.js"
import { PlaneError } from "../../src/plane/PlaneError.js"
import type { Reply, Seen } from "./FakePlane.js"
import { gone, item, noSuchPath, project, token, withPlane } from "./FakePlane.js"

const key = (text: string) => Either.getOrThrow(WorkItemKey.parse(text))
const find = (text: string) => Effect.flatMap(PlaneClient, (plane) => plane.find(key(text)))

const found = (...items: ReadonlyArray<ReturnType<typeof item>>): Reply => ({
  status: 200,
  body: {
    issues: items.map(({ id, name, project, sequence_id }) => ({
      id,
      name,
      sequence_id,
      project_id: project,
      workspace__slug: "ag_proj"
    }))
  }
})

/** Plane with some work items: by identifier, by id, and its search by words and numbers. */
const plane = (...items: ReadonlyArray<ReturnType<typeof item>>) => ({ path, query }: Seen): Reply => {
  const last = path.split("/").at(-2) ?? ""
  if (last === "search") {
    const text = (query["search"] ?? "").toLowerCase()
    const numbers = (text.match(/\d+/g) ?? []).map(Number)
    return found(
      ...items.filter((one) => one.name.toLowerCase().includes(text) || numbers.includes(one.sequence_id))
        .slice(0, Number(query["limit"]))
    )
  }
  const one = items.find((each) => each.id === last || `ET-${each.sequence_id}` === last)
  return one === undefined ? gone : { status: 200, body: one }
}

const otherProject = "00000000-0000-4000-8000-000000000001"

describe("PlaneClient.find", () => {
  const numbered = item(2, "Second work item")
  const twenty = item(20, "Twentieth")
  const named = item(7, "[et-002] Login form")
  const plainlyNamed = item(8, "Do ET-5, then rest")

  it.effect("takes one request for a plain key, and asks only for the fields it needs", () => {
    const { layer, seen } = withPlane(plane(numbered, twenty, named))
    return Effect.gen(function*() {
      const one = yield* find("ET-2")
      assert.deepStrictEqual(one, {
        id: numbered.id,
        number: 2,
        name: "Second work item",
        stateId: Option.some(StateId("113b24f6-cce8-4be9-9a22-a359b9cf0122")),
        stateGroup: Option.none(),
        updatedBy: Option.none(),
        updatedAt: PlaneMoment("2026-11-23T21:10:39.731779Z")
      })
      assert.deepStrictEqual(seen.map(({ method, path, query }) => ({ method, path, query })), [{
        method: "GET",
        path: "workspaces/ag_proj/work-items/ET-2/",
        query: { fields: "id,sequence_id,name,state,updated_at,project", expand: "state" }
      }])
      assert.strictEqual(seen[0]?.headers["x-api-key"], token)
    }).pipe(Effect.provide(layer))
  })

  const cases: ReadonlyArray<readonly [string, string, number, number]> = [
    ["a plain key in lower case", "et-2", 2, 1],
    ["a key with leading zeros that a name carries, whatever has the number", "ET-002", 7, 2],
    ["its lower-case form, which is the same name", "et-002", 7, 2],
    ["a key with leading zeros that no name carries: the number", "ET-020", 20, 2],
    ["a plain key without such a number, which a name carries", "ET-5", 8, 3]
  ]
  it.effect.each(cases)("%s: %s", ([, text, number, requests]) => {
    const { layer, seen } = withPlane(plane(numbered, twenty, named, plainlyNamed))
    return Effect.gen(function*() {
      assert.strictEqual((yield* find(text)).number, number)
      assert.strictEqual(seen.length, requests)
      for (const one of seen) assert.isDefined(one.query["fields"])
    }).pipe(Effect.provide(layer))
  })

  const misses: ReadonlyArray<readonly [string, number]> = [["ET-3", 2], ["ET-003", 2], ["ET-0002", 2]]
  it.effect.each(misses)("does not find %s", ([text, requests]) => {
    const { layer, seen } = withPlane(plane(item(30, "ET-30"), item(31, "ET-0031"), item(33, "BET-3 ET-3x ET-003.")))
    return Effect.gen(function*() {
      const result = yield* Effect.either(find(text))
      if (text === "ET-003") {
        assert.strictEqual(Either.getOrThrow(result).number, 33)
      } else {
        const error = Either.getOrThrow(Either.flip(result))
        assert.strictEqual(error._tag, "WorkItemNotFound")
        assert.include(error.message, text)
      }
      assert.strictEqual(seen.length, requests)
    }).pipe(Effect.provide(layer))
  })

  it.effect("names both work items when a name is ambiguous", () => {
    const { layer, seen } = withPlane(plane(item(7, "ET-002 Login"), item(9, "Logout (ET-002)"), numbered))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ET-002"))
      assert.strictEqual(error._tag, "AmbiguousName")
      assert.include(error.message, `ET-7 "ET-002 Login", ET-9 "Logout (ET-002)"`)
      assert.strictEqual(seen.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not guess when the search was cut, even if one name would fit", () => {
    const many = Array.from({ length: 1_200 }, (_, i) => item(1_000 + i, `ET-002${i}`))
    const { layer } = withPlane(plane(item(7, "ET-002"), ...many))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ET-002"))
      assert.isTrue(error._tag === "AmbiguousName" && error.more)
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves out the names of other projects, should the search's scope be ignored", () => {
    const { layer, seen } = withPlane(plane(item(7, "ET-002", { project: otherProject }), numbered))
    return Effect.gen(function*() {
      assert.strictEqual((yield* find("ET-002")).number, 2)
      assert.strictEqual(seen[0]?.query["project_id"], project)
      assert.strictEqual(seen[0]?.query["search"], "ET-002")
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses a prefix that is not the project's without a request", () => {
    const { layer, seen } = withPlane(plane(numbered))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ABC-2"))
      assert.strictEqual(error._tag, "UnknownProject")
      assert.include(error.message, `"ET-"`)
      assert.strictEqual(seen.length, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("says so when identifier and project id are of different projects", () => {
    const { layer } = withPlane(plane(item(2, "Second", { project: otherProject })))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(find("ET-2"))
      assert.isTrue(error._tag === "PlaneError" && error.reason === "WrongAddress")
      assert.include(error.message, otherProject)
      assert.include(error.message, project)
    }).pipe(Effect.provide(layer))
  })
})

const id = item(2, "").id
const commentId = CommentId("c0000000-0000-4000-8000-000000000001")
const done = StateId("381a2833-3c4e-4be5-bd0f-be84cb946ad8")
const comment = { html: "<p>x</p>", externalId: "e:1", createdAt: DateTime.unsafeMake("2026-11-24T08:30:00.500Z") }
const setState = Effect.flatMap(PlaneClient, (plane) => plane.setState(id, done))
const addComment = Effect.flatMap(PlaneClient, (plane) => plane.addComment(id, comment))
const read = Effect.flatMap(PlaneClient, (plane) => plane.read(id))
const probe = Effect.flatMap(PlaneClient, (plane) => plane.probe)

describe("PlaneClient", () => {
  it.effect("sets the state and nothing else", () => {
    const { layer, seen } = withPlane(() => ({ status: 200, body: item(2, "Second", { state: done, extra: 1 }) }))
    return Effect.gen(function*() {
      assert.deepStrictEqual((yield* setState).stateId, Option.some(done))
      assert.deepStrictEqual([seen[0]?.method, seen[0]?.path, seen[0]?.body], [
        "PATCH",
        `workspaces/ag_proj/projects/${project}/work-items/${id}/`,
        { state: done }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is not taken in by a 200 with another state", () => {
    const { layer } = withPlane(() => ({ status: 200, body: item(2, "Second", { state: null }) }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(setState)
      assert.strictEqual(error.reason, "Ignored")
      assert.deepStrictEqual(error.status, Option.some(200))
      assert.include(error.message, done)
    }).pipe(Effect.provide(layer))
  })

  it.effect("adds a comment with its source, id and true time", () => {
    const { layer, seen } = withPlane(() => ({ status: 201, body: { id: commentId } }))
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* addComment, {
        id: Option.some(commentId),
        adopted: false,
        by: Option.none()
      })
      assert.deepStrictEqual([seen[0]?.method, seen[0]?.path, seen[0]?.body], [
        "POST",
        `workspaces/ag_proj/projects/${project}/work-items/${id}/comments/`,
        {
          comment_html: "<p>x</p>",
          external_source: "plane-sync",
          external_id: "e:1",
          created_at: "2026-11-24T08:30:00.500Z"
        }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("adopts the comment that a 409 names or says to be there, and refuses what is another conflict", () =>
    Effect.gen(function*() {
      const there = withPlane(() => ({ status: 409, body: { error: "already exists", id: commentId } }))
      assert.deepStrictEqual(yield* Effect.provide(addComment, there.layer), {
        id: Option.some(commentId),
        adopted: true,
        by: Option.none()
      })
      const error409 = "Work item comment with the same external id and external source already exists"
      const unnamed = withPlane(() => ({ status: 409, body: { error: error409 } }))
      assert.deepStrictEqual(yield* Effect.provide(addComment, unnamed.layer), {
        id: Option.none(),
        adopted: true,
        by: Option.none()
      })
      const other = withPlane(() => ({ status: 409, body: { error: "conflict" } }))
      const error = yield* Effect.flip(Effect.provide(addComment, other.layer))
      assert.deepStrictEqual([error.reason, error.words], ["Refused", "conflict"])
    }))

  const lost: ReadonlyArray<Reply> = [
    { status: 201, body: {} },
    { status: 200 },
    { status: 201, body: `{"id":"c1` },
    { status: 200, body: "<html>hello</html>" }
  ]
  it.effect.each(lost)("does not know the outcome of %j", (reply) => {
    const { layer } = withPlane(() => reply)
    return Effect.gen(function*() {
      const error = yield* Effect.flip(addComment)
      assert.deepStrictEqual([error.reason, error.sent, error.status], [
        "Unavailable",
        "unknown",
        Option.some(reply.status)
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("tells what may mean that there is no such work item", () => {
    const { layer } = withPlane(() => ({ status: 400, body: { error: "The payload is not valid" } }))
    return Effect.gen(function*() {
      assert.isTrue(mayMeanNoSuchItem(yield* Effect.flip(addComment)))
    }).pipe(Effect.provide(layer))
  })

  it.effect("reads moves by the second, by the activity's own moment where Plane tells no other", () => {
    const activity = {
      field: "state",
      new_identifier: done.toUpperCase(),
      actor: "lea",
      created_at: "2026-11-23T21:10:39.7Z"
    }
    const { layer } = withPlane(() => ({
      status: 200,
      body: {
        results: [
          { ...activity, epoch: 1_795_468_000.9 },
          { ...activity, epoch: null },
          { ...activity, epoch: 1e300, actor: null, new_identifier: null },
          { ...activity, field: "name" }
        ]
      }
    }))
    return Effect.gen(function*() {
      const moves = yield* Effect.flatMap(PlaneClient, (plane) => plane.moves(ItemId("item-1")))
      const own = DateTime.unsafeMake("2026-11-23T21:10:39Z")
      const by = { by: Option.some(UserId("lea")), to: Option.some(StateId(done)) }
      assert.deepStrictEqual(moves, [
        { ...by, at: DateTime.unsafeMake(1_795_468_000_000) },
        { ...by, at: own },
        { by: Option.none(), to: Option.none(), at: own }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("reads all pages of the states, and probes the project", () => {
    const { layer, seen } = withPlane(({ path, query }) => {
      if (!path.endsWith("states/")) return { status: 200, body: { id: project, identifier: "ET" } }
      const first = query["cursor"] === undefined
      return {
        status: 200,
        body: {
          results: [{ id: first ? "s1" : "s2", name: "S", group: "started" }],
          next_page_results: first,
          next_cursor: first ? "100:1:0" : "100:2:0"
        }
      }
    })
    return Effect.gen(function*() {
      const plane = yield* PlaneClient
      assert.deepStrictEqual((yield* plane.states).map((state) => state.id), ["s1", "s2"])
      yield* plane.probe
      assert.deepStrictEqual(seen.map(({ query }) => query), [
        { fields: "id,name,group,sequence", per_page: "100" },
        { fields: "id,name,group,sequence", per_page: "100", cursor: "100:1:0" },
        { fields: "id,identifier,is_member,member_role,archived_at" }
      ])
    }).pipe(Effect.provide(layer))
  })
})

describe("the two families of paths", () => {
  it.effect("falls back to issues/ where work-items/ is unknown, and remembers it", () => {
    const { layer, seen } = withPlane((one) =>
      one.path.includes("/work-items/") ? noSuchPath : one.method === "POST"
        ? { status: 201, body: { id: commentId } }
        : { status: 200, body: item(2, "Second") }
    )
    return Effect.gen(function*() {
      yield* find("ET-2")
      yield* read
      yield* addComment
      assert.deepStrictEqual(seen.map(({ path }) => /work-items|issues/.exec(path)?.[0]), [
        "work-items",
        "issues",
        "issues",
        "issues"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("says that the address is wrong when neither is known, and asks for work-items/ first again", () => {
    const { layer, seen } = withPlane(() => ({ status: 404, body: "<html>nginx</html>" }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason, "WrongAddress")
      assert.include(error.path, "/work-items/")
      assert.include(error.message, "ORCH_PLANE_API_URL")
      yield* Effect.flip(read)
      assert.deepStrictEqual(seen.map(({ path }) => /work-items|issues/.exec(path)?.[0]), [
        "work-items",
        "issues",
        "work-items",
        "issues"
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("never goes where a redirect points", () => {
    const { layer, seen } = withPlane(() => ({ status: 301, headers: { location: "https://elsewhere.example.test/" } }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(read)
      assert.strictEqual(error.reason, "WrongAddress")
      assert.include(error.message, "https://elsewhere.example.test/")
      assert.strictEqual(seen.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not take Plane's own 404 for an unknown path", () => {
    const { layer, seen } = withPlane(() => gone)
    return Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(read)).reason, "NotFound")
      assert.strictEqual(seen.length, 1)
    }).pipe(Effect.provide(layer))
  })
})

describe("PlaneError", () => {
  const rows: ReadonlyArray<readonly [number, unknown, PlaneErrorReason, string]> = [
    [401, { detail: "Authentication credentials were not provided." }, "KeyRefused", "ORCH_PLANE_API_TOKEN"],
    [403, { detail: "Given API token is not valid" }, "KeyRefused", "ORCH_PLANE_API_TOKEN"],
    [
      403,
      { detail: "You do not have permission to perform this action." },
      "PermissionDenied",
      "ORCH_PLANE_WORKSPACE_SLUG"
    ],
    [404, { error: "The requested resource does not exist." }, "WrongAddress", "ORCH_PLANE_PROJECT_ID"],
    [429, { error_code: 5900, error_message: "RATE_LIMIT_EXCEEDED" }, "RateLimited", "60 s"],
    [400, { state: ["Invalid pk"] }, "Refused", "state: Invalid pk"],
    [500, { error: "Something went wrong please try again later" }, "Unavailable", "Something went wrong"]
  ]
  it.effect.each(rows)("says method, path, status and Plane's words of a %i", ([status, body, reason, text]) => {
    const { layer } = withPlane(() => ({ status, body }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(probe)
      assert.strictEqual(error.reason, reason)
      assert.deepStrictEqual(error.status, Option.some(status))
      assert.include(error.message, `GET /api/v1/workspaces/ag_proj/projects/${project}/ → ${status}`)
      assert.include(error.message, text)
    }).pipe(Effect.provide(layer))
  })

  it.effect("holds the token nowhere, also when Plane repeats it", () => {
    const { layer } = withPlane(() => ({ status: 400, body: { error: `no such key: ${token}` } }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(probe)
      assert.include(error.words, "no such key: <redacted>")
      const encoded = yield* Schema.encode(PlaneError)(error)
      for (const text of [error.message, error.stack ?? "", JSON.stringify(encoded), inspect(error, { depth: 9 })]) {
        assert.notInclude(text, token)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("is what a request without a token ends in, and nothing is sent", () => {
    const { layer, seen } = withPlane(() => gone, { ORCH_PLANE_API_TOKEN: "" })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(read)
      assert.deepStrictEqual([error.reason, error.sent, error.status], ["KeyRefused", "no", Option.none()])
      assert.strictEqual(seen.length, 0)
    }).pipe(Effect.provide(layer))
  })
})
