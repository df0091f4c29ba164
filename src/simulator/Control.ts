import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Core } from "./Core.js"
import { FaultSchema } from "./Faults.js"
import type { Answer, Request } from "./Http.js"
import { json } from "./Http.js"
import { tokens } from "./Keyring.js"
import { KillSchema } from "./Kills.js"
import type { SimulatorError } from "./Options.js"
import type { People } from "./People.js"

/** Paths under this are the simulator's own: no token, no rate limit, no faults. */
export const controlPrefix = "/_simulator/"

/** Answers a request for the control API: JSON both ways, errors as `{"error": …}`. */
export type Control = (request: Request) => Effect.Effect<Answer>

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const NewWorkItem = Schema.Struct({
  name: Schema.String,
  number: optional(Schema.Int),
  state: optional(Schema.String),
  projectId: optional(Schema.String)
})

const Move = Schema.Struct({ state: Schema.String })

const Role = Schema.Struct({ role: Schema.Literal("admin", "member", "guest") })

const Comment = Schema.Struct({ html: Schema.String })

const NewLink = Schema.Struct({ url: Schema.String })

const WorkItemEdit = Schema.Struct({
  name: optional(Schema.String),
  priority: optional(Schema.Literal("urgent", "high", "medium", "low", "none")),
  assignees: optional(Schema.Array(Schema.String)),
  labels: optional(Schema.Array(Schema.String))
})

const StateEdit = Schema.Struct({
  name: optional(Schema.String),
  group: optional(Schema.Literal("backlog", "unstarted", "started", "completed", "cancelled"))
})

const Identifier = Schema.Struct({ identifier: Schema.String.pipe(Schema.pattern(/^[A-Z0-9]{1,12}$/)) })

class Refused extends Schema.TaggedError<Refused>()("Refused", { status: Schema.Int, text: Schema.String }) {}

// Otherwise anybody who reaches the port could end any process of this user.
const noKills = Effect.fail(new Refused({ status: 403, text: "it was not started with the option to kill" }))

const decoded = <A, I>(schema: Schema.Schema<A, I>, request: Request) =>
  Effect.mapError(
    Schema.decodeUnknown(Schema.parseJson(schema))(request.body, { onExcessProperty: "error" }),
    (error) => new Refused({ status: 400, text: error.message })
  )

const ok = <A, E>(effect: Effect.Effect<A, E>, status = 200): Effect.Effect<Answer, E> =>
  Effect.map(effect, (value) => json(status, value ?? {}))

/**
 * What another process may do to the simulator: everything its service offers.
 *
 * - `POST work-items` `{name, number?, state?, projectId?}`, `GET work-items`, `GET work-items/{id}`
 * - `GET work-items/{id}/comments`, `POST work-items/{id}/comments` `{html}`, `GET work-items/{id}/state-changes`
 * - `GET work-items/{id}/links`, `POST work-items/{id}/links` `{url}`, `DELETE links/{id}`
 * - `PATCH work-items/{id}` `{name?, priority?, assignees?, labels?}`, `PATCH comments/{id}` `{html}`
 * - `PATCH states/{id}` `{name?, group?}`, `PUT identifier` `{identifier}` (of the first project)
 * - `POST work-items/{id}/move` `{state}`, `POST work-items/{id}/archive`, `DELETE work-items/{id}`
 * - `DELETE comments/{id}`, `DELETE states/{id}`, `PUT states/{id}` (there again)
 * - `PUT archived` (the first project is), `DELETE archived` (it is not any more)
 * - `POST faults` (a Fault), `DELETE faults`
 * - `GET requests?after={sequence}`, `DELETE requests`, `GET deliveries`, `GET mails`
 * - `POST kill` (a Kill), `DELETE kill`: takes it back, or says what it did. Only with the option `kills`
 * - `DELETE token` (revoked), `PUT token` (valid again)
 * - The bot in the first project: `DELETE membership` (put out), `PUT membership` (back in), `PUT role` `{role}`, which
 *   is admin, member or guest
 */
