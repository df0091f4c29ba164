/** Plane's paths, as far as plane-sync uses them. `/issues/` and `/work-items/` are the same views. */

export type Kind =
  | "me"
  | "projects"
  | "project"
  | "members"
  | "states"
  | "state"
  | "items"
  | "item"
  | "comments"
  | "comment"
  | "activities"
  | "identifier"
  | "search"

export interface Route {
  readonly kind: Kind
  readonly allow: ReadonlyArray<string>
  readonly workspace: string
  readonly projectId: string
  readonly itemId: string
  readonly commentId: string
  readonly stateId: string
  /** The part before the last dash of "ET-2", and what follows it. */
  readonly prefix: string
  readonly number: string
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const allow: Record<Kind, ReadonlyArray<string>> = {
  me: ["GET"],
  projects: ["GET", "POST"],
  project: ["GET", "PATCH", "DELETE"],
  members: ["GET", "POST"],
  states: ["GET", "POST"],
  state: ["GET", "PATCH", "DELETE"],
  items: ["GET", "POST"],
  item: ["GET", "PATCH", "DELETE"],
  comments: ["GET", "POST"],
  comment: ["GET", "PATCH", "DELETE"],
  activities: ["GET"],
  identifier: ["GET"],
  search: ["GET"]
}

const route = (kind: Kind, parts: Partial<Omit<Route, "kind" | "allow">>): Route => ({
  workspace: "",
  projectId: "",
  itemId: "",
  commentId: "",
  stateId: "",
  prefix: "",
  number: "",
  ...parts,
  kind,
  allow: allow[kind]
})

const isItems = (segment: string | undefined) => segment === "work-items" || segment === "issues"

/** The route of a path that ends in a slash. */
const match = (path: string): Route | undefined => {
  const [first, api, version, scope, workspace, family, id, ...rest] = path.slice(0, -1).split("/")
  if (first !== "" || api !== "api" || version !== "v1") return undefined
  if (scope === "users" && workspace === "me" && family === undefined) return route("me", {})
  if (scope !== "workspaces" || workspace === undefined || workspace === "") return undefined
  if (isItems(family) && id !== undefined && rest.length === 0) {
    if (id === "search") return route("search", { workspace })
    const dash = id.lastIndexOf("-")
    return dash > 0 && dash < id.length - 1
      ? route("identifier", { workspace, prefix: id.slice(0, dash), number: id.slice(dash + 1) })
      : undefined
  }
  if (family !== "projects") return undefined
  if (id === undefined) return route("projects", { workspace })
  return uuid.test(id) ? ofProject(workspace, id, rest) : undefined
}

const ofProject = (workspace: string, projectId: string, rest: ReadonlyArray<string>): Route | undefined => {
  const [collection, id, nested, nestedId, excess] = rest
  const at = { workspace, projectId }
  if (excess !== undefined) return undefined
  if (collection === undefined) return route("project", at)
  if (collection === "members" && id === undefined) return route("members", at)
  if (id !== undefined && !uuid.test(id)) return undefined
  if (collection === "states" && nested === undefined) {
    return id === undefined ? route("states", at) : route("state", { ...at, stateId: id })
  }
  if (!isItems(collection)) return undefined
  if (id === undefined) return route("items", at)
  if (nested === undefined) return route("item", { ...at, itemId: id })
  if (nested === "activities" && nestedId === undefined) return route("activities", { ...at, itemId: id })
  if (nested !== "comments") return undefined
  if (nestedId === undefined) return route("comments", { ...at, itemId: id })
  return uuid.test(nestedId) ? route("comment", { ...at, itemId: id, commentId: nestedId }) : undefined
}

export type Resolved =
  | { readonly _tag: "Found"; readonly route: Route }
  | { readonly _tag: "AddSlash" }
  | { readonly _tag: "NotFound" }

export const resolve = (path: string): Resolved => {
  const slashed = path.endsWith("/")
  const found = match(slashed ? path : `${path}/`)
  if (found === undefined) return { _tag: "NotFound" }
  return slashed ? { _tag: "Found", route: found } : { _tag: "AddSlash" }
}
