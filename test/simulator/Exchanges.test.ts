import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { PlaneSimulator, type ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { differences, isRecord } from "./shape.js"

const Exchange = Schema.Struct({
  section: Schema.String,
  name: Schema.String,
  request: Schema.Struct({
    line: Schema.String,
    key: Schema.NullOr(Schema.Literal("bot", "owner", "guest", "outsider", "service", "revoked", "nobody")),
    contentType: Schema.optional(Schema.String),
    body: Schema.optional(Schema.String)
  }),
  response: Schema.Struct({
    status: Schema.Int,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.Unknown
  }),
  /** Later requests name the id of this answer so. */
  capture: Schema.optional(Schema.String),
  /** How often the request is sent; the last answer counts. */
  repeat: Schema.optional(Schema.Int)
})
type Exchange = typeof Exchange.Type

const exchanges: ReadonlyArray<Exchange> = readFileSync(new URL("./fixtures/exchanges.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => Schema.decodeUnknownSync(Schema.parseJson(Exchange))(line))

const marsh: ProjectOptions = {
  id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a01",
  identifier: "MS",
  name: "Marsh Survey",
  states: [
    { id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a11", name: "Backlog", group: "backlog" },
    { id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a12", name: "Todo", group: "unstarted" },
    { id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a13", name: "In Progress", group: "started" },
    { id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a14", name: "Done", group: "completed" },
    { id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a15", name: "Cancelled", group: "cancelled" }
  ]
}

const peat: ProjectOptions = {
  id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a02",
  identifier: "PW",
  name: "Peat Works",
  states: [{ id: "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a21", name: "Open", group: "backlog" }]
}

interface Seen {
  readonly status: number
  readonly header: (name: string) => string | null
  readonly body: unknown
}

const send = (url: string, line: string, init: RequestInit): Effect.Effect<Seen> =>
  Effect.promise(async () => {
    const [method = "", path = ""] = line.split(" ")
    const response = await fetch(`${url}${path}`, { ...init, method, redirect: "manual" })
    const text = await response.text()
    const body: unknown = text === "" ? null : JSON.parse(text)
    return { status: response.status, header: (name: string) => response.headers.get(name), body }
  })

const replay = (chosen: ReadonlyArray<Exchange>, limit: number) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const places = new Map<string, string>([
      ["workspace", plane.workspace],
      ["project", marsh.id],
      ["foreignProject", peat.id],
      ["foreignState", "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a21"],
      ["person", plane.person.id],
      ["megabytes", `{"comment_html": "${"m".repeat(6 * 1024 * 1024)}"}`],
      ...marsh.states.map((state): [string, string] => [state.name, state.id])
    ])
    for (const [index, name] of ["Draw the lake loop", "Measure the ridge", "Signpost the ford"].entries()) {
      const item = yield* plane.addWorkItem({ name })
      places.set(`item${index + 1}`, item.id)
    }
    const fill = (text: string) =>
      text.replaceAll(/\{([A-Za-z][A-Za-z0-9 ]*)\}/g, (all, name: string) => places.get(name) ?? all)
    const remaining = new Map<string, number>()
    const problems: Array<string> = []

    for (const exchange of chosen) {
      const { request, response } = exchange
      const key = request.key === "nobody"
        ? "plane_api_nobody"
        : request.key === null
        ? null
        : plane.tokens[request.key]
      const headers = {
        ...(key === null ? {} : { "X-API-Key": key }),
        ...(request.contentType === undefined ? {} : { "Content-Type": request.contentType })
      }
      const body = request.body === undefined ? {} : { body: fill(request.body) }
      for (let turn = 1; turn <= (exchange.repeat ?? 1); turn++) {
        const before = yield* Clock.currentTimeMillis
        const seen = yield* send(plane.url, fill(request.line), { headers, ...body })
        const after = yield* Clock.currentTimeMillis
        const say = (text: string) => problems.push(`${exchange.section}, ${exchange.name}: ${text}`)
        if (seen.status !== response.status) say(`status ${seen.status} instead of ${response.status}`)
        for (const each of differences(response.body, seen.body, response.status >= 400)) say(each)
        for (const name of ["Content-Type", "Allow", "Location"]) {
          const expected = response.headers[name]
          const actual = seen.header(name)
          if ((expected === undefined ? null : fill(expected)) !== actual) say(`${name} is ${String(actual)}`)
        }
        const counts = "X-RateLimit-Remaining" in response.headers
        const left = seen.header("X-RateLimit-Remaining")
        const reset = seen.header("X-RateLimit-Reset")
        if (counts !== (left !== null) || counts !== (reset !== null)) say("rate headers present or absent")
        if (counts) {
          const used = request.key ?? ""
          const expected = (remaining.get(used) ?? limit * (used === "service" ? 5 : 1)) - 1
          remaining.set(used, expected)
          if (Number(left) !== expected) say(`${String(left)} requests remain instead of ${expected}`)
          if (Number(reset) < Math.floor(before / 1000) + 60 || Number(reset) > Math.floor(after / 1000) + 60) {
            say(`reset is ${String(reset)}, not a minute from now`)
          }
        }
        const retryAfter = seen.header("Retry-After")
        if (("Retry-After" in response.headers) !== (retryAfter !== null)) say("Retry-After present or absent")
        if (retryAfter !== null && !(Number(retryAfter) > 0 && Number(retryAfter) <= 60)) {
          say(`Retry-After ${retryAfter}`)
        }
        if (exchange.capture !== undefined && isRecord(seen.body)) {
          places.set(exchange.capture, String(seen.body["id"]))
        }
      }
    }
    assert.deepStrictEqual(problems, [])
  })

const options = { workspace: "marsh_lab", project: marsh, furtherProjects: [peat] }

describe("exchanges in the shape of the real Plane's", () => {
  it("are many and of every kind", () => {
    assert.isAtLeast(exchanges.length, 60)
    assert.sameMembers([...new Set(exchanges.map((each) => each.section))], [
      "authentication",
      "listing",
      "pagination",
      "retrieving",
      "search",
      "redirects",
      "states and project",
      "patch",
      "comments",
      "conflicts",
      "items",
      "body size",
      "rate limit"
    ])
  })

  it.scopedLive("status, headers, keys and types are those of the fixtures", () =>
    replay(exchanges.filter((each) => each.section !== "rate limit"), 6000).pipe(
      Effect.provide(PlaneSimulator.layer({ ...options, rateLimit: { limit: 6000, windowMillis: 60_000 } }))
    ))

  it.scopedLive("at sixty a minute", () =>
    replay(exchanges.filter((each) => each.section === "rate limit"), 60).pipe(
      Effect.provide(PlaneSimulator.layer(options))
    ))
})
