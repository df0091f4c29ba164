import { Effect, Layer } from "effect"
import { Leadership } from "../../src/outbox/Leadership.js"

const term = { holder: "a test", projects: ["*"], lastBefore: 0, lost: Effect.never, lose: Effect.void }

const during = <R>(work: Effect.Effect<unknown, never, R>) =>
  Effect.asVoid(Effect.forkScoped(Effect.scoped(Effect.zipRight(work, Effect.never))))

/** A process that sends for these projects alone, and leads nothing else. */
export const leadingOnly = (projects: ReadonlyArray<string>) =>
  Layer.succeed(
    Leadership,
    Leadership.of({
      whileLeading: () => Effect.void,
      whileSending: (work) => during(work({ ...term, projects }, (project) => projects.includes(project))),
      isElsewhere: () => false,
      standby: Effect.succeed(undefined),
      replicas: Effect.succeed([])
    })
  )

/**
 * A process that leads, whatever others do: without heartbeats, which would each cost the TestClock a step, and also
 * when a test wants two such processes.
 */
export const alwaysLeading = Layer.succeed(
  Leadership,
  Leadership.of({
    whileLeading: (work) => during(work(term)),
    whileSending: (work) => during(work(term, () => true)),
    isElsewhere: () => false,
    standby: Effect.succeed(undefined),
    replicas: Effect.succeed([])
  })
)
