import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Clock, Data, Duration, Effect, Schedule, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import type { Happening, PullRequest } from "./Gitea.js"
import { deliver, repository, requiredCheck } from "./Gitea.js"
import type { Expected } from "./Judge.js"

/** What somebody does, and what Plane must show after it: the lines of comments, word for word. */
export interface Step {
  readonly does: Does
  readonly says: string
  readonly lines: ReadonlyArray<string>
  /** How long it takes until the next step, in milliseconds. */
  readonly takes: number
}

export type Does =
  /** A person moves the work item in Plane. */
  | { readonly _tag: "Move"; readonly state: string }
  /** An agent has done its part. */
  | { readonly _tag: "Report"; readonly stage: string }
  /** Something happened in Gitea. */
  | { readonly _tag: "Gitea"; readonly happening: Happening; readonly pullRequest: PullRequest }
  /** A person looks why a pull request has not moved the task: plane-sync must say exactly this. */
  | { readonly _tag: "Ask"; readonly number: number; readonly why: string }
  /** A foreign orchestrator says what happened, as `POST /api/events` takes it. */
  | { readonly _tag: "Event"; readonly event: Readonly<Record<string, string>> }

/** A task, and the work item that people made for it in Plane. */
export interface Task {
  readonly key: string
  readonly name: string
  /** Its number in Plane. */
  readonly number: number
  readonly steps: ReadonlyArray<Step>
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

const changed = (from: string, to: string, agent?: string) =>
  `🔄 Stage: ${from} → ${to}${agent === undefined ? "" : ` (launching ${agent})`}`

/** The line of the stage change that leaves a stage. */
const leaves = (stage: string) =>
  stages.filter(([from]) => from === stage).map(([from, to, agent]) => changed(from, to, agent))

const failed = (stage: string, check: string, reason: string) => `⚠️ QG failed at ${stage}: ${check} — ${reason}`

const completed = "✅ Task completed! PR merged and deployed."

const step = (does: Does, says: string, lines: ReadonlyArray<string>, takes = pace): Step => ({
  does,
  says,
  lines,
  takes
})

const report = (stage: string) => step({ _tag: "Report", stage }, `an agent: ${stage} is done`, leaves(stage))

interface Trouble {
  readonly build: string
  readonly review: string
}

/** A merge that is no end of the task, because it goes into a branch that does not count. */
const wrongMerge = (key: string, number: number, headSha: string): ReadonlyArray<Step> => {
  const base = "feature/epic"
  const why = `it goes into ${base}, and not into ${repository.default_branch} or one of ORCH_GITEA_BRANCHES`
  const pullRequest = { number, branch: `${key.toLowerCase()}-spike`, title: "A first try", headSha, base }
  return [
    step(
      { _tag: "Gitea", happening: { _tag: "PullRequest", action: "closed" }, pullRequest },
      `Gitea: pull request ${number} merged into ${base}`,
      [],
      pace / 2
    ),
    step({ _tag: "Ask", number, why }, `not done: ${number} does not count, because ${why}`, [])
  ]
}

/** The whole circle: what people and agents do in Plane and Gitea moves the task. Nobody says which stage it is in. */
const circle = (
  pullRequest: Omit<PullRequest, "headSha">,
  shas: readonly [string, string],
  trouble?: Trouble,
  beforeTheMerge: ReadonlyArray<Step> = []
) => {
  const gitea = (
    says: string,
    headSha: string,
    happening: Happening,
    lines: ReadonlyArray<string> = [],
    takes?: number
  ) => step({ _tag: "Gitea", happening, pullRequest: { ...pullRequest, headSha } }, `Gitea: ${says}`, lines, takes)
  const [first, second] = shas
  const last = trouble === undefined ? first : second
  return [
    step({ _tag: "Move", state: "In Progress" }, "a person moves it to In Progress", leaves("created")),
    report("analysis"),
    report("architecture"),
    gitea(`pull request ${pullRequest.number} opened`, first, { _tag: "PullRequest", action: "opened" }, [], pace / 2),
    ...(trouble === undefined ? [] : [
      gitea(
        "the build fails",
        first,
        { _tag: "Status", state: "failure", description: trouble.build },
        [failed("development", "ci", `${requiredCheck}: ${trouble.build}`)]
      ),
      gitea("new commits", second, { _tag: "PullRequest", action: "synchronized" }, [], pace / 2)
    ]),
    gitea("the build is green", last, { _tag: "Status", state: "success", description: "" }, leaves("development")),
    ...(trouble === undefined ? [] : [
      gitea(
        "the reviewer asks for changes",
        last,
        { _tag: "Review", approved: false, content: trouble.review },
        [failed("review", "approval", `mira: ${trouble.review}`)]
      )
    ]),
    gitea(
      "the reviewer approves",
      last,
      { _tag: "Review", approved: true, content: "" },
      leaves("review")
    ),
    report("testing"),
    ...beforeTheMerge,
    gitea("merged", last, { _tag: "PullRequest", action: "closed" }, [...leaves("deploy"), completed])
  ]
}

/** A foreign orchestrator, in any language, that only says what happened. */
const told = (workItem: string): ReadonlyArray<Step> => [
  ...stages.map(([from, to, agent]) =>
    step(
      {
        _tag: "Event",
        event: { type: "stage_changed", workItem, from, to, ...(agent === undefined ? {} : { agent }) }
      },
      `an orchestrator: ${from} → ${to}`,
      [changed(from, to, agent)]
    )
  ),
  step({ _tag: "Event", event: { type: "task_completed", workItem } }, "an orchestrator: completed", [completed])
]

/**
 * Two tasks that move by themselves, and one of an orchestrator that keeps its own stages. The third task's "ET-002"
 * stands in the title of ET-7, as some teams write it: a key with leading zeros means that work item, although there is
 * an ET-2 too.
 */
export const tasks: ReadonlyArray<Task> = [
  {
    key: "ET-2",
    number: 2,
    name: "Ride profiles",
    steps: circle(
      { number: 12, branch: "et-2-ride-profiles", title: "Ride profiles" },
      ["4be1c7d0a52f3e9c8b6a1d7f0e2c4b5a69788f10", "9d03f6a2c8e14b7750c3d2e1f0a9b8c7d6e5f423"],
      { build: "climb < 0 m & drawn anyway", review: "please test a ride over midnight" }
    )
  },
  {
    key: "ET-3",
    number: 3,
    name: "Warn of closed trails",
    steps: circle(
      { number: 13, branch: "closed-trails", title: "ET-3: closed trails" },
      ["17aa2c9e4d5b6f708192a3b4c5d6e7f809a1b2c3", "17aa2c9e4d5b6f708192a3b4c5d6e7f809a1b2c3"],
      undefined,
      wrongMerge("ET-3", 14, "c3b2a1f809e7d6c5b4a3928170f6b5d4e9c2aa17")
    )
  },
  { key: "ET-002", number: 7, name: "ET-002: share a tour", steps: told("ET-002") }
]

/** What Plane must show of a task in the end. */
export const expectedOf = (task: Task): Expected => ({
  workItem: task.key,
  lines: task.steps.flatMap(({ lines }) => lines),
  state: "Done"
})

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

/**
 * Takes each task through its steps, at `baseUrl`, in Plane and in Gitea. Each actor waits for nothing but the answer.
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

    const reasonIs = (key: string, { number, why }: Extract<Does, { readonly _tag: "Ask" }>) =>
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
        case "Report":
          // Plane's webhook makes the task. On a busy machine it may arrive later than the agent is done.
          return Effect.retry(post(`/api/tasks/${task.key}/report`, { stage: does.stage, outcome: "passed" }), {
            while: (error) => error._tag === "ResponseError" && error.response.status === 404,
            schedule: Schedule.spaced("50 millis"),
            times: 100
          })
        case "Gitea":
          return giteaDelivers(does.happening, does.pullRequest)
        case "Ask":
          return Effect.retry(reasonIs(task.key, does), { schedule: Schedule.spaced("50 millis"), times: 60 })
        case "Event":
          return post("/api/events", does.event)
      }
    }

    yield* Effect.forEach(tasks, (task, index) =>
      Effect.gen(function*() {
        yield* Effect.sleep(index * pace / tasks.length)
        for (const { does, says, takes } of task.steps) {
          const at = yield* Clock.currentTimeMillis
          const [took] = yield* Effect.timed(Effect.timeout(perform(task, does), "10 seconds"))
          yield* options.done({
            task,
            says,
            at,
            took: does._tag === "Move" || does._tag === "Ask" ? undefined : Duration.toMillis(took),
            isEvent: does._tag === "Event"
          })
          yield* Effect.sleep(takes)
        }
      }), { concurrency: "unbounded", discard: true })
  })