export const make = (core: Core, people: People): Control => {
  const route = (
    request: Request,
    collection: string,
    id: string,
    action: string
  ): Effect.Effect<Answer, Refused | SimulatorError> => {
    const pattern = [request.method, collection, id === "" ? "" : "{id}", action].filter((part) => part !== "")
    switch (pattern.join(" ")) {
      case "POST work-items":
        return ok(Effect.flatMap(decoded(NewWorkItem, request), people.addWorkItem), 201)
      case "GET work-items":
        return ok(people.workItems)
      case "GET work-items {id}":
        return ok(people.workItem(id))
      case "DELETE work-items {id}":
        return ok(people.deleteWorkItem(id))
      case "GET work-items {id} comments":
        return ok(people.comments(id))
      case "POST work-items {id} comments":
        return ok(Effect.flatMap(decoded(Comment, request), ({ html }) => people.addPersonComment(id, html)), 201)
      case "GET work-items {id} links":
        return ok(people.links(id))
      case "POST work-items {id} links":
        return ok(Effect.flatMap(decoded(NewLink, request), ({ url }) => people.addPersonLink(id, url)), 201)
      case "DELETE links {id}":
        return ok(people.deleteLink(id))
      case "GET work-items {id} state-changes":
        return ok(people.stateChanges(id))
      case "POST work-items {id} move":
        return ok(Effect.flatMap(decoded(Move, request), ({ state }) => people.moveWorkItem(id, state)))
      case "POST work-items {id} archive":
        return ok(people.archiveWorkItem(id))
      case "PATCH work-items {id}":
        return ok(Effect.flatMap(decoded(WorkItemEdit, request), (edit) => people.editWorkItem(id, edit)))
      case "PATCH comments {id}":
        return ok(Effect.flatMap(decoded(Comment, request), ({ html }) => people.editComment(id, html)))
      case "DELETE comments {id}":
        return ok(people.deleteComment(id))
      case "PATCH states {id}":
        return ok(Effect.flatMap(decoded(StateEdit, request), (edit) => people.changeState(id, edit)))
      case "DELETE states {id}":
        return ok(people.removeState(id))
      case "PUT states {id}":
        return ok(people.restoreState(id))
      case "PUT identifier":
        return ok(Effect.flatMap(decoded(Identifier, request), ({ identifier }) => people.renameProject(identifier)))
      case "PUT archived":
        return ok(people.archiveProject())
      case "DELETE archived":
        return ok(people.restoreProject())
      case "POST faults":
        return ok(Effect.flatMap(decoded(FaultSchema, request), core.faults.add), 201)
      case "DELETE faults":
        return ok(core.faults.clear)
      case "GET requests": {
        const after = Number(new URLSearchParams(request.query).get("after") ?? "0")
        return ok(Effect.map(core.requests, (all) => all.filter((each) => each.sequence > after)))
      }
      case "DELETE requests":
        return ok(core.forgetRequests)
      case "POST kill":
        return core.settings.kills
          ? ok(Effect.map(decoded(KillSchema, request), core.kills.order), 201)
          : noKills
      case "DELETE kill":
        return ok(Effect.sync(() => ({ killed: core.kills.end() ?? null })))
      case "GET deliveries":
        return ok(core.webhooks.hooks)
      case "GET mails":
        return ok(core.mails.sent)
      case "DELETE token":
        return ok(Effect.sync(() => core.keys.revoke(tokens.bot)))
      case "PUT token":
        return ok(Effect.sync(() => core.keys.restore(tokens.bot)))
      case "DELETE membership":
        return ok(people.setMember(false))
      case "PUT membership":
        return ok(people.setMember(true))
      case "PUT role":
        return ok(Effect.flatMap(decoded(Role, request), ({ role }) => people.setRole(role)))
      default:
        return Effect.fail(
          new Refused({ status: 404, text: `the simulator has no ${request.method} ${request.path}` })
        )
    }
  }

  return (request) => {
    const [collection = "", id = "", action = ""] = request.path.slice(controlPrefix.length).split("/")
    return Effect.catchTags(route(request, collection, id, action), {
      Refused: (error) => Effect.succeed(json(error.status, { error: error.text })),
      SimulatorError: (error) => Effect.succeed(json(404, { error: error.message }))
    })
  }
}
