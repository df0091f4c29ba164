import * as Effect from "effect/Effect"
import type { Call } from "./Call.js"
import * as Comments from "./CommentViews.js"
import type { Answer, Request } from "./Http.js"
import * as Http from "./Http.js"
import * as Instance from "./Instance.js"
import type { Keyring } from "./Keyring.js"
import * as Labels from "./LabelViews.js"
import * as Links from "./LinkViews.js"
import type { Mails } from "./Mails.js"
import * as Model from "./Model.js"
import type { ClockMillis } from "./Moment.js"
import { clockMillis } from "./Moment.js"
import { fieldsOf, paginate } from "./Pages.js"
import type { RateLog } from "./RateLog.js"
import type { Resolved, Route } from "./Router.js"
import type { Store } from "./Store.js"
import type { Traits } from "./Version.js"
import * as Views from "./Views.js"
import type { Webhooks } from "./Webhooks.js"
import * as WorkItems from "./WorkItemViews.js"

export interface Api {
  readonly store: Store
  readonly keys: Keyring
  readonly rateLog: RateLog
  readonly webhooks: Webhooks
  readonly mails: Mails
  readonly traits: Traits
}

/** How one request's writes are made: after this delay from its arrival, and reported to whoever keeps the record. */
export interface Writing {
  readonly delayMillis: number
  /** Whether webhooks, mails and activities can tell of them. */
  readonly isTold: boolean
  /** How long a PATCH of a work item holds the row that it has read before it saves all of it. */
  readonly savingMillis: number
  readonly onWrite: () => void
}

const roleNumbers: Record<Model.ProjectRole, number> = { admin: 20, member: 15, guest: 5 }

const roleNumber = ({ role }: Model.User): number | null => role === "outsider" ? null : roleNumbers[role]

/** All who are or were in a project. */
const people = [Model.guest, Model.bot, Model.owner]

/** Guests read everything and comment, but move nothing. */
const mayWrite = (route: Route, role: Model.ProjectRole): boolean =>
  route.kind === "comments" || route.kind === "comment" || role !== "guest"

/**
 * Whether the caller may see this. What it may not see is a 403, even if it does not exist. There are two exceptions.
 * Search answers an outsider 200 with nothing. The project itself may be read by the whole workspace, and says what the
 * caller is in it.
 */
const permitted = (api: Api, request: Request, route: Route, caller: Model.User): boolean => {
  if (route.kind === "me" || route.kind === "search") return true
  if (caller.role === "outsider" || route.workspace !== api.store.workspace.slug) return false
  const reading = request.method === "GET"
  if (route.kind === "projects" || (route.kind === "project" && reading)) return true
  if (route.kind === "workspaceMembers") return caller.role !== "guest"
  const project = projectOf(api.store, route)
  if (project === undefined) return false
  // Whoever is of the workspace sees no labels of a project that is not theirs, but may add some.
  if (route.kind === "labels") return reading || caller.role !== "guest"
  const ofMembers = route.kind === "members" || route.kind === "member"
  // The members only require a membership of some project, not of this one.
  if (ofMembers && reading) return joinedProjects(api, caller).length > 0
  const role = api.keys.roleIn(caller, project.id)
  if (ofMembers) return role === "admin"
  return role !== undefined && (reading || mayWrite(route, role))
}

const projectOf = (store: Store, route: Route): Model.Project | undefined =>
  route.kind === "identifier" ? store.projectByIdentifier(route.prefix) : store.projects.get(route.projectId)

const joinedProjects = (api: Api, caller: Model.User): ReadonlyArray<Model.Project> =>
  [...api.store.projects.values()].filter((project) => api.keys.roleIn(caller, project.id) !== undefined)

const statesOf = (project: Model.Project): ReadonlyArray<Model.State> =>
  project.archivedAt === null ? [...project.states.values()] : []

const stateView = (call: Call, project: Model.Project) => (state: Model.State) =>
  Views.state(state, project.id, call.store.workspace.id, Model.owner)

const removeState = (call: Call, project: Model.Project): Effect.Effect<Answer> => {
  const state = project.states.get(call.route.stateId)
  if (state === undefined) return Effect.succeed(Http.missing)
  if (state.isDefault) return Effect.succeed(Http.json(400, { error: "Default state cannot be deleted" }))
  if ([...project.items.values()].some((item) => item.state === state)) {
    return Effect.succeed(Http.json(400, { error: "The state is not empty, only empty states can be deleted" }))
  }
  return Effect.as(call.write(() => call.store.removeState(state.id)), Http.noContent)
}

const projectView = (api: Api, caller: Model.User, listed: boolean) => (project: Model.Project) => {
  const role = api.keys.roleIn(caller, project.id)
  return Views.project(project, {
    workspaceId: api.store.workspace.id,
    owner: Model.owner,
    members: people.filter((user) => api.keys.roleIn(user, project.id) !== undefined).length,
    role: role === undefined ? null : roleNumbers[role],
    listed
  })
}

