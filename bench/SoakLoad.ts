import { Array, Data, DateTime, Duration, Effect, Schedule, Schema } from "effect"
import { createHash } from "node:crypto"
import { connect } from "node:net"
import { StageEvent, StageEventJson } from "../src/domain/StageEvent.js"
import { Fault } from "../src/simulator/Faults.js"
import type { Call } from "./Caller.js"
import { caller } from "./Caller.js"
import { signed, statusHook } from "./Hooks.js"
import { changed } from "./Load.js"
import type { SimulatorProcess } from "./SimulatorProcess.js"

/** What the load has seen so far. */
export interface Seen {
  /** Requests that were answered, right or wrong. */
  answered: number
  /** Events that were published and answered 202. */
  accepted: number
  /** Answers that the load did not expect, by what was asked for and the status, or why there was no answer. */
  readonly unexpected: Map<string, number>
}

/** The work items that events are published for. Those of the tasks are made one by one. */
const workItems = 200

const json = { "content-type": "application/json" }

const post = (path: string, body: unknown): Call => ({
  method: "POST",
  path,
  headers: json,
  body: JSON.stringify(body)
})

const get = (path: string): Call => ({ method: "GET", path })

const gitea = (event: string, index: number, content: object): Call => {
  const { body, headers } = signed(event, index, content)
  return { method: "POST", path: "/webhooks/gitea", headers, body }
}

const encode = Schema.encodeSync(StageEventJson)

const iso = Effect.map(DateTime.now, DateTime.formatIso)

/** Every tenth is a failed gate. Each fails for a reason of its own, because a count may be owed for ten minutes. */
const published = (index: number): StageEvent =>
  index % 10 === 9
    ? StageEvent.QualityGateFailed({
      workItem: `ET-${index % workItems + 1}`,
      stage: "review",
      check: "lint",
      reason: `error ${index}`
    })
    : changed(index, workItems)

/** What Gitea says of the pull request of a task. */
const pullRequest = (options: {
  readonly number: number
  readonly key: string
  readonly sha: string
  readonly now: string
  readonly merged?: boolean
}) => {
  const { key, merged = false, now, number, sha } = options
  return {
    repository: { id: 1, full_name: "bench/load", default_branch: "main" },
    sender: { login: "reviewer" },
    pull_request: {
      number,
      title: `${key}: ride along the river`,
      body: "x".repeat(1_000),
      state: merged ? "closed" : "open",
      merged,
      merged_at: merged ? now : null,
      draft: false,
      user: { login: "developer" },
      base: { ref: "main" },
      head: { label: `${key}-ride`, ref: `${key}-ride`, sha, repo_id: 1 },
      created_at: now,
      updated_at: now
    }
  }
}

// A large hook that is read in slices, and one that carries no fact and is counted only.
const large = Array.makeBy(2, (index) =>
  gitea(index === 0 ? "push" : "status", index, {
    id: index + 1,
    sha: "a",
    context: "ci/large",
    state: "success",
    commits: Array.makeBy(8_000, (n) => ({ id: String(n), message: "x".repeat(420) })),
    repository: { id: 1, full_name: "bench/load" }
  }))

/** A client that goes away in the middle of its request. */
const abandon = (port: number) =>
  Effect.async<void>((resume) => {
    const end = () => resume(Effect.void)
    const socket = connect(port, "127.0.0.1", () => {
      socket.write("POST /api/events HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000\r\n\r\n{", () => socket.destroy())
    })
    socket.on("close", end).on("error", end)
  })

const anything = [
  Fault.Status({ status: 500 }),
  Fault.Status({ status: 502, when: "after", html: true }),
  Fault.Reset({ when: "after" }),
  Fault.Reset({ when: "midBody" }),
  Fault.Truncated({}),
  Fault.EmptyOk({ when: "after" })
] as const

/** Plane's minute: each fault, how long it lasts, and how long Plane is healthy afterwards, in seconds. */
const minute: ReadonlyArray<{ readonly fault: Fault; readonly lasts: number; readonly rest: number }> = [
  { fault: Fault.Random({ probability: 0.3, faults: anything }), lasts: 8, rest: 8 },
  { fault: Fault.Silent({}), lasts: 4, rest: 8 },
  { fault: Fault.TooMany({ retryAfter: "1" }), lasts: 2, rest: 8 },
  { fault: Fault.ByteByByte({ everyMillis: 50 }), lasts: 4, rest: 4 },
  { fault: Fault.Down({}), lasts: 6, rest: 8 }
]

/** The settings that fit this load: pauses so short that what an hour brings comes in a minute. */
export const settings = {
  ORCH_PLANE_TIMEOUT: "2 seconds",
  ORCH_PLANE_QUIET: "3 seconds",
  ORCH_PLANE_MAX_BACKOFF: "2 seconds",
  ORCH_PLANE_MAX_ATTEMPTS: "1000",
  ORCH_PLANE_RATE_LIMIT: "1000/second",
  ORCH_GITEA_SETTLE: "1 second"
}

/**
 * Loads the program with all that it does, until it is interrupted: publishes, hooks of Plane and Gitea, tasks that go
 * through all their stages, GETs, what is refused, clients that go away, and a Plane that misbehaves in turns. Every
 * request waits for the one before of its kind, so the load does not pile up.
 */
