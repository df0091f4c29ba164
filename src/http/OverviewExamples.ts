import type { Board } from "../overview/BoardView.js"
import type { Overview } from "../overview/OverviewView.js"
import { problemsOf } from "./ProblemExamples.js"

const url = "https://plane.example.com"

const overview: typeof Overview.Encoded = {
  at: "2026-11-29T17:12:21.000Z",
  version: "0.1.0",
  startedAt: "2026-11-29T08:00:03.120Z",
  headline: ["Plane is closed: it refuses the key of ET.", "An agent asks a question and a build is red."],
  below:
    "Nothing is lost. The 15 events that are owed are told as soon as Plane can be written to; tasks go on meanwhile.",
  severity: "broken",
  needsYou: 3,
  needs: [
    {
      id: "closed:ET",
      severity: "broken",
      label: "Key refused",
      since: "2026-11-29T17:08:02.410Z",
      count: 1,
      workItem: null,
      title: "Plane does not take the key of ET",
      evidence: { before: "It says:", words: "403 Given API token is not valid" },
      remedy:
        "Make a new key in Plane, at Profile settings → Personal access tokens, set it as `ORCH_PLANE_API_TOKEN`, and " +
        "restart. 15 events wait, on disk.",
      actions: [
        { _tag: "Open", label: "Open Plane", url: `${url}/ag_proj` },
        { _tag: "Probe", label: "Probe now" }
      ]
    },
    {
      id: "wait:4",
      severity: "waits",
      label: "Question",
      since: "2026-11-29T16:57:00.009Z",
      count: 1,
      workItem: { key: "ET-5", name: "Offline maps for a whole region", url: `${url}/ag_proj/browse/ET-5/` },
      title: "ET-5 Offline maps for a whole region",
      evidence: { before: "architect asks mira@example.org:", words: "May map tiles of last month be deleted?" },
      remedy: "Comment `/answer` and your words on ET-5.",
      actions: [{ _tag: "Open", label: "Answer in Plane", url: `${url}/ag_proj/browse/ET-5/` }]
    },
    {
      id: "gate:2:ci",
      severity: "broken",
      label: "Red build",
      since: "2026-11-29T17:08:08.730Z",
      count: 1,
      workItem: { key: "ET-2", name: "Ride profiles on the trail map", url: `${url}/ag_proj/browse/ET-2/` },
      title: "ET-2 Ride profiles on the trail map",
      evidence: { before: "Gate ci failed 3 times at development:", words: "ci/e2e: failure" },
      remedy: "Push a fix to pull request 12. Or comment `/retry` to launch the agent of development again.",
      actions: [{ _tag: "Open", label: "Open the build", url: "https://ci.example.com/builds/318" }]
    }
  ],
  owed: 15,
  dead: 0,
  oldestSeconds: 244,
  toldLastHour: 31,
  projects: [{
    project: "ET",
    state: "closed",
    since: "2026-11-29T17:08:02.410Z",
    reason:
      "Plane does not take the API token (GET /api/v1/workspaces/ag_proj/projects/ → 403 Given API token is not valid)",
    nextProbeAt: "2026-11-29T17:12:59.000Z",
    lastToldAt: "2026-11-29T17:07:58.001Z",
    budget: { limit: 60, used: 0, waiting: 0, nextFreeAt: null }
  }],
  heard: [
    { source: "plane", lastAccepted: "2026-11-29T17:12:12.629Z", lastRefused: null },
    { source: "gitea", lastAccepted: "2026-11-29T17:10:13.841Z", lastRefused: null }
  ],
  replicas: []
}

const board: typeof Board.Encoded = {
  project: "ET",
  projects: ["ET", "DOC"],
  underWay: 12,
  doneToday: 9,
  stages: [
    {
      stage: "development",
      count: 1,
      cards: [{
        key: "ET-2",
        name: "Ride profiles on the trail map",
        url: `${url}/ag_proj/browse/ET-2/`,
        agent: "developer",
        status: "active",
        why: null,
        since: "2026-11-29T15:51:00.250Z",
        patienceSeconds: 7_200,
        behind: 3,
        failedGate: { gate: "ci", times: 3 },
        waitsFor: [{ reason: "gate_failed", reached: ["mira@example.org"] }]
      }],
      nextCursor: null
    },
    { stage: "done", count: 0, cards: [], nextCursor: null }
  ]
}

/** Examples of what the page is told, by their `operationId`. */
export const overviewExamples = {
  "overview.get": { responses: { 200: overview, ...problemsOf("overview.get") } },
  "live.get": {
    responses: {
      200: "event: changed\ndata: {\"workItems\":[\"ET-2\"],\"at\":\"2026-11-29T17:12:21.000Z\"}\n\n",
      ...problemsOf("live.get"),
      503: { error: "20 pages are told of changes already: close one, or read again each few seconds" }
    }
  },
  "board.get": { responses: { 200: board, ...problemsOf("board.get") } }
}
