import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { PlaneVersion } from "./Version.js"

/** A work item's state: what a person sees as a column. */
export interface StateOptions {
  readonly id: string
  readonly name: string
  readonly group: "backlog" | "unstarted" | "started" | "completed" | "cancelled"
}

/** A project. Its default state is the first state of group `backlog`, or else the first one. */
export interface ProjectOptions {
  readonly id: string
  /** Upper case, at most 12 characters: the "ET" of "ET-2". */
  readonly identifier: string
  readonly name: string
  readonly states: ReadonlyArray<StateOptions>
}

/** One request of a webhook, as its receiver gets it. The signature covers exactly this `body`. */
export interface WebhookRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface WebhookOptions {
  readonly url: string
  /** The whole secret, with its `plane_wh_` prefix. */
  readonly secret: string
  /** How long each webhook waits in Plane's queue before it is sent and says what is true then. Default: 0. */
  readonly delay?: Duration.DurationInput
  /** The longest wait before a retry after a connection error. Plane's is 600 s, and each wait is random below it. */
  readonly retryWithin?: Duration.DurationInput
  /** Waits exactly this long before each retry, instead of a random time. */
  readonly retryAfter?: Duration.DurationInput
  /**
   * Sends instead of HTTP, for tests without sockets. Returns the receiver's status, or fails for a connection error.
   */
  readonly send?: (request: WebhookRequest) => Effect.Effect<number, unknown>
}

export interface PlaneSimulatorOptions {
  /** The version of Plane that it is. Default: 1.3. */
  readonly plane?: PlaneVersion
  /** The port on 127.0.0.1; 0 (default) takes a free one. */
  readonly port?: number
  readonly workspace?: string
  readonly project?: ProjectOptions
  readonly furtherProjects?: ReadonlyArray<ProjectOptions>
  /** The rate limit of each API token. `off` never answers 429. Default 60 in 60,000 ms. */
  readonly rateLimit?: { readonly limit: number; readonly windowMillis: number } | "off"
  /** How long after its arrival, and its check of the external id, a write is inserted. */
  readonly insertDelay?: Duration.DurationInput
  /**
   * How long a change of a work item takes from reading its row to saving all of it, by API and in the pages. Of two
   * changes that overlap, the one that is saved later undoes the other. Default: no time at all.
   */
  readonly saving?: Duration.DurationInput
  /** How long every answer takes. */
  readonly latency?: Duration.DurationInput
  readonly webhook?: WebhookOptions
  /** Seed of the random faults and of the webhook's retry waits. */
  readonly seed?: number
  /** How many received requests are kept: all (default), or the last ones up to a number. */
  readonly record?: "all" | number
  /** Whether the control API may kill processes of this user, for crash tests. Default: no. */
  readonly kills?: boolean
}

/** The simulator cannot do what was asked for. `message` says which option is wrong, and what would be right. */
export class SimulatorError extends Schema.TaggedError<SimulatorError>()("SimulatorError", {
  reason: Schema.Literal("BadOption", "CannotListen", "Unknown"),
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `Plane simulator: ${this.detail}`
  }
}

/** The installation that plane-sync was written for. Its project and states are the defaults. */
export const enduroTrails: ProjectOptions = {
  id: "7a79f0a9-5278-49cd-9007-9a338f238f9c",
  identifier: "ET",
  name: "Enduro Trails",
  states: [
    { id: "113b24f6-cce8-4be9-9a22-a359b9cf0122", name: "Backlog", group: "backlog" },
    { id: "2c7d3df3-9eb9-419b-92b7-d7d560bcdd10", name: "Todo", group: "unstarted" },
    { id: "b873d9eb-993c-48cd-97ac-99a9b1623967", name: "In Progress", group: "started" },
    { id: "381a2833-3c4e-4be5-bd0f-be84cb946ad8", name: "Done", group: "completed" },
    { id: "b1cae7f9-961d-4889-a179-f3acea697d17", name: "Cancelled", group: "cancelled" }
  ]
}