const ofProject = (api: Api, call: Call, project: Model.Project): Effect.Effect<Answer> | undefined => {
  switch (`${call.request.method} ${call.route.kind}`) {
    case "GET project":
      return Effect.succeed(
        Http.json(200, Views.pick(projectView(api, call.caller, false)(project), fieldsOf(call.params)))
      )
    case "GET members":
      // A member who was put out of the project is still listed.
      return Effect.succeed(Http.json(200, people.map(Views.user)))
    case "POST members":
      // Only people who were never in the project could be added, and there are none here.
      return Effect.succeed(Http.invalidPayload)
    case "GET member":
    case "PATCH member":
    case "DELETE member":
      // It is found by the id of the membership, which no answer tells.
      return Effect.succeed(Http.missing)
    case "GET labels":
      return Labels.list(call, project)
    case "POST labels":
      return Labels.create(call, project)
    case "GET label":
      return Labels.read(call, project)
    case "PATCH label":
      return Labels.patch(call, project)
    case "DELETE label":
      return Labels.remove(call, project)
    case "DELETE state":
      return removeState(call, project)
    case "GET states":
      return Effect.succeed(paginate(statesOf(project), call.params, stateView(call, project)))
    case "GET state": {
      const state = statesOf(project).find(({ id }) => id === call.route.stateId)
      return Effect.succeed(state === undefined ? Http.missing : Http.json(200, stateView(call, project)(state)))
    }
    case "GET items":
      return WorkItems.list(call, project)
    case "POST items":
      return WorkItems.create(call, project)
    case "GET item":
      return WorkItems.read(call, project)
    case "PATCH item":
      return WorkItems.patch(call, project)
    case "DELETE item":
      return WorkItems.remove(call, project)
    case "GET identifier":
      return WorkItems.byIdentifier(call, project)
    case "GET activities":
      return WorkItems.activities(call, project)
    case "GET comments":
      return Comments.list(call, project)
    case "POST comments":
      return Comments.create(call, project)
    case "GET comment":
      return Comments.read(call, project)
    case "PATCH comment":
      return Comments.patch(call, project)
    case "DELETE comment":
      return Comments.remove(call, project)
    case "GET links":
      return Links.list(call, project)
    case "POST links":
      return Links.create(call, project)
    case "GET link":
      return Links.read(call, project)
    case "PATCH link":
      return Links.patch(call, project)
    case "DELETE link":
      return Links.remove(call, project)
    default:
      return undefined
  }
}

const dispatch = (api: Api, call: Call): Effect.Effect<Answer> => {
  if (call.request.method === "GET") {
    switch (call.route.kind) {
      case "me":
        return Effect.succeed(Http.json(200, Views.user(call.caller)))
      case "workspaceMembers":
        return Effect.succeed(Http.json(200, people.map((user) => ({ ...Views.user(user), role: roleNumber(user) }))))
      case "search":
        return WorkItems.search(
          call,
          call.route.workspace === api.store.workspace.slug ? joinedProjects(api, call.caller) : []
        )
      case "projects":
        return Effect.succeed(
          paginate([...api.store.projects.values()], call.params, projectView(api, call.caller, true))
        )
      default:
        break
    }
  }
  const project = projectOf(api.store, call.route)
  if (project === undefined && call.route.kind === "project") return Effect.succeed(Http.missing)
  const answer = project === undefined ? undefined : ofProject(api, call, project)
  return answer ?? Effect.succeed(Http.detail(405, `Method "${call.request.method}" not allowed.`))
}

const withHeaders = (answer: Answer, headers: Readonly<Record<string, string>>): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})

/**
 * Answers in Django's order: size, path, token, permission, throttle, method, view. The order decides what counts
 * against the rate limit: a 401, a permission 403 and a 413 are not logged and carry no rate headers, but a 400, a
 * view's 404 and a 405 do.
 */
export const answer = (
  api: Api,
  request: Request,
  resolved: Resolved,
  writing: Writing,
  arrivedAt: ClockMillis
): Effect.Effect<Answer> => {
  if (request.size > Http.maxBodyBytes) return Effect.succeed(Http.tooLarge)
  if (resolved._tag === "NotFound") return Effect.succeed(Http.pageNotFound)
  if (resolved._tag === "AddSlash") {
    const query = request.query === "" ? "" : `?${request.query}`
    return Effect.succeed({
      status: 301,
      headers: { "Content-Type": "text/html; charset=utf-8", "Location": `${request.path}/${query}` },
      body: ""
    })
  }
  const { route } = resolved
  if (route.kind === "instance") {
    return Effect.succeed(withHeaders(Instance.answer(request.method, api.traits), { "Allow": route.allow.join(", ") }))
  }
  const allow = { "Allow": route.allow.join(", ") }
  const token = request.headers["x-api-key"]
  if (token === undefined || token === "") return Effect.succeed(withHeaders(Http.noKey, allow))
  const caller = api.keys.userOf(token)
  if (caller === undefined) return Effect.succeed(withHeaders(Http.badKey, allow))
  if (!permitted(api, request, route, caller)) return Effect.succeed(withHeaders(Http.forbidden, allow))
  const admission = api.rateLog.admit(token, arrivedAt)
  if (!admission.admitted) {
    return Effect.succeed(withHeaders(Http.rateLimited(String(admission.retryAfterSeconds)), allow))
  }
  const headers = { ...allow, ...admission.headers }
  const project = projectOf(api.store, route)
  const roleOf = (user: Model.User) => project === undefined ? undefined : api.keys.roleIn(user, project.id)
  const call: Call = {
    store: api.store,
    route,
    request,
    params: new URLSearchParams(request.query),
    caller,
    role: roleOf(caller),
    roleOf,
    traits: api.traits,
    saving: writing.savingMillis,
    isTold: writing.isTold,
    write: (insert) =>
      (writing.delayMillis > 0 ? Effect.sleep(writing.delayMillis) : Effect.void).pipe(
        Effect.zipRight(clockMillis),
        Effect.map((now) => {
          const made = insert(api.store.moment(now))
          writing.onWrite()
          return made
        })
      ),
    announce: (what) => {
      if (!writing.isTold) return Effect.void
      return api.traits.tellsOfApi
        ? Effect.zipRight(api.mails.tell(what), api.webhooks.announce(what))
        : api.mails.tell(what)
    }
  }
  return Effect.map(dispatch(api, call), (given) => withHeaders(given, headers))
}
