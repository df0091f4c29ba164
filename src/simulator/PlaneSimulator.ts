/**
 * A simulated Plane (Community) for tests and demos: 1.3 by default, or 0.27, 1.0, 1.4. It has the part of Plane's REST
 * API that plane-sync uses, with Plane's rate limit, error shapes, external-id race, memberships, roles, archived
 * projects and webhooks, and with faults on demand. It imports nothing of the rest of plane-sync. docs/FIDELITY.md says
 * what it copies and what it does not.
 *
 * @module
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Control from "./Control.js"
import type { RecordedRequest } from "./Core.js"
import * as Core from "./Core.js"
import type { Fault } from "./Faults.js"
import { serve } from "./HttpServer.js"
import { tokens } from "./Keyring.js"
import type { SentMail } from "./Mails.js"
import * as MemoryClient from "./MemoryClient.js"
import type { ProjectRole, StateChange } from "./Model.js"
import { bot, owner } from "./Model.js"
import type { PlaneSimulatorOptions, ProjectOptions, SimulatorError, StateOptions, WebhookOptions } from "./Options.js"
import { settle } from "./Options.js"
import type { NewWorkItem, SimulatedComment, SimulatedWorkItem, StateEdit, WorkItemEdit } from "./People.js"
import * as People from "./People.js"
import type { SimulatedLink } from "./PersonLinks.js"
import type { SentHook } from "./Webhooks.js"

export type { RecordedRequest } from "./Core.js"
export { Fault, type FaultMatch, FaultSchema, type SingleFault } from "./Faults.js"
export type { SentMail } from "./Mails.js"
export type { ProjectRole, StateChange } from "./Model.js"
export { ClockMillis } from "./Moment.js"
export {
  enduroTrails,
  type PlaneSimulatorOptions,
  type ProjectOptions,
  SimulatorError,
  type StateOptions,
  type WebhookOptions,
  type WebhookRequest
} from "./Options.js"
export type { NewWorkItem, SimulatedComment, SimulatedWorkItem, StateEdit, WorkItemEdit } from "./People.js"
export type { SimulatedLink } from "./PersonLinks.js"
export type { PlaneVersion } from "./Version.js"
export type { SentHook } from "./Webhooks.js"

/** The address of the simulator in memory. */
const memoryUrl = "http://plane.test"

/**
 * A simulated Plane. Methods that take an id die when there is no such thing: that is a mistake of the test.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { PlaneSimulator } from "plane-sync/simulator"
 *
 * const program = Effect.gen(function*() {
 *   const plane = yield* PlaneSimulator
 *   const item = yield* plane.addWorkItem({ name: "Login form" })
 *   // … with the settings plane.settings, publish events for item.key
 *   return yield* plane.comments(item.id)
 * }).pipe(Effect.provide(PlaneSimulator.layer()))
 * ```
 */
export class PlaneSimulator extends Context.Tag("plane-sync/PlaneSimulator")<PlaneSimulator, {
  /** The base address, without a path: "http://127.0.0.1:43121", or "http://plane.test" in memory. */
  readonly url: string
  /** A valid API token of the bot, at first a member of every project. */
  readonly token: string
  /**
   * Further tokens: `owner` (admin), `guest`, `outsider` (of another workspace), `service` (five times the rate,
   * before 1.4), `deactivated` (valid before 1.4), `revoked`.
   */
  readonly tokens: typeof tokens
  /** The settings that lead plane-sync to it, as in the environment: address, token, workspace and project. */
  readonly settings: Readonly<Record<string, string>>
  /** The user of `token`. */
  readonly bot: { readonly id: string; readonly name: string }
  /** The user that `moveWorkItem` and `addPersonComment` act as. */
  readonly person: { readonly id: string; readonly name: string }
  readonly workspace: string
  readonly project: ProjectOptions
  /** The states of `project` by name. */
  readonly states: Readonly<Record<string, StateOptions>>
  /** The id of a state of `project`. Throws if there is none of that name. */
  readonly stateId: (name: string) => string

