import type { StageEventJson } from "../domain/StageEvent.js"
import type { HealthReport } from "../health/HealthReport.js"
import type { DeadLetterView } from "../views/DeadLetterView.js"
import type { DeadNoticeView } from "../views/DeadNoticeView.js"
import type { EventView } from "../views/EventView.js"
import type { WorkItemView } from "../views/WorkItemView.js"
import { metricsExamples } from "./MetricsExamples.js"
import { overviewExamples } from "./OverviewExamples.js"
import { problemsOf } from "./ProblemExamples.js"
import type { PauseTask, ReportStage, StartTask } from "./TaskBodies.js"
import { answered, asked, itemId, paused, task, taskWithStory } from "./TaskExamples.js"

const event = {
  type: "stage_changed",
  workItem: "ET-002",
  id: "run-7:3",
  occurredAt: "2026-11-29T17:00:09.707Z",
  from: "analysis",
  to: "architecture",
  agent: "architect",
  links: [{ kind: "log", title: "Log of the analyst", url: "https://ci.example.com/runs/7/log" }]
} as const satisfies typeof StageEventJson.Encoded

const gateFailed = {
  type: "quality_gate_failed",
  workItem: "ET-002",
  stage: "testing",
  check: "coverage",
  reason: "71 % < 80 %",
  sameAs: "coverage below 80 %"
} as const satisfies typeof StageEventJson.Encoded

const completed = { type: "task_completed", workItem: "ET-002" } as const satisfies typeof StageEventJson.Encoded

const question = {
  type: "question_asked",
  workItem: "ET-002",
  question: "May the old table be dropped?",
  agent: "architect"
} as const satisfies typeof StageEventJson.Encoded

const { id, ...stored } = event

const published: typeof EventView.Encoded = {
  sequence: 5,
  id,
  workItem: "ET-002",
  event: stored,
  occurredAt: "2026-11-29T17:00:09.707Z",
  publishedAt: "2026-11-29T17:00:09.712Z",
  status: "delivered",
  comment: "delivered",
  state: "delivered",
  reason: null
}

const workItem: typeof WorkItemView.Encoded = {
  key: "ET-002",
  workItem: itemId,
  owed: 0,
  dueAt: null,
  state: "b873d9eb-993c-48cd-97ac-99a9b1623967",
  stateName: "In Progress",
  task: { stage: "architecture", status: "active" },
  gone: false,
  problem: null,
  events: [published],
  deliveries: [{
    id: 2,
    kind: "comment",
    status: "delivered",
    firstEvent: 5,
    lastEvent: 5,
    externalId: `${id}:${itemId}`,
    body: "<p>🔄 Stage: analysis → architecture (launching architect)</p>",
    attempts: 1,
    plannedAt: "2026-11-29T17:00:09.717Z",
    sentAt: "2026-11-29T17:00:09.717Z",
    settledAt: "2026-11-29T17:00:09.746Z",
    planeId: "ef338ca2-42a2-4c02-a189-0e5ea4d992c6",
    answer: 201,
    took: 29,
    reason: null,
    tries: [],
    tells: [5],
    isLiving: false
  }],
  story: [
    {
      at: "2026-11-29T17:00:09.717Z",
      kind: "event",
      line: "stage analysis → architecture (launching architect)",
      event: 5,
      delivery: null,
      attempt: null,
      answer: null,
      took: null
    },
    {
      at: "2026-11-29T17:00:09.746Z",
      kind: "request",
      line: "told by a comment",
      event: 5,
      delivery: 2,
      attempt: 1,
      answer: null,
      took: 29
    }
  ],
  next: { what: "nothing", line: "nothing is owed", at: null, waits: [], request: null }
}

const deadLetter: typeof DeadLetterView.Encoded = {
  id: 7,
  kind: "comment",
  code: "not_found",
  reason: "Plane has no work item ET-404: neither the number nor a name that carries it",
  workItem: "ET-404",
  firstEvent: 9,
  lastEvent: 9,
  body: "",
  externalId: null,
  occurredAt: "2026-11-29T17:00:09.559Z",
  settledAt: "2026-11-29T17:10:12.605Z",
  attempts: 0,
  answer: null
}

const deadNotice: typeof DeadNoticeView.Encoded = {
  id: 3,
  kind: "opened",
  notice: {
    type: "opened",
    id: "019a2b6e-7c1f-7d7a-9f0e-3f1f0a5f4c11:4:opened:1",
    wait: 4,
    workItem: "ET-002",
    stage: "architecture",
    reason: "asked",
    question: "May the old table be dropped?",
    agent: "architect",
    why: null,
    by: null,
    reached: ["lea@example.org"],
    at: "2026-11-29T17:00:09.717Z"
  },
  reason: "chat.example.com answered 404: check ORCH_NOTICE_URL",
  host: "chat.example.com",
  attempts: 15,
  deadSince: "2026-11-29T18:36:12.605Z"
}

