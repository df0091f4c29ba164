import type { ProjectOptions } from "../src/simulator/PlaneSimulator.js"
import { progressLine, receiptLine } from "./Comments.js"
import type { Happening, PullRequest } from "./Gitea.js"
import { repository, requiredCheck } from "./Gitea.js"
import type { Expected } from "./Judge.js"
import { care, careStages, commander, trails } from "./Projects.js"

/** What somebody does, and what Plane must show after it: the lines of comments, word for word. */
export interface Step {
  readonly does: Does
  readonly says: string
  readonly lines: ReadonlyArray<string>
  /** How long it takes until the next step, in milliseconds. */
  readonly takes: number
  /** Words that must stand in the work item's comments first: who answers has read what is asked. */
  readonly after?: string
}

export type Does =
  /** A person moves the work item in Plane. */
  | { readonly _tag: "Move"; readonly state: string }
  /** A person writes a comment in Plane. */
  | { readonly _tag: "Say"; readonly text: string }
  /** An agent has done its part. */
  | { readonly _tag: "Report"; readonly stage: string; readonly usage?: Used }
  /** An agent does not know how to go on. */
  | { readonly _tag: "Question"; readonly question: string; readonly agent: string }
  /** Something happened in Gitea. */
  | { readonly _tag: "Gitea"; readonly happening: Happening; readonly pullRequest: PullRequest }
  /** A person looks why a pull request has not moved the task: plane-sync must say exactly this. */
  | { readonly _tag: "LookWhy"; readonly number: number; readonly why: string }
  /** A foreign orchestrator says what happened, as `POST /api/events` takes it. */
  | { readonly _tag: "Event"; readonly event: Readonly<Record<string, string>> }

/** What an agent has used, as it reports it. */
interface Used {
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
}

/** A task, and the work item that people made for it in Plane. */
export interface Task {
  readonly key: string
  readonly name: string
  /** Its project in Plane, and its number there. */
  readonly project: ProjectOptions
  readonly number: number
  readonly steps: ReadonlyArray<Step>
}

/** How long a step takes if nothing else is said, in milliseconds. */
export const pace = 850

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

/** What somebody does in Gitea to a pull request whose last commit is `headSha`. */
const gitea = (pullRequest: Omit<PullRequest, "headSha">) =>
(
  says: string,
  headSha: string,
  happening: Happening,
  lines: ReadonlyArray<string> = [],
  takes?: number
) => step({ _tag: "Gitea", happening, pullRequest: { ...pullRequest, headSha } }, `Gitea: ${says}`, lines, takes)

/** A merge that is no end of the task, because it goes into a branch that does not count. */
const wrongMerge = (key: string, number: number, headSha: string): ReadonlyArray<Step> => {
  const base = "feature/epic"
  const why = `it goes into ${base}, and not into ${repository.default_branch} or one of ORCH_GITEA_BRANCHES`
  const inGitea = gitea({ number, branch: `${key.toLowerCase()}-spike`, title: "A first try", base })
  return [
    inGitea(
      `pull request ${number} merged into ${base}`,
      headSha,
      { _tag: "PullRequest", action: "closed" },
      [],
      pace / 2
    ),
    step({ _tag: "LookWhy", number, why }, `not done: ${number} does not count, because ${why}`, [])
  ]
}

/** The whole circle: what people and agents do in Plane and Gitea moves the task. Nobody says which stage it is in. */
const circle = (): ReadonlyArray<Step> => {
  const inGitea = gitea({ number: 12, branch: "et-2-ride-profiles", title: "Ride profiles" })
  const [first, second] = ["4be1c7d0a52f3e9c8b6a1d7f0e2c4b5a69788f10", "9d03f6a2c8e14b7750c3d2e1f0a9b8c7d6e5f423"]
  const [build, review] = ["climb < 0 m & drawn anyway", "please test a ride over midnight"]
  return [
    step({ _tag: "Move", state: "In Progress" }, "a person moves it to In Progress", leaves("created")),
    report("analysis"),
    report("architecture"),
    inGitea("pull request 12 opened", first, { _tag: "PullRequest", action: "opened" }, [], pace / 2),
    inGitea("the build fails", first, { _tag: "Status", state: "failure", description: build }, [
      failed("development", "ci", `${requiredCheck}: ${build}`)
    ]),
    inGitea("new commits", second, { _tag: "PullRequest", action: "synchronized" }, [], pace / 2),
    inGitea("the build is green", second, { _tag: "Status", state: "success", description: "" }, leaves("development")),
    inGitea("the reviewer asks for changes", second, { _tag: "Review", approved: false, content: review }, [
      failed("review", "approval", `mira: ${review}`)
    ]),
    inGitea("the reviewer approves", second, { _tag: "Review", approved: true, content: "" }, leaves("review")),
    report("testing"),
    inGitea("merged", second, { _tag: "PullRequest", action: "closed" }, [
      ...leaves("deploy"),
      completed,
      receiptLine(["Time", "Failed gates", "Pull request"])
    ])
  ]
}

