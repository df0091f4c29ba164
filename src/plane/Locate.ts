import { Effect } from "effect"
import type { Place } from "../domain/Place.js"
import type { CurrentProject } from "./CurrentProject.js"
import type { Ask, Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import { ProjectsJson } from "./Wire.js"

/** A project in Plane's list of those that the API token may see. */
export interface ListedProject {
  readonly id: string
  readonly identifier: string
  readonly name: string
}

/** Finds out where a project is that is set by its identifier alone. */
export interface Locate {
  /** What is known, or else what Plane answers. */
  readonly known: Effect.Effect<string, PlaneError>
  /** What Plane answers now: whether the project is elsewhere than it was thought to be. */
  readonly again: Effect.Effect<boolean, PlaneError>
}

/** Where the project is, after `Locate.known`. */
export const placeOf = ({ place }: CurrentProject["Type"]): Place => place.current() ?? { id: "", listed: undefined }

/** The path of the project, after `Locate.known`. */
export const projectPath = (current: CurrentProject["Type"]): ReadonlyArray<string> => [
  "workspaces",
  current.config.workspaceSlug,
  "projects",
  placeOf(current).id
]

// Plane Cloud allows 100 at most. A list without an end would cost the whole budget.
const pageSize = 100
const mostPages = 20

/** All projects that the API token may see in its workspace. */
const listProjects = (
  { config: { workspaceSlug } }: Pick<CurrentProject["Type"], "config">,
  exchange: Exchange
): Effect.Effect<ReadonlyArray<ListedProject>, PlaneError> =>
  Effect.gen(function*() {
    const found: Array<ListedProject> = []
    let cursor: string | undefined
    for (let pages = 0; pages < mostPages; pages++) {
      const page: typeof ProjectsJson.Type = yield* exchange.send({
        method: "GET",
        path: ["workspaces", workspaceSlug, "projects"],
        query: {
          fields: "id,identifier,name",
          per_page: String(pageSize),
          ...(cursor === undefined ? {} : { cursor })
        }
      }, ProjectsJson)
      found.push(...page.results)
      const next = "next_cursor" in page ? page.next_cursor ?? undefined : undefined
      if (!("next_page_results" in page) || page.next_page_results !== true || next === cursor) break
      cursor = next
    }
    return found
  }).pipe(Effect.withSpan("PlaneClient.projects"))

export const makeLocate = (current: CurrentProject["Type"], exchange: Exchange): Locate => {
  const { config: { workspaceSlug }, place, project: { identifier, names } } = current
  const onlyOne = Effect.unsafeMakeSemaphore(1)
  const ask: Ask = { method: "GET", path: ["workspaces", workspaceSlug, "projects"] }

  const missing = (others: ReadonlyArray<ListedProject>) =>
    exchange.failure(ask, {
      reason: "WrongAddress",
      sent: "answered",
      headline:
        `the workspace ${workspaceSlug} has no project with the identifier ${identifier} that the API token's ` +
        `user may see: check ${names.identifier} and ${names.workspace}`,
      words: `it has ${others.map((each) => each.identifier).join(", ") || "none"}`,
      status: 200
    })

  const refused = (error: PlaneError) =>
    error.reason === "PermissionDenied"
      ? exchange.failure(ask, {
        reason: error.reason,
        sent: error.sent,
        headline: `there is no workspace ${workspaceSlug}, or the API token's user is not in it: check ` +
          names.workspace,
        words: error.words,
        ...(error.status === undefined ? {} : { status: error.status })
      })
      : error

  const locate = Effect.gen(function*() {
    const listed = yield* Effect.mapError(listProjects(current, exchange), refused)
    const found = listed.find((each) => each.identifier.toUpperCase() === identifier)
    if (found === undefined) return yield* missing(listed)
    const id = found.id.toLowerCase()
    const before = place.current()
    if (before?.id === id) return false
    yield* place.set({ id, listed: undefined })
    if (before !== undefined) {
      yield* Effect.logWarning(`The project ${identifier} is ${id} in Plane now, not ${before.id}`)
    }
    return true
  })

  return {
    known: Effect.suspend(() => {
      const known = place.current()
      if (known !== undefined) return Effect.succeed(known.id)
      return onlyOne.withPermits(1)(
        Effect.suspend(() => place.current() === undefined ? locate : Effect.succeed(false))
      ).pipe(Effect.map(() => placeOf(current).id))
    }),
    again: onlyOne.withPermits(1)(locate)
  }
}