const health: typeof HealthReport.Encoded = {
  live: true,
  status: "degraded",
  reasons: [
    "1 event is a dead letter, which Plane was not told of: plane-sync dead list says why. Retry or discard them"
  ],
  waits: [],
  plane: { state: "open", rateLimit: { limit: 60, used: 12, waiting: 0 } },
  projects: [{ project: "ET", state: "open", rateLimit: { limit: 60, used: 12, waiting: 0 } }],
  replicas: [],
  outbox: { pending: 0, dead: 1, oldestSeconds: 0 },
  notices: { dead: 0 },
  webhooks: {
    plane: {
      lastAccepted: "2026-11-29T17:00:09.629Z",
      lastRefused: null,
      skipped: [{ kind: "issue_comment updated", count: 3, why: "it tells of no state" }]
    },
    gitea: { lastAccepted: "2026-11-29T17:00:13.841Z", lastRefused: null, skipped: [] }
  }
}

const start: typeof StartTask.Encoded = { workItem: "ET-002", agent: "claude" }
const passed: typeof ReportStage.Encoded = {
  stage: "analysis",
  outcome: "passed",
  usage: { model: "sonnet", inputTokens: 120_400, outputTokens: 8_150, costUsd: 1.25 }
}
const failed: typeof ReportStage.Encoded = {
  stage: "analysis",
  outcome: "failed",
  reason: "no acceptance criteria",
  links: [{ kind: "log", title: "Log of the analyst", url: "https://ci.example.com/runs/7/log" }]
}
const overrule: typeof ReportStage.Encoded = {
  stage: "deploy",
  outcome: "passed",
  override: true,
  by: "lea",
  reason: "merged by hand"
}
const pause: typeof PauseTask.Encoded = { by: "lea", reason: "waits for legal" }

/** What an operation takes and answers, by examples. */
export interface OperationExamples {
  /** Bodies that it takes, by a word for each. */
  readonly requests?: Readonly<Record<string, unknown>>
  /** What it answers, by status. */
  readonly responses: Readonly<Record<number, unknown>>
}

const ofCode = { code: "not_found" }
const matching = { code: "refused", project: "ET", since: "2026-11-29T16:00:00Z", upTo: 40 }

/** Examples of all operations, by their `operationId`. */
export const examples: Readonly<Record<string, OperationExamples>> = {
  "health": { responses: { 200: health } },
  "events.publish": {
    requests: { stageChanged: event, gateFailed, completed, question },
    responses: { 202: { id, duplicate: false }, ...problemsOf("events.publish") }
  },
  "events.list": { responses: { 200: { events: [published], nextCursor: 5 }, ...problemsOf("events.list") } },
  "workItems.get": { responses: { 200: workItem, ...problemsOf("workItems.get") } },
  ...metricsExamples,
  ...overviewExamples,
  "probe.probe": {
    responses: { 200: [{ project: "ET", state: "open" }], ...problemsOf("probe.probe") }
  },
  "deliveries.list": {
    responses: { 200: { deliveries: [deadLetter], total: 1, nextCursor: null }, ...problemsOf("deliveries.list") }
  },
  "deliveries.get": { responses: { 200: deadLetter, ...problemsOf("deliveries.get") } },
  "deliveries.retry": { responses: { 200: { retried: 1 }, ...problemsOf("deliveries.retry") } },
  "deliveries.retryAll": {
    requests: { ofCode, matching },
    responses: { 200: { retried: 12 }, ...problemsOf("deliveries.retryAll") }
  },
  "deliveries.discard": { responses: { 200: { discarded: 1 }, ...problemsOf("deliveries.discard") } },
  "deliveries.discardAll": {
    requests: { ofCode, matching },
    responses: { 200: { discarded: 12 }, ...problemsOf("deliveries.discardAll") }
  },
  "notices.list": {
    responses: { 200: { notices: [deadNotice], nextCursor: null }, ...problemsOf("notices.list") }
  },
  "notices.retry": { responses: { 200: { retried: 1 }, ...problemsOf("notices.retry") } },
  "notices.retryAll": { responses: { 200: { retried: 4 }, ...problemsOf("notices.retryAll") } },
  "notices.discard": { responses: { 200: { discarded: 1 }, ...problemsOf("notices.discard") } },
  "notices.discardAll": { responses: { 200: { discarded: 4 }, ...problemsOf("notices.discardAll") } },
  "tasks.list": { responses: { 200: { tasks: [task], nextCursor: null }, ...problemsOf("tasks.list") } },
  "tasks.get": { responses: { 200: taskWithStory, ...problemsOf("tasks.get") } },
  "tasks.start": { requests: { start }, responses: { 200: task, ...problemsOf("tasks.start") } },
  "tasks.report": {
    requests: { passed, failed, overrule },
    responses: { 200: task, ...problemsOf("tasks.report") }
  },
  "tasks.ask": {
    requests: { ask: { question: "May the old table be dropped?", agent: "developer" } },
    responses: { 200: asked, ...problemsOf("tasks.ask") }
  },
  "tasks.answer": {
    requests: { answer: { text: "Yes, it is empty", by: "lea@example.org" } },
    responses: { 200: answered, ...problemsOf("tasks.answer") }
  },
  "tasks.pause": { requests: { pause }, responses: { 200: paused, ...problemsOf("tasks.pause") } },
  "tasks.advance": { responses: { 200: task, ...problemsOf("tasks.advance") } }
}