/** A person writes a command in Plane, and gets one reply. */
const says = (text: string, after: string, reply: string): Step => ({
  ...step({ _tag: "Say", text }, `${commander.name} in Plane: ${text}`, [reply]),
  after
})

/**
 * A task whose agent asks, and that goes to riders only when a person approves. Its stages are shown by one comment that
 * is edited: first when it starts, when the build fails, and at its end.
 */
const asked = (key: string): ReadonlyArray<Step> => {
  const inGitea = gitea({ number: 13, branch: "closed-trails", title: `${key}: closed trails` })
  const sha = "17aa2c9e4d5b6f708192a3b4c5d6e7f809a1b2c3"
  const [question, answer] = ["Warn of wet trails, too?", "Only of closed ones"]
  const build = "the map did not load"
  const usage = { model: "sonnet", inputTokens: 41_200, outputTokens: 2_350, costUsd: 0.16 }
  return [
    step({ _tag: "Move", state: "In Progress" }, "a person moves it to In Progress", [
      progressLine(careStages.map((stage) => `✅ ${stage}`))
    ]),
    {
      ...step({ _tag: "Question", question, agent: "analyst" }, "an agent asks", [`❓ analyst asks: ${question}`]),
      after: "🔄 analysis"
    },
    says(
      `/answer ${answer}`,
      "❓",
      `✅ /answer (${commander.name}): analyst is launched again for analysis, and gets the answer`
    ),
    { ...step({ _tag: "Report", stage: "analysis", usage }, "an agent: analysis is done", []), after: "✅ /answer" },
    step({ _tag: "Report", stage: "development" }, "an agent: development is done", [
      "🙋 release waits for a person: write /approve, or /reject with the reason, as a comment."
    ]),
    inGitea("pull request 13 opened", sha, { _tag: "PullRequest", action: "opened" }, [], pace / 2),
    inGitea("the build fails", sha, { _tag: "Status", state: "failure", description: build }, [
      failed("release", "ci", `${requiredCheck}: ${build}`)
    ]),
    ...wrongMerge(key, 14, "c3b2a1f809e7d6c5b4a3928170f6b5d4e9c2aa17"),
    inGitea("the build is green, run again", sha, { _tag: "Status", state: "success", description: "" }),
    says("/approve", "🙋", `✅ /approve (${commander.name}): release is approved`),
    {
      ...inGitea("merged", sha, { _tag: "PullRequest", action: "closed" }, [
        completed,
        receiptLine(["Time", "Failed gates", "Pull request", "Usage"])
      ]),
      after: "✅ /approve"
    }
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
 * Two tasks that move by themselves, one of which asks people, and one of an orchestrator that keeps its own stages. The
 * third task's "ET-002" stands in the title of ET-7, as some teams write it: a key with leading zeros means that work
 * item, although there is an ET-2 too.
 */
export const tasks: ReadonlyArray<Task> = [
  { key: "ET-2", project: trails, number: 2, name: "Ride profiles", steps: circle() },
  { key: "TC-3", project: care, number: 3, name: "Warn of closed trails", steps: asked("TC-3") },
  { key: "ET-002", project: trails, number: 7, name: "ET-002: share a tour", steps: told("ET-002") }
]

/** What Plane must show of a task in the end. */
export const expectedOf = (task: Task): Expected => ({
  workItem: task.key,
  lines: task.steps.flatMap(({ lines }) => lines),
  state: "Done"
})
