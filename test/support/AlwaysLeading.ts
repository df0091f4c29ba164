import { Effect, Layer } from "effect"
import { Leadership } from "../../src/outbox/Leadership.js"

const term = { holder: "a test", lastBefore: 0, lost: Effect.never, lose: Effect.void }

/**
 * A process that leads, whatever others do: without heartbeats, which would each cost the TestClock a step, and also
 * when a test wants two such processes.
 */
export const alwaysLeading = Layer.succeed(
  Leadership,
  Leadership.of({
    whileLeading: (work) => Effect.asVoid(Effect.forkScoped(Effect.scoped(Effect.zipRight(work(term), Effect.never)))),
    standby: Effect.succeed(undefined),
    follows: Effect.succeed(false),
    replicas: Effect.succeed([])
  })
)
