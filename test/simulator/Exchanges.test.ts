import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { PlaneSimulator, type ProjectOptions, type SentHook } from "../../src/simulator/PlaneSimulator.js"
import { differences, isRecord } from "./shape.js"
import { until } from "./support.js"

/**
 * Exchanges and webhooks in the shape of a real Plane's, with values of our own. They are replayed in order over real
 * HTTP: the simulator must answer with the same status, headers, keys and types, and say the same words in errors.
 */
const Exchange = Schema.Struct({
  section: Schema.String,
  name: Schema.String,
  request: Schema.Struct({
    line: Schema.String,
    key: Schema.NullOr(
      Schema.Literal("bot", "owner", "guest", "outsider", "service", "deactivated", "revoked", "nobody")
    ),
    contentType: Schema.optional(Schema.String),
    body: Schema.optional(Schema.String)
  }),
  /** Null for a step by the simulator's control API, which stands for what a person does in the web page. */
  response: Schema.NullOr(Schema.Struct({
    status: Schema.Int,
    headers: Schema.Record({ key: Schema.String, value: Schema.String }),
    body: Schema.Unknown
  })),
  /** Later requests name the id of this answer so. */
  capture: Schema.optional(Schema.String),
  /** How often the request is sent; the last answer counts. */
  repeat: Schema.optional(Schema.Int),
  /** The bodies of the webhooks that it causes, in any order. */
  hooks: Schema.optional(Schema.Array(Schema.Unknown))
})
type Exchange = typeof Exchange.Type

