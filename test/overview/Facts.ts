import { ConfigProvider, DateTime, Effect, Option } from "effect"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { projectsOf } from "../../src/domain/Projects.js"
import { projectConfig } from "../../src/domain/ProjectSettings.js"
import type { HealthFacts } from "../../src/health/HealthFacts.js"
import type { DeadGroup } from "../../src/outbox/DeadGroups.js"
import { itemsOf } from "../../src/overview/Items.js"
import type { OverviewFacts } from "../../src/overview/OverviewFacts.js"
import { WaitId } from "../../src/people/Wait.js"
import type { WaitRow } from "../../src/people/Waits.js"
import { PlaneError } from "../../src/plane/PlaneError.js"
import type { ProjectStatus } from "../../src/sending/PlaneSync.js"
import type { FailedGate } from "../../src/tasks/FailedGates.js"
import { TaskId } from "../../src/tasks/Task.js"

export const now = EpochMillis(10_000_000)

const open: ProjectStatus = {
  identifier: "ET",
  destination: { open: true },
  wroteAt: Option.none(),
  misfit: Option.none(),
  budget: { limit: 60, used: 0, waiting: 0, pausedUntil: Option.none(), nextFreeAt: Option.none() }
}

const health: HealthFacts = {
  now,
  projects: [open],
  left: [],
  standby: undefined,
  elsewhere: [],
  replicas: [],
  integrity: undefined,
  outbox: { pending: 0, dead: 0, delivered: 0, discarded: 0, oldestAt: Option.none() },
  deadNotices: 0,
  readFailure: undefined,
  workerFailure: undefined,
  writeFailure: undefined,
  notStored: { count: 0, at: EpochMillis(0) },
  gitea: [],
  heard: ["plane", "gitea"],
  silent: [],
  hooks: {
    plane: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0, skipped: [] },
    gitea: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0, skipped: [] }
  }
}

export const mira = "mira@example.org"

/** That of the default settings. */
const theProject = Effect.runSync(Effect.withConfigProvider(projectConfig, ConfigProvider.fromMap(new Map())))

const projects = projectsOf([{ ...theProject, commands: [mira], attention: [mira, "rafa@example.org"] }])

const url = "https://plane.example.com"

const well: OverviewFacts = {
  health,
  waits: [],
  gates: [],
  letters: [],
  toldLastHour: 0,
  items: itemsOf({ url, workspaceSlug: "trail" }, projects, []),
  settings: { ...projects, planeUrl: url, workspaceUrl: () => `${url}/trail` }
}

/** All goes well, but for this. */
export const facts = (
  { health: change = {}, ...others }: Partial<Omit<OverviewFacts, "health">> & {
    readonly health?: Partial<HealthFacts>
  } = {}
): OverviewFacts => ({ ...well, ...others, health: { ...health, ...change } })

/** Plane has refused what was asked for this reason. */
export const planeError = (reason: PlaneError["reason"], status: number, words: string) =>
  new PlaneError({
    reason,
    method: "GET",
    path: "/api/v1/workspaces/trail/projects/1/",
    status: Option.some(status),
    headline: Option.none(),
    advice: Option.none(),
    words,
    retryAfter: Option.none(),
    sent: "answered",
    sentAt: Option.none()
  })

/** Nothing is sent to the project because of this. */
export const closedBy = (error: PlaneError, identifier = "ET"): ProjectStatus => ({
  ...open,
  identifier,
  destination: {
    open: false,
    since: DateTime.unsafeMake(1_000_000),
    reason: error.message,
    notLookedAt: false,
    error: Option.some(error),
    nextProbeAt: Option.none()
  }
})

/** Nothing is sent to the project, and nobody has asked Plane. */
export const notAsked = (reason: string): ProjectStatus => ({
  ...open,
  destination: {
    open: false,
    since: DateTime.unsafeMake(1_000_000),
    reason,
    notLookedAt: true,
    error: Option.none(),
    nextProbeAt: Option.none()
  }
})

export const wait = (id: number, change: Partial<WaitRow> = {}): WaitRow => ({
  id: WaitId(id),
  taskId: TaskId(id),
  workItem: `ET-${id}`,
  entry: "entry",
  stage: "architecture",
  reason: "asked",
  same: "",
  question: "May the old table be dropped?",
  agent: Option.some("architect"),
  openedAt: utc(EpochMillis(2_000_000)),
  state: "open",
  why: Option.none(),
  closedBy: Option.none(),
  closedAt: Option.none(),
  reached: [],
  escalateAt: Option.none(),
  isTold: true,
  step: 0,
  ...change
})

export const gate = (id: number, change: Partial<FailedGate> = {}): FailedGate => ({
  taskId: TaskId(id),
  workItem: `ET-${id}`,
  itemId: null,
  project: "ET",
  stage: "development",
  gate: "ci",
  reason: "build: failure",
  failed: 1,
  since: EpochMillis(3_000_000),
  page: Option.some({ title: "build", url: "https://ci.example.com/1" }),
  pullRequest: 12,
  ...change
})

export const letters = (count: number, change: Partial<DeadGroup> = {}): DeadGroup => ({
  code: "refused",
  project: "ET",
  letters: count,
  firstAt: EpochMillis(4_000_000),
  lastAt: EpochMillis(5_000_000),
  id: 40,
  reason: "Plane refuses the request",
  workItem: "ET-7",
  ...change
})