  /** A person makes a work item (webhook: created). */
  readonly addWorkItem: (what: NewWorkItem) => Effect.Effect<SimulatedWorkItem>
  readonly workItem: (id: string) => Effect.Effect<SimulatedWorkItem>
  readonly workItems: Effect.Effect<ReadonlyArray<SimulatedWorkItem>>
  /** In the order of their insertion. */
  readonly comments: (workItemId: string) => Effect.Effect<ReadonlyArray<SimulatedComment>>
  /** Every change of state, with its moment. */
  readonly stateChanges: (workItemId: string) => Effect.Effect<ReadonlyArray<StateChange>>
  /**
   * A person moves a work item in the web page, to a state's id or name. The webhook says `state_id` and names the
   * person.
   */
  readonly moveWorkItem: (workItemId: string, state: string) => Effect.Effect<void>
  /**
   * A person changes other fields of a work item in the web page. The webhook calls two `assignee_ids` and `label_ids`.
   */
  readonly editWorkItem: (workItemId: string, edit: WorkItemEdit) => Effect.Effect<void>
  readonly deleteWorkItem: (workItemId: string) => Effect.Effect<void>
  readonly archiveWorkItem: (workItemId: string) => Effect.Effect<void>
  readonly addPersonComment: (workItemId: string, html: string) => Effect.Effect<SimulatedComment>
  /** A person edits any comment in the web page, as an admin may. This alone sets `edited_at`. */
  readonly editComment: (commentId: string, html: string) => Effect.Effect<void>
  /** Frees the comment's external id. */
  readonly deleteComment: (commentId: string) => Effect.Effect<void>
  /** The links of a work item, in the order of their insertion. */
  readonly links: (workItemId: string) => Effect.Effect<ReadonlyArray<SimulatedLink>>
  /** A person adds a link in the web page. No webhook tells of it. */
  readonly addPersonLink: (workItemId: string, url: string) => Effect.Effect<SimulatedLink>
  /** A person deletes any link in the web page. */
  readonly deleteLink: (linkId: string) => Effect.Effect<void>
  /** Renames a state, or puts it into another group. No webhook tells of it, and its work items stay as they are. */
  readonly changeState: (stateId: string, edit: StateEdit) => Effect.Effect<void>
  /** Deletes a state: PATCHes to it get 400. Items in it keep it. */
  readonly removeState: (stateId: string) => Effect.Effect<void>
  /** Puts a state that `removeState` took away back in its place. */
  readonly restoreState: (stateId: string) => Effect.Effect<void>
  /** Changes the project's identifier (webhook: project). The old one is a 403 at once. */
  readonly renameProject: (identifier: string, projectId?: string) => Effect.Effect<void>
  /**
   * A person archives the project (default: `project`). No webhook tells of it, but the project itself says since when
   * it is archived. Its lists and search answer 200 and are empty, its items, states and comments are a 404, and writes
   * are taken as before.
   */
  readonly archiveProject: (projectId?: string) => Effect.Effect<void>
  readonly restoreProject: (projectId?: string) => Effect.Effect<void>
  /** From now on `token` answers 403 "Given API token is not valid". */
  readonly revokeToken: Effect.Effect<void>
  readonly restoreToken: Effect.Effect<void>
  /**
   * Puts the bot out of the project (default: `project`); it stays in the workspace. The project itself answers 200 and
   * says that the bot is no member, search finds nothing in it, and everything below it is a 403. Only its members can
   * still be listed, while the bot is in another project.
   */
  readonly leaveProject: (projectId?: string) => Effect.Effect<void>
  /** Takes the bot back into the project, in the role that it had. */
  readonly joinProject: (projectId?: string) => Effect.Effect<void>
  /**
   * Sets what the bot is in the project (default: `project`). At first it is a member. A guest's PATCH of an item is a
   * 403.
   */
  readonly setRole: (role: ProjectRole, projectId?: string) => Effect.Effect<void>

  /** Adds a fault. Several can be active: the first that matches a request wins. */
  readonly misbehave: (fault: Fault) => Effect.Effect<void>
  /** Ends all faults. */
  readonly calm: Effect.Effect<void>

