import type { TaskView, TaskWithStory } from "../views/TaskView.js"
import type { WaitView } from "../views/WaitView.js"

// Examples of tasks, for `Examples.ts`.

export const itemId = "1f2e681e-5315-40e4-899e-84a45c093a9b"

export const asked: typeof WaitView.Encoded = {
  id: 4,
  stage: "development",
  reason: "asked",
  question: "May the old table be dropped?",
  agent: "developer",
  openedAt: "2026-11-29T17:00:12.100Z",
  state: "open",
  why: null,
  closedBy: null,
  closedAt: null,
  reached: ["lea@example.org"],
  escalateAt: "2026-11-29T21:00:12.100Z"
}

export const answered: typeof WaitView.Encoded = {
  ...asked,
  state: "answered",
  why: "Yes, it is empty",
  closedBy: "lea@example.org",
  closedAt: "2026-11-29T18:10:00.000Z",
  escalateAt: null
}

export const task: typeof TaskView.Encoded = {
  id: 1,
  workItem: "ET-002",
  planeId: itemId,
  stage: "development",
  status: "active",
  why: null,
  agent: "developer",
  repository: { id: 31, name: "trails/enduro", gitea: null },
  pullRequest: 12,
  headSha: "8f14e45fceea167a5a36dedd4bea2543f0a1b2c3",
  entry: "01a2283f-f49c-727b-b6ae-61e05060361f",
  launch: { state: "working", since: "2026-11-29T17:00:09.795Z", position: null },
  paused: null,
  startedAt: "2026-11-29T17:00:09.629Z",
  updatedAt: "2026-11-29T17:00:13.841Z",
  verdicts: [
    {
      gate: "reported",
      stage: "architecture",
      verdict: "passed",
      reason: null,
      since: "2026-11-29T17:00:09.707Z",
      at: "2026-11-29T17:00:09.707Z"
    },
    {
      gate: "ci",
      stage: "development",
      verdict: "pending",
      reason: "ci/build is running",
      since: "2026-11-29T17:00:09.766Z",
      at: "2026-11-29T17:00:13.841Z"
    }
  ],
  reports: [{ stage: "architecture", outcome: "passed", reason: null, at: "2026-11-29T17:00:09.694Z" }],
  waiting: [{ ...asked, notices: [{ kind: "opened", status: "delivered", reason: null }] }],
  answers: [{
    stage: "architecture",
    question: "Which of the two queues do we keep?",
    agent: "architect",
    answer: "the new one",
    by: "lea@example.org",
    at: "2026-11-29T17:00:09.690Z"
  }],
  receipt: {
    seconds: 4_380,
    failedGates: 1,
    stages: [
      { stage: "analysis", seconds: 1_260, attempts: 1, failedGates: 0 },
      { stage: "development", seconds: 3_120, attempts: 2, failedGates: 1 }
    ],
    pullRequests: ["trails/enduro#12"],
    usage: {
      inputTokens: 120_400,
      outputTokens: 8_150,
      costUsd: 1.25,
      models: [{ model: "sonnet", inputTokens: 120_400, outputTokens: 8_150, costUsd: 1.25 }]
    }
  }
}

export const taskWithStory: typeof TaskWithStory.Encoded = {
  ...task,
  pullRequests: [{
    repository: "trails/enduro",
    number: 12,
    state: "open",
    draft: false,
    base: "main",
    headSha: "8f14e45fceea167a5a36dedd4bea2543f0a1b2c3",
    mergedAt: null,
    reverts: false,
    counts: true,
    why: null
  }],
  links: [
    {
      kind: "log",
      title: "Log of the analyst",
      url: "https://ci.example.com/runs/7/log",
      inPlane: true,
      givenUp: null
    },
    {
      kind: "pull-request",
      title: "trails/enduro#12",
      url: "http://gitea:3000/trails/enduro/pulls/12",
      inPlane: false,
      givenUp:
        "Plane refuses the host gitea, because it has no dot: set ORCH_GITEA_PUBLIC_URL to the address by which people " +
        "reach Gitea"
    }
  ],
  story: [{ at: "2026-11-29T17:00:09.757Z", line: "paused at architecture: waits for legal (by lea)" }]
}

export const paused: typeof TaskView.Encoded = {
  ...task,
  status: "paused",
  why: "waits for legal (by lea)"
}
