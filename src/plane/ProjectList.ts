import { Effect, Option } from "effect"
import type { Ask, Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import { ProjectsJson } from "./Wire.js"

/** A project that the API token's user may see. */
export interface ListedProject {
  /** Lower case. */
  readonly id: string
  /** Upper case. */
  readonly identifier: string
  readonly name: string
  /** The role of the API token's user in it, as a number; undefined where Plane does not tell it. */
  readonly role: number | undefined
  /** Why nothing can be written to it. Undefined where Plane does not say that. */
  readonly closed: string | undefined
}

/** Plane's roles are 5 for guests, 15 for members and 20 for admins. A version that does not tell has no guests. */
export const isGuest = (role: number | null | undefined): boolean => typeof role === "number" && role < 15

/** What a 403 for a workspace means. `setting` is where its name is set. */
export const noWorkspace = (workspace: string, setting: string | undefined): string =>
  `there is no workspace ${workspace}, or the API token's user is not in it` +
  (setting === undefined ? "" : `: check ${setting}`)

const closedBy = (
  { archived_at, is_member, member_role }: (typeof ProjectsJson.Type)["results"][number]
): string | undefined => {
  if (typeof archived_at === "string") return "it is archived"
  if (is_member === false) return "the API token's user is not a member of it"
  return isGuest(member_role)
    ? "the API token's user is a guest in it, and guests may not move work items"
    : undefined
}

// Plane Cloud allows 100 at most.
const pageSize = 100

/** The list of a workspace's projects, without what chooses a page. */
export const projectList = (workspace: string): Ask => ({
  method: "GET",
  path: ["workspaces", workspace, "projects"]
})

/**
 * The projects of a workspace. `all`: there are no others. It reads `mostPages` of a hundred at most, each by one
 * request, because a list without an end would cost the whole budget.
 */
export const listProjects = (
  exchange: Exchange,
  { mostPages, setting, workspace }: {
    readonly workspace: string
    readonly setting: string | undefined
    readonly mostPages: number
  }
): Effect.Effect<{ readonly projects: ReadonlyArray<ListedProject>; readonly all: boolean }, PlaneError> =>
  Effect.gen(function*() {
    const projects: Array<ListedProject> = []
    let cursor: string | undefined
    for (let pages = 0; pages < mostPages; pages++) {
      const page: typeof ProjectsJson.Type = yield* exchange.send({
        ...projectList(workspace),
        query: {
          fields: "id,identifier,name,is_member,member_role,archived_at",
          per_page: String(pageSize),
          ...(cursor === undefined ? {} : { cursor })
        }
      }, ProjectsJson)
      for (const each of page.results) {
        projects.push({
          id: each.id.toLowerCase(),
          identifier: each.identifier.toUpperCase(),
          name: each.name,
          role: each.member_role ?? undefined,
          closed: closedBy(each)
        })
      }
      const next = "next_cursor" in page ? page.next_cursor ?? undefined : undefined
      if (!("next_page_results" in page) || page.next_page_results !== true) return { projects, all: true }
      if (next === undefined || next === cursor) break
      cursor = next
    }
    return { projects, all: false }
  }).pipe(
    Effect.mapError((error) =>
      error.reason === "PermissionDenied"
        ? exchange.failure(projectList(workspace), {
          reason: error.reason,
          sent: error.sent,
          headline: noWorkspace(workspace, setting),
          words: error.words,
          status: Option.getOrUndefined(error.status)
        })
        : error
    ),
    Effect.withSpan("PlaneClient.projects")
  )
