import { Effect } from "effect"
import type { Place } from "../domain/Place.js"
import type { CurrentProject } from "./CurrentProject.js"
import type { Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import type { ListedProject } from "./ProjectList.js"
import { listProjects, projectList } from "./ProjectList.js"

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

/** How many pages of a list are read that names what a project is. */
export const mostPages = 20

export const makeLocate = (current: CurrentProject["Type"], exchange: Exchange): Locate => {
  const { config: { workspaceSlug }, place, project: { identifier, names } } = current
  const onlyOne = Effect.unsafeMakeSemaphore(1)

  const missing = (others: ReadonlyArray<ListedProject>) =>
    exchange.failure(projectList(workspaceSlug), {
      reason: "WrongAddress",
      sent: "answered",
      headline:
        `the workspace ${workspaceSlug} has no project with the identifier ${identifier} that the API token's ` +
        `user may see: check ${names.identifier} and ${names.workspace}`,
      words: `it has ${others.map((each) => each.identifier).join(", ") || "none"}`,
      status: 200
    })

  const locate = Effect.gen(function*() {
    const list = { workspace: workspaceSlug, setting: names.workspace, mostPages }
    const { projects } = yield* listProjects(exchange, list)
    const found = projects.find((each) => each.identifier === identifier)
    if (found === undefined) return yield* missing(projects)
    const { id } = found
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
