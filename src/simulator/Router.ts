import type { Traits } from "./Version.js"

/** Plane's paths, as far as plane-sync uses them. `/issues/` and `/work-items/` are the same views. */

export const kinds = [
  "instance",
  "me",
  "workspaceMembers",
  "projects",
  "project",
  "members",
  "member",
  "states",
  "state",
  "labels",
  "label",
  "items",
  "item",
  "comments",
  "comment",
  "links",
  "link",
  "activities",
  "identifier",
  "search"
] as const

/** The view that a path names. */
export type Kind = (typeof kinds)[number]

export interface Route {
  readonly kind: Kind
  readonly allow: ReadonlyArray<string>
  readonly workspace: string
  readonly projectId: string
  readonly itemId: string
  readonly commentId: string
  readonly linkId: string
  readonly labelId: string
  readonly stateId: string
  /** The part before the last dash of "ET-2", and what follows it. */
  readonly prefix: string
  readonly number: string
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const allow: Record<Kind, ReadonlyArray<string>> = {
  instance: ["GET", "PATCH", "HEAD", "OPTIONS"],
  me: ["GET"],
  workspaceMembers: ["GET"],
  projects: ["GET", "POST"],
  project: ["GET", "PATCH", "DELETE"],
  members: ["GET", "POST"],
  member: ["PATCH", "DELETE", "GET"],
  states: ["GET", "POST"],
  state: ["GET", "PATCH", "DELETE"],
  labels: ["GET", "POST"],
  label: ["GET", "PATCH", "DELETE"],
  items: ["GET", "POST"],
  item: ["GET", "PATCH", "DELETE"],
  comments: ["GET", "POST"],
  comment: ["GET", "PATCH", "DELETE"],
  links: ["GET", "POST"],
  link: ["GET", "PATCH", "DELETE"],
  activities: ["GET"],
  identifier: ["GET"],
  search: ["GET"]
}

const route = (kind: Kind, parts: Partial<Omit<Route, "kind" | "allow">>): Route => ({
  workspace: "",
  projectId: "",
  itemId: "",
  commentId: "",
  linkId: "",
  labelId: "",
  stateId: "",
  prefix: "",
  number: "",
  ...parts,
  kind,
  allow: allow[kind]
})

const isItems = (segment: string | undefined, traits: Traits) =>
  segment === "issues" || (segment === "work-items" && traits.hasWorkItems)

/** The route of a path that ends in a slash. */
const match = (path: string, traits: Traits): Route | undefined => {
  if (path === "/api/instances/") return route("instance", {})
  const [first, api, version, scope, workspace, family, id, ...rest] = path.slice(0, -1).split("/")
  if (first !== "" || api !== "api" || version !== "v1") return undefined
  if (scope === "users" && workspace === "me" && family === undefined) return route("me", {})
  if (scope !== "workspaces" || workspace === undefined || workspace === "") return undefined
  if (family === "members" && id === undefined) return route("workspaceMembers", { workspace })
  if (isItems(family, traits) && id !== undefined && rest.length === 0) {
    if (id === "search") return traits.hasSearch ? route("search", { workspace }) : undefined
    const dash = id.lastIndexOf("-")
    return dash > 0 && dash < id.length - 1
      ? route("identifier", { workspace, prefix: id.slice(0, dash), number: id.slice(dash + 1) })
      : undefined
  }
  if (family !== "projects") return undefined
  if (id === undefined) return route("projects", { workspace })
  return uuid.test(id) ? ofProject(workspace, id, rest, traits) : undefined
}

const ofProject = (
  workspace: string,
  projectId: string,
  rest: ReadonlyArray<string>,
  traits: Traits
): Route | undefined => {
  const [collection, id, nested, nestedId, excess] = rest
  const at = { workspace, projectId }
  if (excess !== undefined) return undefined
  if (collection === undefined) return route("project", at)
  if (id !== undefined && !uuid.test(id)) return undefined
  if ((collection === "members" || collection === "project-members") && nested === undefined) {
    return route(id === undefined ? "members" : "member", at)
  }
  if (collection === "labels" && nested === undefined) {
    return id === undefined ? route("labels", at) : route("label", { ...at, labelId: id })
  }
  if (collection === "states" && nested === undefined) {
    return id === undefined ? route("states", at) : route("state", { ...at, stateId: id })
  }
  if (!isItems(collection, traits)) return undefined
  if (id === undefined) return route("items", at)
  if (nested === undefined) return route("item", { ...at, itemId: id })
  if (nestedId !== undefined && !uuid.test(nestedId)) return undefined
  const of = { ...at, itemId: id }
  switch (nested) {
    case "comments":
      return nestedId === undefined ? route("comments", of) : route("comment", { ...of, commentId: nestedId })
    case "links":
      return nestedId === undefined ? route("links", of) : route("link", { ...of, linkId: nestedId })
    case "activities":
      return nestedId === undefined ? route("activities", of) : undefined
    default:
      return undefined
  }
}

export type Resolved =
  | { readonly _tag: "Found"; readonly route: Route }
  | { readonly _tag: "AddSlash" }
  | { readonly _tag: "NotFound" }

export const resolve = (path: string, traits: Traits): Resolved => {
  const slashed = path.endsWith("/")
  const found = match(slashed ? path : `${path}/`, traits)
  if (found === undefined) return { _tag: "NotFound" }
  return slashed ? { _tag: "Found", route: found } : { _tag: "AddSlash" }
}
