import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Clock, Duration, Effect, Schema } from "effect"
import type { Expected } from "./Judge.js"

/** A task as the orchestrator knows it, and the work item that people made for it in Plane. */
export interface Task {
  /** What the orchestrator calls it. */
  readonly key: string
  readonly name: string
  /** Its number in Plane. */
  readonly number: number
  /** A gate that fails at review, and why. */
  readonly fails?: { readonly check: string; readonly reason: string }
}

/**
 * "ET-002" stands in the title of ET-7, as some teams write it. A key with leading zeros means that one, although there
 * is an ET-2 too.
 */
export const tasks: ReadonlyArray<Task> = [
  {
    key: "ET-2",
    number: 2,
    name: "Ride profiles on the trail map",
    fails: { check: "tests", reason: "climb < 0 m & drawn anyway" }
  },
  { key: "ET-3", number: 3, name: "Warn of closed trails near the route" },
  { key: "ET-002", number: 7, name: "ET-002: share a tour by link" }
]

/** What the orchestrator says, as `POST /api/events` takes it, and what must then stand in Plane: the specification's words. */
export interface Step {
  readonly event: Readonly<Record<string, string>>
  readonly says: string
  readonly line: string
  /** What the orchestrator does before it, in milliseconds. */
  readonly takes: number
}

const pace = 850

const stages: ReadonlyArray<readonly [from: string, to: string, agent?: string]> = [
  ["created", "analysis", "analyst"],
  ["analysis", "architecture", "architect"],
  ["architecture", "development", "developer"],
  ["development", "review", "reviewer"],
  ["review", "testing", "tester"],
  ["testing", "deploy", "deployer"],
  ["deploy", "done"]
]

/** A task's whole life: seven changes of stage, a gate on the way if it fails, and the completion. */
export const stepsOf = (task: Task): ReadonlyArray<Step> => {
  const workItem = task.key
  const steps = stages.flatMap(([from, to, agent]): Array<Step> => {
    const step: Step = {
      event: { type: "stage_changed", workItem, from, to, ...(agent === undefined ? {} : { agent }) },
      says: `${from} → ${to}`,
      line: `🔄 Stage: ${from} → ${to}${agent === undefined ? "" : ` (launching ${agent})`}`,
      takes: pace
    }
    if (from !== "review" || task.fails === undefined) return [step]
    const { check, reason } = task.fails
    return [{
      event: { type: "quality_gate_failed", workItem, stage: "review", check, reason },
      says: `gate "${check}" failed at review`,
      line: `⚠️ QG failed at review: ${check} — ${reason}`,
      takes: pace
    }, step]
  })
  return [...steps, {
    event: { type: "task_completed", workItem },
    says: "completed",
    line: "✅ Task completed! PR merged and deployed.",
    takes: pace / 2
  }]
}

/** What Plane must show of a task in the end. */
export const expectedOf = (task: Task): Expected => ({
  workItem: task.key,
  lines: stepsOf(task).map(({ line }) => line),
  state: "Done"
})

/** How a publish went, as the orchestrator saw it. Milliseconds. */
export interface Published {
  readonly task: Task
  readonly says: string
  readonly at: number
  readonly took: number
}

const Accepted = Schema.Struct({ id: Schema.String, duplicate: Schema.Boolean })

/** The orchestrator: takes each task through its stages and says so at `baseUrl`. All it ever waits for is the 202. */
export const run = (options: {
  readonly baseUrl: string
  readonly published: (what: Published) => Effect.Effect<void>
}) =>
  Effect.gen(function*() {
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.prependUrl(options.baseUrl)),
      HttpClient.filterStatus((status) => status === 202)
    )
    yield* Effect.forEach(tasks, (task, index) =>
      Effect.gen(function*() {
        yield* Effect.sleep(index * pace / tasks.length)
        for (const { event, says, takes } of stepsOf(task)) {
          const at = yield* Clock.currentTimeMillis
          const [took] = yield* Effect.timed(
            HttpClientRequest.post("/api/events").pipe(
              HttpClientRequest.bodyUnsafeJson(event),
              client.execute,
              Effect.flatMap(HttpClientResponse.schemaBodyJson(Accepted)),
              Effect.timeout("10 seconds")
            )
          )
          yield* options.published({ task, says, at, took: Duration.toMillis(took) })
          yield* Effect.sleep(takes)
        }
      }), { concurrency: "unbounded", discard: true })
  })
