import type { Scope } from "effect"
import { Effect } from "effect"
import { counted } from "../base/Text.js"
import type { Term } from "../outbox/Leader.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { LeftProject } from "../outbox/ProjectRows.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { PlaneProject } from "./PlaneProjects.js"

/** How often it is looked, at most, and at least. */
const lookEvery = "1 second"
const lookAgainAfter = "30 seconds"

const reasonOf = ({ identifier, workItems }: LeftProject) =>
  `${counted(workItems, "work item", "work items")} of the project ${identifier} ${
    workItems === 1 ? "waits" : "wait"
  } to be told, and no setting names this project any more: add it again, and restart`

/**
 * Tells, until the scope closes, why what is owed to projects waits that are not set any more; each is said once. It
 * looks once Plane was asked where the projects are: one with another identifier now is not left.
 */
export const watchLeft = (
  { all, outbox, placed, tell, term: { holder, projects }, trouble, wakeUps }: {
    readonly all: ReadonlyArray<PlaneProject>
    /** Waits until Plane was asked where a project is. */
    readonly placed: (project: PlaneProject) => Effect.Effect<unknown>
    readonly outbox: Outbox["Type"]
    readonly tell: (reasons: ReadonlyArray<string>) => void
    readonly term: Term
    readonly trouble: StorageTrouble
    readonly wakeUps: WakeUps["Type"]
  }
): Effect.Effect<void, never, Scope.Scope> => {
  const identifiers = all.map(({ project }) => project.identifier)
  const said = new Set<string>()

  /** Whether there are such projects, owed or not. Nobody else folds what is published for them alone. */
  const look = Effect.gen(function*() {
    yield* trouble.retry(outbox.fold({ holder, projects }))
    const left = yield* trouble.retry(outbox.left(identifiers))
    const owed = left.filter(({ workItems }) => workItems > 0)
    tell(owed.map(reasonOf))
    const news = owed.filter(({ identifier }) => !said.has(identifier))
    said.clear()
    for (const { identifier } of owed) said.add(identifier)
    yield* Effect.forEach(news, (one) => Effect.logError(reasonOf(one)), { discard: true })
    return left.length > 0
  })

  const watch = Effect.gen(function*() {
    yield* Effect.forEach(all, placed, { discard: true })
    for (;;) {
      const mark = yield* wakeUps.mark
      // The projects that are set never become others while the program runs.
      if (!(yield* look)) return
      yield* Effect.raceFirst(wakeUps.since(mark), Effect.sleep(lookAgainAfter))
      yield* Effect.sleep(lookEvery)
    }
  })

  return Effect.addFinalizer(() => Effect.sync(() => tell([]))).pipe(
    Effect.zipRight(Effect.forkScoped(Effect.catchTag(watch, "LeadershipLost", () => Effect.void))),
    Effect.asVoid
  )
}
