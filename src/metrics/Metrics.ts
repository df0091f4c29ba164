import type { Definition } from "./Define.js"
import { counter, gauge, histogram } from "./Define.js"

const project = "the identifier of a project"

/** The types of events. */
export const eventKinds = [
  "stage_changed",
  "quality_gate_failed",
  "task_completed",
  "question_asked",
  "noted",
  "other"
] as const
export type EventKind = typeof eventKinds[number]

/**
 * All metrics of the program, which docs/metrics.md lists. No label has values that become more with the work items.
 * What happens is counted where it happens; a gauge is read when somebody asks for it.
 */
export const metrics = {
  events: counter("plane_sync_events_total", {
    unit: "events",
    labels: { kind: eventKinds, outcome: ["stored", "duplicate", "conflict", "unfit", "not_stored"] },
    help:
      "Events that were published. duplicate: its id was stored before, with the same content; conflict: with other " +
      "content; unfit: it can never be told; not_stored: storage did not take it."
  }),
  publish: histogram("plane_sync_publish_seconds", {
    boundaries: [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    help: "How long a caller waited until its event was committed."
  }),
  told: histogram("plane_sync_told_seconds", {
    boundaries: [
      0.05,
      0.1,
      0.2,
      0.3,
      0.5,
      0.75,
      1,
      1.5,
      2,
      3,
      5,
      7.5,
      10,
      15,
      20,
      30,
      45,
      60,
      120,
      300,
      600,
      1_800,
      3_600,
      10_800,
      43_200,
      86_400
    ],
    help: "How long after it was published an event was told by a comment in Plane."
  }),
  deliveries: counter("plane_sync_deliveries_total", {
    unit: "deliveries",
    labels: {
      kind: ["comment", "state", "recount"],
      outcome: ["done", "later", "dead", "left", "withheld", "split", "gone"]
    },
    help:
      "How sendings of deliveries ended. done: Plane has it; later: it is tried again; dead: a dead letter; left: a " +
      "person's state stands; withheld: the stage table does not fit; split: a refused comment is told in halves; gone: " +
      "the comment to edit was deleted."
  }),
  requests: counter("plane_sync_plane_requests_total", {
    unit: "requests",
    labels: { operation: "the method and what it is about: POST comments", answer: "the HTTP status, or none" },
    help: "Requests that were sent to Plane, by what they were and what Plane answered."
  }),
  requestTime: histogram("plane_sync_plane_request_seconds", {
    boundaries: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    help: "How long Plane took for a request, answered or not."
  }),
  closed: counter("plane_sync_plane_closed_seconds_total", {
    unit: "seconds",
    labels: { project },
    help: "For how long nothing could be sent to the project, because not even the probe succeeded."
  }),
  hooks: counter("plane_sync_hooks_total", {
    unit: "webhooks",
    labels: {
      source: ["plane", "gitea"],
      verdict: ["stored", "counted", "refused", "overloaded", "not_stored"]
    },
    help: "Webhooks that came. counted: its type never moves anything; refused: a wrong signature, form or setting; " +
      "overloaded: no room for it; not_stored: storage did not take it."
  }),
  recovered: counter("plane_sync_recovered_total", {
    unit: "changes",
    labels: { project, what: ["move", "command"] },
    help: "Changes in Plane that were read there because no webhook had told them."
  }),
  launches: counter("plane_sync_launches_total", {
    unit: "launches",
    labels: { agent: "the name of an agent in the pipeline", outcome: ["launched", "failed", "no_answer"] },
    help: "Launches of agents, each try of them."
  }),
  storage: histogram("plane_sync_storage_seconds", {
    labels: { operation: ["read", "write"] },
    boundaries: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    help: "How long a transaction took that succeeded, the wait for its turn included."
  }),
  storageFailures: counter("plane_sync_storage_failures_total", {
    unit: "transactions",
    labels: { reason: "why, in one word: Busy, Full, Unreachable" },
    help: "Transactions that failed."
  }),
  build: gauge("plane_sync_build_info", {
    unit: "1",
    labels: { version: "the program's version" },
    help: "Always 1: the version is in its label."
  }),
  degraded: gauge("plane_sync_degraded", {
    unit: "0 or 1",
    help: "Whether /health says that something needs a person."
  }),
  owed: gauge("plane_sync_owed_events", { unit: "events", help: "Events that are not told yet." }),
  oldest: gauge("plane_sync_oldest_owed_seconds", {
    unit: "seconds",
    help: "How long the oldest owed event has been waiting; 0 if none is owed."
  }),
  dead: gauge("plane_sync_dead_events", {
    unit: "events",
    help: "Events that were not told and will not be, until a person decides."
  }),
  deadLetters: gauge("plane_sync_dead_letters", {
    unit: "deliveries",
    labels: { code: "the code of the reason" },
    help: "Dead letters by their reason, of the newest 10,000."
  }),
  deadNotices: gauge("plane_sync_dead_notices", {
    unit: "notices",
    help: "Notices that were given up; more than 1,000 are not counted."
  }),
  leads: gauge("plane_sync_leads", {
    unit: "0 or 1",
    labels: { project },
    help: "Whether this process sends for the project."
  }),
  isClosed: gauge("plane_sync_plane_closed", {
    unit: "0 or 1",
    labels: { project },
    help: "Whether nothing can be sent to the project. Only of those that this process sends for."
  }),
  budgetLeft: gauge("plane_sync_budget_left_requests", {
    unit: "requests",
    labels: { project },
    help:
      "How many requests the rate limit of the project's API token allows now. Only of those that this process sends for."
  }),
  budgetWaiting: gauge("plane_sync_budget_waiting_requests", {
    unit: "requests",
    labels: { project },
    help: "Requests that wait for the budget of the project's API token. Only of those that this process sends for."
  }),
  pause: gauge("plane_sync_budget_pause_seconds", {
    unit: "seconds",
    labels: { project },
    help:
      "For how long nothing more is sent, because Plane has asked for it. Only of those that this process sends for."
  }),
  storageFailing: gauge("plane_sync_storage_failing", {
    unit: "0 or 1",
    help: "Whether storage could not be read or written when it was last tried."
  }),
  hooksRefused: gauge("plane_sync_hooks_refused_in_a_row", {
    unit: "webhooks",
    labels: { source: ["plane", "gitea"] },
    help: "How many webhooks of the sender were refused since the last that was taken."
  }),
  waiting: gauge("plane_sync_waiting_for_person", {
    unit: "waits",
    labels: { reason: "why: see docs/people.md" },
    help: "What tasks wait for a person for, of the oldest 10,000."
  }),
  oldestWait: gauge("plane_sync_oldest_wait_seconds", {
    unit: "seconds",
    help: "How long a person has been waited for, at the longest; 0 if nobody is."
  }),
  replicas: gauge("plane_sync_replicas", {
    unit: "processes",
    help: "Processes on the same Postgres that live; 0 over a file."
  }),
  loopDelay: gauge("plane_sync_event_loop_delay_seconds", {
    unit: "seconds",
    labels: { of: ["median", "p99", "longest"] },
    help: "How late the event loop was in about the last minute."
  })
}

/** What docs/metrics.md lists, in its order. */
export const definitions: ReadonlyArray<Definition> = Object.values(metrics).map(({ definition }) => definition)
