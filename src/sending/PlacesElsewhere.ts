import { Effect, Schedule } from "effect"
import type { Scope } from "effect"
import type { Leadership } from "../outbox/Leadership.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { PlaneProject } from "./PlaneProjects.js"

/** How often it is read what the others have kept. */
const readEvery = "5 seconds"

/**
 * Keeps up, until the scope closes, with where the projects are that other replicas send to: only these ask Plane, but
 * any replica may have to work on a webhook of theirs.
 */
export const followPlaces = (
  { all, leadership: { isElsewhere }, outbox }: {
    readonly all: ReadonlyArray<PlaneProject>
    readonly leadership: Leadership["Type"]
    readonly outbox: Outbox["Type"]
  }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const others = all.filter(({ project }) => isElsewhere(project.identifier))
    if (others.length === 0) return
    const kept = yield* outbox.places
    for (const { place, project } of others) {
      const known = kept.get(project.identifier)
      if (known !== undefined) place.learn(known)
    }
  }).pipe(
    // Whether the database answers is told by everybody else.
    Effect.ignore,
    Effect.repeat(Schedule.spaced(readEvery)),
    Effect.forkScoped,
    Effect.asVoid
  )