export const run = (port: number, plane: SimulatorProcess, seen: Seen) =>
  Effect.scoped(Effect.gen(function*() {
    const call = yield* caller(port)
    const ask = (what: string, request: Call, ...expected: ReadonlyArray<number>) =>
      Effect.map(call(request), ({ status, text }) => {
        seen.answered += 1
        if (expected.includes(status)) return true
        const key = `${what}: ${status === 0 ? text : status}`
        seen.unexpected.set(key, (seen.unexpected.get(key) ?? 0) + 1)
        return false
      })
    const every = <A, E>(pause: Duration.DurationInput, each: (index: number) => Effect.Effect<A, E>) => {
      let index = 0
      return Effect.repeat(Effect.suspend(() => each(index++)), Schedule.fixed(pause))
    }
    yield* Effect.forEach(Array.range(1, workItems), (n) => plane.addWorkItem(`Task ${n}`), { discard: true })

    const publishing = every("100 millis", (index) =>
      Effect.map(ask("publish", post("/api/events", encode(published(index))), 202), (taken) => {
        if (taken) {
          seen.accepted += 1
        }
      }))

    const task = (number: number) =>
      Effect.gen(function*() {
        const { id, key } = yield* plane.addWorkItem(`Ride ${number}`)
        const sha = createHash("sha1").update(key).digest("hex")
        const report = (stage: string) =>
          ask("report", post(`/api/tasks/${key}/report`, { stage, outcome: "passed" }), 200, 409)
        const ofPullRequest = (event: string, action: string, merged = false) =>
          Effect.flatMap(
            iso,
            (now) =>
              ask(
                event,
                gitea(event, number, {
                  action,
                  ...pullRequest({ number, key, sha, now, merged }),
                  ...(action === "reviewed" ? { review: { type: event, content: "" } } : {})
                }),
                202
              )
          )
        const check = { id: number, sha, context: "ci/build", state: "success" }
        const repository = { id: 1, full_name: "bench/load" }
        const steps = [
          ask("start", post("/api/tasks", { workItem: key }), 200),
          report("analysis"),
          report("architecture"),
          ofPullRequest("pull_request", "opened"),
          ask("status", gitea("status", number, { ...check, repository, sender: { login: "ci" } }), 202),
          ofPullRequest("pull_request_review_approved", "reviewed"),
          report("testing"),
          ask("task", get(`/api/tasks/${key}`), 200),
          ofPullRequest("pull_request", "closed", true),
          // A person does what the pipeline has not done by then.
          plane.moveWorkItem(id, "Done")
        ]
        yield* Effect.forEach(steps, (step) =>
          Effect.delay(step, "1 second"), { discard: true })
      })

    const faults = Effect.forever(Effect.forEach(minute, ({ fault, lasts, rest }) =>
      Effect.sleep(Duration.seconds(rest)).pipe(
        Effect.zipRight(plane.misbehave(fault)),
        Effect.zipRight(Effect.sleep(Duration.seconds(lasts))),
        Effect.zipRight(plane.misbehave(undefined))
      ), { discard: true }))

    yield* Effect.all([
      publishing,
      faults,
      every("200 millis", (index) => {
        const { body, headers } = statusHook(index)
        return ask("status", { method: "POST", path: "/webhooks/gitea", headers, body }, 202)
      }),
      // Each takes ten seconds or more, so several go through their stages at the same time.
      ...Array.makeBy(4, (lane) =>
        every("1 second", (index) =>
          task(1 + lane + 4 * index))),
      every("10 seconds", (index) =>
        ask("large hook", large[index % 2] ?? get("/"), 202)),
      every("500 millis", () => ask("health", get("/health"), 200)),
      every("1 second", () => ask("tasks", get("/api/tasks"), 200)),
      every("1 second", () => ask("events", get("/api/events"), 200)),
      every("2 seconds", () => ask("deliveries", get("/api/deliveries"), 200)),
      every("2 seconds", (index) => ask("work item", get(`/api/work-items/ET-${index % workItems + 1}`), 200)),
      every("1 second", () => ask("no event", post("/api/events", { workItem: 1 }), 400)),
      every("2 seconds", (index) => {
        const { body, headers } = statusHook(index)
        return ask("not signed", {
          method: "POST",
          path: "/webhooks/gitea",
          headers: { ...headers, "x-gitea-signature": "0".repeat(64) },
          body
        }, 401)
      }),
      every("1 second", () => abandon(port))
    ], { concurrency: "unbounded", discard: true })
  }))

class StillOwed extends Data.TaggedError("StillOwed")<{ readonly pending: number }> {}

const Owed = Schema.parseJson(Schema.Struct({ outbox: Schema.Struct({ pending: Schema.Number }) }))

/** How many events are owed after at most a minute in which Plane is healthy. */
export const leftOwed = (port: number) =>
  Effect.scoped(Effect.gen(function*() {
    const call = yield* caller(port)
    return yield* call(get("/health")).pipe(
      Effect.flatMap(({ text }) => Schema.decode(Owed)(text)),
      Effect.filterOrFail(
        ({ outbox }) => outbox.pending === 0,
        ({ outbox }) => new StillOwed(outbox)
      ),
      Effect.as(0),
      Effect.retry({ schedule: Schedule.spaced("1 second"), times: 60 }),
      Effect.catchTag("StillOwed", ({ pending }) => Effect.succeed(pending))
    )
  }))