const read = (file: string): ReadonlyArray<Exchange> =>
  readFileSync(new URL(`./fixtures/${file}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => Schema.decodeUnknownSync(Schema.parseJson(Exchange))(line))

const exchanges = read("exchanges.jsonl")
const people = read("people.jsonl")

/** Where the simulator is known to differ. docs/FIDELITY.md says so too. */
const known: Readonly<Record<string, string>> = {
  "members, a role by the id of the membership": "memberships have no ids",
  "labels on a work item, by the web page's own API": "the web page's API is not copied",
  "our own comment, changed in the web page by a member who may not": "the web page's API is not copied"
}

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
    const mark = line.indexOf(" ")
    const response = await fetch(`${url}${line.slice(mark + 1)}`, {
      ...init,
      method: line.slice(0, mark),
      redirect: "manual"
    })
    const text = await response.text()
    const body: unknown = text === "" ? null : JSON.parse(text)
    return { status: response.status, header: (name: string) => response.headers.get(name), body }
  })

/** What makes two webhooks comparable. */
const kindOf = (body: unknown): string => {
  const of = (value: unknown, key: string): unknown => isRecord(value) ? value[key] : undefined
  return [of(body, "event"), of(body, "action"), of(of(body, "activity"), "field")].map(String).join(" ")
}

const hookProblems = (expected: ReadonlyArray<unknown>, sent: ReadonlyArray<SentHook>): ReadonlyArray<string> => {
  const bodies = sent.map((hook): unknown => JSON.parse(hook.body))
  const kinds = (all: ReadonlyArray<unknown>) => all.map(kindOf).sort().join(", ")
  if (kinds(expected) !== kinds(bodies)) return [`webhooks are ${kinds(bodies)} instead of ${kinds(expected)}`]
  return expected.flatMap((body) =>
    differences(body, bodies.find((each) => kindOf(each) === kindOf(body)), false, kindOf(body))
  )
}

interface Replayed {
  readonly answers: number
  readonly hooks: number
  /** By the exchange's section and name. */
  readonly problems: ReadonlyMap<string, ReadonlyArray<string>>
}

const replay = (chosen: ReadonlyArray<Exchange>, limit: number): Effect.Effect<Replayed, never, PlaneSimulator> =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const places = new Map<string, string>([
      ["workspace", plane.workspace],
      ["project", marsh.id],
      ["foreignProject", peat.id],
      ["foreignState", "c4f7d6a0-61b2-4d0e-8a55-3f0b9d7e1a21"],
      ["person", plane.person.id],
      ["bot", plane.bot.id],
      ["megabytes", `{"comment_html": "${"m".repeat(6 * 1024 * 1024)}"}`],
      ...marsh.states.map((state): [string, string] => [state.name, state.id])
    ])
    for (const [index, name] of ["Draw the lake loop", "Measure the ridge", "Signpost the ford"].entries()) {
      const item = yield* plane.addWorkItem({ name })
      places.set(`item${index + 1}`, item.id)
    }
    const guest = yield* send(plane.url, "GET /api/v1/users/me/", { headers: { "X-API-Key": plane.tokens.guest } })
    places.set("guest", isRecord(guest.body) ? String(guest.body["id"]) : "")
    const fill = (text: string) =>
      text.replaceAll(/\{([A-Za-z][A-Za-z0-9 ]*)\}/g, (all, name: string) => places.get(name) ?? all)
    const remaining = new Map<string, number>()
    const problems = new Map<string, ReadonlyArray<string>>()
    let hooks = 0

    /** Sends one request, and says in what its answer differs. */
    const turn = (exchange: Exchange, say: (text: string) => void) =>
      Effect.gen(function*() {
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
        const before = yield* Clock.currentTimeMillis
        const seen = yield* send(plane.url, fill(request.line), {
          headers,
          ...(request.body === undefined ? {} : { body: fill(request.body) })
        })
        const after = yield* Clock.currentTimeMillis
        if (exchange.capture !== undefined && isRecord(seen.body)) {
          places.set(exchange.capture, String(seen.body["id"]))
        }
        if (response === null) {
          if (seen.status >= 300) say(`the control API answers ${seen.status} ${JSON.stringify(seen.body)}`)
          return
        }
        if (seen.status !== response.status) say(`status ${seen.status} instead of ${response.status}`)
        const body: unknown = JSON.parse(fill(JSON.stringify(response.body)))
        for (const each of differences(body, seen.body, response.status >= 400)) say(each)
        for (const name of ["Content-Type", "Allow", "Location"]) {
          const expected = response.headers[name]
          const actual = seen.header(name)
          if ((expected === undefined ? null : fill(expected)) !== actual) say(`${name} is ${String(actual)}`)
        }
        const counts = "X-RateLimit-Remaining" in response.headers
        const left = seen.header("X-RateLimit-Remaining")
        const reset = seen.header("X-RateLimit-Reset")
        if (counts !== (left !== null) || counts !== (reset !== null)) say("rate headers present or absent")
        if (left !== null) {
          const used = request.key ?? ""
          const expected = (remaining.get(used) ?? limit * (used === "service" ? 5 : 1)) - 1
          remaining.set(used, expected)
          if (Number(left) !== expected) say(`${left} requests remain instead of ${expected}`)
          if (Number(reset) < Math.floor(before / 1000) + 60 || Number(reset) > Math.floor(after / 1000) + 60) {
            say(`reset is ${String(reset)}, not a minute from now`)
          }
        }
        const retryAfter = seen.header("Retry-After")
        if (("Retry-After" in response.headers) !== (retryAfter !== null)) say("Retry-After present or absent")
        if (retryAfter !== null && !(Number(retryAfter) > 0 && Number(retryAfter) <= 60)) {
          say(`Retry-After ${retryAfter}`)
        }
      })

    // The guest's id took one of the guest's requests.
    remaining.set("guest", limit - 1)
    for (const exchange of chosen) {
      const found: Array<string> = []
      const before = (yield* plane.hooks).length
      for (let count = 1; count <= (exchange.repeat ?? 1); count++) {
        yield* turn(exchange, (text) => found.push(text))
      }
      const { hooks: expected } = exchange
      if (expected !== undefined) {
        hooks += expected.length
        yield* until(Effect.map(plane.hooks, ({ length }) => length >= before + expected.length))
        found.push(...hookProblems(expected, (yield* plane.hooks).slice(before)))
      }
      if (found.length > 0) problems.set(`${exchange.section}, ${exchange.name}`, found)
    }
    return { answers: chosen.filter(({ response }) => response !== null).length, hooks, problems }
  })

const upstream = "upstream 2026-07-15"
const webhook = { url: "http://orchestrator.test/plane", secret: "plane_wh_marsh", send: () => Effect.succeed(200) }
const wide = { rateLimit: { limit: 6000, windowMillis: 60_000 } } as const
const options = { workspace: "marsh_lab", project: marsh, furtherProjects: [peat], webhook }

const without = (all: ReadonlyArray<Exchange>, section: string) => all.filter((each) => each.section !== section)

const only = (all: ReadonlyArray<Exchange>, section: string) => all.filter((each) => each.section === section)

describe("exchanges in the shape of the real Plane's", () => {
  it("are of every kind", () => {
    assert.sameMembers([...new Set([...exchanges, ...people].map((each) => each.section))], [
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
      "rate limit",
      "links",
      "members",
      "labels",
      "labels on a work item",
      "assignees",
      "our own comment",
      "comments of people",
      "webhooks",
      "list for repair",
      "states",
      "work item to another project",
      "project",
      "project archived",
      "instance and limits",
      "lost update",
      upstream
    ])
  })

  it.scopedLive("are answered and told alike but for the known differences", () =>
    Effect.gen(function*() {
      const runs = yield* Effect.all([
        replay(without(exchanges, "rate limit"), 6000).pipe(
          Effect.provide(PlaneSimulator.layer({ ...options, ...wide }))
        ),
        replay(without(people, upstream), 6000).pipe(Effect.provide(PlaneSimulator.layer({ ...options, ...wide }))),
        replay(only(people, upstream), 6000).pipe(
          Effect.provide(PlaneSimulator.layer({ ...options, ...wide, plane: "1.4" }))
        ),
        replay(only(exchanges, "rate limit"), 60).pipe(Effect.provide(PlaneSimulator.layer(options)))
      ])
      const problems = new Map(runs.flatMap((run) => [...run.problems]))
      const answers = runs.reduce((sum, run) => sum + run.answers, 0)
      const hooks = runs.reduce((sum, run) => sum + run.hooks, 0)
      yield* Console.log(`replayed ${answers} answers and ${hooks} webhooks; ${problems.size} differ:`)
      for (const [name, found] of problems) {
        yield* Console.log(`- ${name} (${known[name] ?? "not known"}): ${found.join("; ")}`)
      }
      assert.isAtLeast(answers, 250)
      assert.isAtLeast(hooks, 30)
      assert.sameMembers([...problems.keys()], Object.keys(known), "the differences are the known ones")
    }), 90_000)
})
