/**
 * What is right, written a second time and naively from the rules: which pull requests count, what the gates may say,
 * and what a person's move means. Nothing of the program is used.
 *
 * Where the moment decides (how long nothing new has come, which of two facts was heard first), a gate has two answers:
 * whether it *may* hold, and whether it *must*.
 */
import type { Person, Protection, Pull, Status, World } from "./World.js"
import { hasRights, repositories } from "./World.js"

export const stages = [
  "created",
  "analysis",
  "architecture",
  "development",
  "review",
  "testing",
  "deploy",
  "done"
] as const
export type StageName = typeof stages[number]

type Gate = "started" | "reported" | "ci" | "approval" | "merged"

const gatesOf: Readonly<Record<StageName, ReadonlyArray<Gate>>> = {
  created: ["started"],
  analysis: ["reported"],
  architecture: ["reported"],
  development: ["ci"],
  review: ["approval"],
  testing: ["reported", "ci", "approval"],
  deploy: ["ci", "approval", "merged"],
  done: []
}

/** What a merge answers, too. */
const answeredByMerge: ReadonlySet<StageName> = new Set(["development", "review", "testing", "deploy"])

/** In milliseconds: `ORCH_GITEA_SETTLE`, and how much later it must have been noticed that nothing new came. */
export const settle = 120_000
const patience = 30_000

/** How the program is set, and what it can ask. */
export interface Rules {
  /** Whether Gitea can be asked. */
  readonly token: boolean
  readonly version: string
  readonly protection: Protection | undefined
  /** `ORCH_GITEA_REQUIRED_CHECKS`; empty: not set. */
  readonly checks: ReadonlyArray<string>
  /** `ORCH_GITEA_REVIEWERS`; empty: not set. */
  readonly reviewers: ReadonlyArray<string>
  readonly forks: boolean
  /** Whether pull requests into `release/…` count. */
  readonly releases: boolean
  /** Whether those of the second repository count. */
  readonly second: boolean
}

export interface Answer {
  readonly may: boolean
  readonly must: boolean
}

const surely = (holds: boolean): Answer => ({ may: holds, must: holds })
const never = surely(false)
const always = surely(true)

const all = (answers: ReadonlyArray<Answer>): Answer => ({
  may: answers.every(({ may }) => may),
  must: answers.every(({ must }) => must)
})

/** Whether it moves tasks at all (1, 24, 37). */
const counts = ({ base, fork, repository }: Pull, rules: Rules): boolean =>
  (base === repository.defaultBranch || (rules.releases && base.startsWith("release/"))) &&
  (!fork || rules.forks) &&
  (repository === repositories[0] || rules.second)

const protectionOf = ({ base, repository }: Pull, { protection, token }: Rules): Protection | undefined =>
  token && repository === repositories[0] && base === repository.defaultBranch ? protection : undefined

// A glob of these histories has one star, at its end.
const matches = (pattern: string, context: string) =>
  pattern.endsWith("*") ? context.startsWith(pattern.slice(0, -1)) : context === pattern

const isGreen = ({ state }: Status) => state === "success" || state === "skipped"

/** (9, 10, 13, 15) */
const ci = (pull: Pull, statuses: World["statuses"], rules: Rules, now: number): Answer => {
  if (pull.said.title.draft === true) return never
  const reported = [...(statuses.get(pull.head) ?? new Map<string, Status>()).values()]
  const patterns = rules.checks.length > 0 ? rules.checks : protectionOf(pull, rules)?.checks ?? []
  const asked = patterns.length === 0
    ? reported
    : reported.filter(({ context }) => patterns.some((pattern) => matches(pattern, context)))
  const isThere = patterns.every((pattern) => reported.some(({ context }) => matches(pattern, context)))
  if (asked.length === 0 || !isThere || !asked.every(isGreen)) return never
  if (patterns.length > 0 && !patterns.some((pattern) => pattern.endsWith("*"))) return always
  const quietFor = (some: ReadonlyArray<Status>) => now - Math.max(...some.map(({ at }) => at)) * 1_000
  return { may: quietFor(asked) >= settle, must: quietFor(reported) >= settle + patience }
}