  /** The requests that it received, in the order of arrival. */
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  readonly forgetRequests: Effect.Effect<void>
  /** A person registers a webhook in place of the present one, for a receiver whose address is known only later. */
  readonly registerWebhook: (webhook: WebhookOptions) => Effect.Effect<void>
  /** The webhooks that it has sent, each attempt by itself, once it has ended. */
  readonly hooks: Effect.Effect<ReadonlyArray<SentHook>>
  /**
   * The mails that PATCHes through the API have caused, which are notifications too. Only 1.4 sends them, to who made
   * the work item and to all who were ever assigned to it, except to who changed it.
   */
  readonly mails: Effect.Effect<ReadonlyArray<SentMail>>
}>() {
  /** Plane on a port of 127.0.0.1, with the control API of `Control.ts` under `/_simulator/`. */
  static readonly layer = (options: PlaneSimulatorOptions = {}): Layer.Layer<PlaneSimulator, SimulatorError> =>
    Layer.scoped(
      PlaneSimulator,
      Effect.gen(function*() {
        const core = yield* Effect.flatMap(settle(options), Core.make)
        const people = People.make(core)
        return service(core, people, yield* serve(core, Control.make(core, people)))
      })
    )

  /**
   * Plane without sockets, as the HttpClient: for all of plane-sync under a TestClock. `port` has no meaning here.
   *
   * @example
   * const layer = PlaneSync.layerStorage.pipe(
   *   Layer.provide([Storage.layerFile(":memory:"), Connections.layerHttpClient, PlaneSimulator.layerSettings()]),
   *   Layer.provideMerge(PlaneSimulator.layerMemory())
   * )
   */
  static readonly layerMemory = (
    options: PlaneSimulatorOptions = {}
  ): Layer.Layer<PlaneSimulator | HttpClient.HttpClient, SimulatorError> =>
    Layer.scopedContext(Effect.gen(function*() {
      const core = yield* Effect.flatMap(settle(options), Core.make)
      return Context.make(PlaneSimulator, service(core, People.make(core), memoryUrl)).pipe(
        Context.add(HttpClient.HttpClient, yield* MemoryClient.make(core, memoryUrl))
      )
    }))

  /** Sets its `settings`, and `more` of them, instead of those of the environment. */
  static readonly layerSettings = (
    more: Readonly<Record<string, string>> = {}
  ): Layer.Layer<never, never, PlaneSimulator> =>
    Layer.unwrapEffect(Effect.map(
      PlaneSimulator,
      ({ settings }) =>
        Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries({ ...settings, ...more }))))
    ))
}

const service = (core: Core.Core, people: People.People, url: string): Context.Tag.Service<PlaneSimulator> => {
  const project = core.settings.projects[0]
  return {
    url,
    token: tokens.bot,
    tokens,
    settings: {
      ORCH_PLANE_API_URL: url,
      ORCH_PLANE_API_TOKEN: tokens.bot,
      ORCH_PLANE_WORKSPACE_SLUG: core.settings.workspace,
      ORCH_PLANE_PROJECT_ID: project.id,
      ORCH_PLANE_PROJECT_IDENTIFIER: project.identifier
    },
    bot: { id: bot.id, name: bot.name },
    person: { id: owner.id, name: owner.name },
    workspace: core.settings.workspace,
    project,
    states: Object.fromEntries(project.states.map((state) => [state.name, state])),
    stateId: (name) => {
      const state = project.states.find((each) => each.name === name)
      if (state === undefined) throw new Error(`project ${project.identifier} has no state "${name}"`)
      return state.id
    },
    addWorkItem: (what) => Effect.orDie(people.addWorkItem(what)),
    workItem: (id) => Effect.orDie(people.workItem(id)),
    workItems: people.workItems,
    comments: (id) => Effect.orDie(people.comments(id)),
    stateChanges: (id) => Effect.orDie(people.stateChanges(id)),
    moveWorkItem: (id, state) => Effect.orDie(people.moveWorkItem(id, state)),
    editWorkItem: (id, edit) => Effect.orDie(people.editWorkItem(id, edit)),
    deleteWorkItem: (id) => Effect.orDie(people.deleteWorkItem(id)),
    archiveWorkItem: (id) => Effect.orDie(people.archiveWorkItem(id)),
    addPersonComment: (id, html) => Effect.orDie(people.addPersonComment(id, html)),
    editComment: (id, html) => Effect.orDie(people.editComment(id, html)),
    deleteComment: (id) => Effect.orDie(people.deleteComment(id)),
    links: (id) => Effect.orDie(people.links(id)),
    addPersonLink: (id, url) => Effect.orDie(people.addPersonLink(id, url)),
    deleteLink: (id) => Effect.orDie(people.deleteLink(id)),
    changeState: (id, edit) => Effect.orDie(people.changeState(id, edit)),
    removeState: (id) => Effect.orDie(people.removeState(id)),
    restoreState: (id) => Effect.orDie(people.restoreState(id)),
    renameProject: (identifier, projectId) => Effect.orDie(people.renameProject(identifier, projectId)),
    archiveProject: (projectId) => Effect.orDie(people.archiveProject(projectId)),
    restoreProject: (projectId) => Effect.orDie(people.restoreProject(projectId)),
    revokeToken: Effect.sync(() => core.keys.revoke(tokens.bot)),
    restoreToken: Effect.sync(() => core.keys.restore(tokens.bot)),
    leaveProject: (projectId) => Effect.orDie(people.setMember(false, projectId)),
    joinProject: (projectId) => Effect.orDie(people.setMember(true, projectId)),
    setRole: (role, projectId) => Effect.orDie(people.setRole(role, projectId)),
    misbehave: core.faults.add,
    calm: core.faults.clear,
    requests: core.requests,
    forgetRequests: core.forgetRequests,
    registerWebhook: core.webhooks.register,
    hooks: core.webhooks.hooks,
    mails: core.mails.sent
  }
}
