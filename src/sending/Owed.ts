import type { Scope } from "effect"
import { Effect } from "effect"
import { makeSignal } from "../base/Signal.js"
import { counted } from "../base/Text.js"
import type { Leadership } from "../outbox/Leadership.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { StorageError } from "../storage/StorageError.js"

/** How often it is looked at what another process has settled. */
const lookEvery = "1 second"

/** How long the last line may wait for storage. */
const patience = "1 second"

/** The same outbox, and an effect that waits until nothing in it is owed. Each turn that settles something wakes it. */
export const makeSettled = (
  outbox: Outbox["Type"]
): Effect.Effect<{ readonly outbox: Outbox["Type"]; readonly settled: Effect.Effect<void, StorageError> }> =>
  Effect.map(makeSignal, ({ mark, notify, since }) => ({
    outbox: {
      ...outbox,
      turn: (options) =>
        options.settlement === undefined ? outbox.turn(options) : Effect.zipLeft(outbox.turn(options), notify)
    },
    settled: Effect.gen(function*() {
      for (;;) {
        const seen = yield* mark
        if ((yield* outbox.status).pending === 0) return
        yield* Effect.raceFirst(since(seen), Effect.sleep(lookEvery))
      }
    })
  }))

/** Says, when the scope closes, what is still owed then. Call it before what sends, because scopes close in reverse. */
export const tellOwed = (
  outbox: Outbox["Type"],
  { standby }: Leadership["Type"],
  /** Whether there may be replicas. */
  isShared: boolean
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() =>
    Effect.gen(function*() {
      const { pending } = yield* outbox.status
      if (pending === 0) return
      const alone = (yield* standby) === undefined ? "the next start" : "the process that leads"
      const sender = isShared ? "another replica or the next start" : alone
      yield* Effect.logInfo(
        `${counted(pending, "event is", "events are")} still owed to Plane; ${sender} sends ${
          pending === 1 ? "it" : "them"
        }`
      )
    }).pipe(
      // A host may hold its only connection, and a finalizer is not interruptible by default.
      Effect.interruptible,
      Effect.disconnect,
      Effect.timeoutOption(patience),
      // What storage says now has been said before.
      Effect.ignore
    )
  )