/** (7, 8) */
const isHeard = (pull: Pull, rules: Rules) => (by: Person): boolean => {
  if (by === pull.author) return false
  if (rules.reviewers.length > 0 && !rules.reviewers.includes(by)) return false
  if (!rules.token) return true
  if (protectionOf(pull, rules) !== undefined) return hasRights(by)
  return rules.reviewers.length > 0 || rules.version.startsWith("1.22") || hasRights(by)
}

const approval = (pull: Pull, rules: Rules): Answer => {
  const last = new Map(pull.reviews.filter(({ dismissed }) => !dismissed).map((review) => [review.by, review]))
  const heard = [...last.values()].filter(({ by }) => isHeard(pull, rules)(by))
  const given = heard.filter(({ approved, head }) => approved && head === pull.head)
  const refused = heard.filter(({ approved }) => !approved)
  const enough = given.length >= Math.max(1, protectionOf(pull, rules)?.approvals ?? 1)
  return {
    // Whether a push answers a request for changes, the rules do not say.
    may: enough && refused.every(({ head }) => head !== pull.head),
    must: enough && refused.length === 0
  }
}

/** A task, as far as gates look at it. */
export interface TaskFacts {
  /** In milliseconds. */
  readonly startedAt: number
  readonly reports: ReadonlyMap<StageName, "passed" | "failed">
}

/** What each gate of a stage says, given the pull requests that are about the task (2, 3, 6). */
export const answersOf = (
  stage: StageName,
  task: TaskFacts,
  pulls: ReadonlyArray<Pull>,
  { statuses }: Pick<World, "statuses">,
  rules: Rules,
  now: number
): ReadonlyArray<Answer> => {
  const counted = pulls.filter((pull) => counts(pull, rules))
  const open = counted.filter(({ state }) => state === "open")
  const merges = counted.filter(({ mergedAt }) => mergedAt !== undefined && mergedAt * 1_000 >= task.startedAt)
  const isMerged = open.length === 0 && merges.length > 0
  const ofEachOpen = (judge: (pull: Pull) => Answer) => open.length > 0 ? all(open.map(judge)) : surely(isMerged)
  const judges: Readonly<Record<Gate, () => Answer>> = {
    started: () => always,
    reported: () => surely(task.reports.get(stage) === "passed" || (isMerged && answeredByMerge.has(stage))),
    ci: () => ofEachOpen((pull) => ci(pull, statuses, rules, now)),
    approval: () => ofEachOpen((pull) => approval(pull, rules)),
    merged: () => surely(isMerged)
  }
  return stage === "done"
    ? [never]
    : gatesOf[stage].map((gate) => judges[gate]())
}

export type TaskStatus = "active" | "paused" | "stopped" | "done"
export type Group = "backlog" | "unstarted" | "started" | "completed" | "cancelled"

/** The group of the state that a stage puts its work item in. */
const groupOfStage = (stage: StageName): Group =>
  stage === "created" ? "unstarted" : stage === "done" ? "completed" : "started"

/**
 * What a task is after a person's move (28); "anew": it starts at its first stage. Several: the rules leave it open.
 */
export const afterMove = (
  task: { readonly stage: StageName; readonly status: TaskStatus },
  group: Group
): ReadonlyArray<TaskStatus | "anew"> => {
  const { stage, status } = task
  if (status === "done") return group === "started" ? ["anew"] : ["done"]
  // Todo is the state of `created`, the only one of its group.
  if (group === groupOfStage(stage) || group === "started") return ["active"]
  switch (group) {
    case "completed":
      return status === "stopped" ? ["done", "stopped"] : ["done"]
    case "cancelled":
      return ["stopped"]
    case "backlog":
    case "unstarted":
      return status === "stopped" ? ["paused", "stopped"] : ["paused"]
  }
}