/** Further projects with the same states under ids of their own. */
export const projectsLike = (
  { states }: ProjectOptions,
  identifiers: ReadonlyArray<string>
): ReadonlyArray<ProjectOptions> =>
  identifiers.map((identifier, index) => {
    const id = (n: number) =>
      `${(index + 1).toString(16).padStart(8, "0")}-0000-4000-8000-${String(n).padStart(12, "0")}`
    return {
      id: id(0),
      identifier,
      name: identifier,
      states: states.map((state, place) => ({ ...state, id: id(place + 1) }))
    }
  })

export interface Settings {
  readonly plane: PlaneVersion
  readonly port: number
  readonly workspace: string
  readonly projects: readonly [ProjectOptions, ...Array<ProjectOptions>]
  readonly rateLimit: { readonly limit: number; readonly windowMillis: number } | "off"
  readonly insertDelay: number
  readonly saving: number
  readonly latency: number
  readonly webhook: WebhookOptions | undefined
  readonly seed: number
  readonly record: number
  readonly kills: boolean
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const firstWrong = (settings: Settings): string | undefined => {
  const { latency, insertDelay, port, projects, rateLimit, record, saving, webhook, workspace } = settings
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return `port ${port} is not an integer from 0 to 65535`
  if (!/^[A-Za-z0-9_-]+$/.test(workspace)) return `workspace "${workspace}" is not a slug ([A-Za-z0-9_-]+)`
  for (const project of projects) {
    if (!uuid.test(project.id)) return `project id "${project.id}" is not a lower-case UUID`
    if (!/^[A-Z0-9]{1,12}$/.test(project.identifier)) {
      return `project identifier "${project.identifier}" is not 1 to 12 of [A-Z0-9]`
    }
    if (project.states.length === 0) return `project ${project.identifier} has no states`
    const wrong = project.states.find((state) => !uuid.test(state.id))
    if (wrong !== undefined) return `id "${wrong.id}" of state "${wrong.name}" is not a lower-case UUID`
  }
  if (new Set(projects.map((project) => project.id)).size < projects.length) return "two projects have the same id"
  if (new Set(projects.map((project) => project.identifier)).size < projects.length) {
    return "two projects have the same identifier"
  }
  if (rateLimit !== "off" && !(Number.isInteger(rateLimit.limit) && rateLimit.limit > 0)) {
    return `rateLimit.limit ${rateLimit.limit} is not a positive integer`
  }
  if (rateLimit !== "off" && !(rateLimit.windowMillis > 0)) {
    return `rateLimit.windowMillis ${rateLimit.windowMillis} is not positive`
  }
  if (!Number.isFinite(latency)) return "latency is not finite"
  if (!Number.isFinite(saving)) return "saving is not finite"
  if (!Number.isFinite(insertDelay)) return "insertDelay is not finite"
  if (record !== Infinity && !(Number.isInteger(record) && record > 0)) {
    return `record ${record} is neither "all" nor a positive count`
  }
  if (webhook !== undefined && !URL.canParse(webhook.url)) return `webhook.url "${webhook.url}" is not a URL`
  return undefined
}

/** Fills in the defaults. Fails with the first wrong option, named. */
export const settle = (options: PlaneSimulatorOptions): Effect.Effect<Settings, SimulatorError> => {
  const settings: Settings = {
    plane: options.plane ?? "1.3",
    port: options.port ?? 0,
    workspace: options.workspace ?? "ag_proj",
    projects: [options.project ?? enduroTrails, ...(options.furtherProjects ?? [])],
    rateLimit: options.rateLimit ?? { limit: 60, windowMillis: 60_000 },
    insertDelay: Duration.toMillis(options.insertDelay ?? 0),
    saving: Duration.toMillis(options.saving ?? 0),
    latency: Duration.toMillis(options.latency ?? 0),
    webhook: options.webhook,
    seed: options.seed ?? 1,
    record: options.record === undefined || options.record === "all" ? Infinity : options.record,
    kills: options.kills ?? false
  }
  const wrong = firstWrong(settings)
  return wrong === undefined
    ? Effect.succeed(settings)
    : Effect.fail(new SimulatorError({ reason: "BadOption", detail: wrong }))
}
