import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Clock, Data, Duration, Effect, Schedule, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { deliver } from "./Gitea.js"
import type { Does, Task } from "./Story.js"
import { pace, tasks } from "./Story.js"

/** The part of a task that says which pull requests were considered. */
const Considered = Schema.Struct({
  pullRequests: Schema.Array(Schema.Struct({
    number: Schema.Number,
    counts: Schema.Boolean,
    why: Schema.NullOr(Schema.String)
  }))
})

/** plane-sync does not say why a pull request does not count, or says something else. */
class NotSaid
  extends Data.TaggedError("NotSaid")<{ readonly key: string; readonly why: string; readonly said: string }>
{
  override get message() {
    return `${this.key}: expected "${this.why}", but plane-sync says ${this.said}`
  }
}

/** How a step went, as its actor saw it. Times are milliseconds. */
export interface Done {
  readonly task: Task
  readonly says: string
  readonly at: number
  /** How long plane-sync took to answer. Undefined if it was not asked. */
  readonly took: number | undefined
  /** It is a publish: a request to `POST /api/events`. */
  readonly isEvent: boolean
}

/** Nobody waits for plane-sync's answer: it is done in Plane, or it is a look that may be repeated. */
const isOutside = ({ _tag }: Does) => _tag === "Move" || _tag === "Say" || _tag === "LookWhy"

/**
 * Takes each task through its steps, at `baseUrl`, in Plane and in Gitea. Each actor waits for nothing but the answer,
 * and for what it has to read in Plane first.
 */
export const run = (options: {
  readonly baseUrl: string
  readonly giteaSecret: string
  readonly workItemOf: (task: Task) => string
  readonly done: (what: Done) => Effect.Effect<void>
}) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.mapRequest(HttpClientRequest.prependUrl(options.baseUrl)),
      HttpClient.filterStatusOk
    )
    const giteaDelivers = deliver(client, options.giteaSecret)
    const post = (path: string, body: unknown) =>
      client.execute(HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post(path), body))

    // Plane's webhook makes the task. On a busy machine it may arrive later than the agent is done.
    const ofTask = (task: Task, what: "report" | "ask", body: unknown) =>
      Effect.retry(post(`/api/tasks/${task.key}/${what}`, body), {
        while: (error) => error._tag === "ResponseError" && error.response.status === 404,
        schedule: Schedule.spaced("50 millis"),
        times: 100
      })

    const isShown = (task: Task, words: string) =>
      Effect.map(plane.comments(options.workItemOf(task)), (all) => all.some(({ html }) => html.includes(words)))

    const reasonIs = (key: string, { number, why }: Extract<Does, { readonly _tag: "LookWhy" }>) =>
      client.get(`/api/tasks/${key}`).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Considered)),
        Effect.filterOrFail(
          ({ pullRequests }) => pullRequests.some((one) => one.number === number && !one.counts && one.why === why),
          ({ pullRequests }) => new NotSaid({ key, why, said: JSON.stringify(pullRequests) })
        )
      )

    const perform = (task: Task, does: Does): Effect.Effect<unknown, HttpClientError | ParseError | NotSaid> => {
      switch (does._tag) {
        case "Move":
          return plane.moveWorkItem(options.workItemOf(task), does.state)
        case "Say":
          return plane.addPersonComment(options.workItemOf(task), `<p class="editor-paragraph-block">${does.text}</p>`)
        case "Report": {
          const { stage, usage } = does
          return ofTask(task, "report", { stage, outcome: "passed", ...(usage === undefined ? {} : { usage }) })
        }
        case "Question":
          return ofTask(task, "ask", { question: does.question, agent: does.agent })
        case "Gitea":
          return giteaDelivers(does.happening, does.pullRequest)
        case "LookWhy":
          return Effect.retry(reasonIs(task.key, does), { schedule: Schedule.spaced("50 millis"), times: 60 })
        case "Event":
          return post("/api/events", does.event)
      }
    }

    yield* Effect.forEach(tasks, (task, index) =>
      Effect.gen(function*() {
        yield* Effect.sleep(index * pace / tasks.length)
        for (const { after, does, says, takes } of task.steps) {
          if (after !== undefined) {
            yield* Effect.repeat(isShown(task, after), { until: (is) => is, schedule: Schedule.spaced("50 millis") })
          }
          const at = yield* Clock.currentTimeMillis
          const [took] = yield* Effect.timed(Effect.timeout(perform(task, does), "10 seconds"))
          yield* options.done({
            task,
            says,
            at,
            took: isOutside(does) ? undefined : Duration.toMillis(took),
            isEvent: does._tag === "Event"
          })
          yield* Effect.sleep(takes)
        }
      }), { concurrency: "unbounded", discard: true })
  })
