import { Cause, Clock, Effect, Option, Schedule } from "effect"
import type { Scope } from "effect"
import { cleanText, reasonLimit } from "../base/Text.js"
import type { StorageError } from "../storage/StorageError.js"
import { isStatementError } from "../storage/StorageError.js"
import type { Inbox, StoredHook } from "./Inbox.js"
import type { Source } from "./WebhookConfig.js"

/** Works on deliveries of one sender, in their order, and settles each. Done again after a crash, it changes nothing. */
export type Handler = (deliveries: ReadonlyArray<StoredHook>) => Effect.Effect<void, StorageError>

/** Deliveries that are worked on together: they share their commits. */
const batch = 128

/** So long those that come after a batch gather: each batch costs commits, and has gates asked. */
const gathering = "50 millis"

/** No longer than this is waited for one that was put off: what is due later was so before the clock was put back. */
const longestWait = 60_000

/**
 * Starts the one worker, which works on deliveries in the order they came, until the scope closes. What is not settled
 * then is worked on after the next start. While storage fails it tries again each second; a delivery that fails for a
 * reason of its own is kept with it, logged and skipped, so that it stops nobody.
 */
export const startWorker = (
  inbox: Inbox["Type"],
  handlers: Readonly<Record<Source, Handler>>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const skip = (delivery: StoredHook, cause: Cause.Cause<unknown>) =>
      Effect.zipRight(
        Effect.logError(`Delivery ${delivery.id} of ${delivery.source} cannot be worked on`, cause),
        inbox.settle(
          new Map([[delivery.id, { _tag: "Skipped", reason: cleanText(String(Cause.squash(cause)), reasonLimit) }]])
        )
      )

    const work = (source: Source, deliveries: ReadonlyArray<StoredHook>): Effect.Effect<void, StorageError> => {
      const [first, ...others] = deliveries
      if (first === undefined) return Effect.void
      return Effect.catchAllCause(handlers[source](deliveries), (cause) => {
        const failure = Cause.failureOption(cause)
        const isItsOwn = Cause.isDie(cause) || Option.exists(failure, isStatementError)
        if (!isItsOwn) return Effect.failCause(cause)
        return others.length === 0
          ? skip(first, cause)
          // A part of them may have been settled before the failure, and what the rows say may have changed.
          : Effect.forEach(
            deliveries,
            ({ id }) => Effect.flatMap(inbox.ifDue(id), (delivery) => work(source, Option.toArray(delivery))),
            { discard: true }
          )
      })
    }

    const wait = Effect.gen(function*() {
      const dueAt = yield* inbox.nextDue(longestWait)
      const now = yield* Clock.currentTimeMillis
      const pause = dueAt === undefined ? Effect.never : Effect.sleep(Math.min(Math.max(dueAt - now, 0), longestWait))
      yield* Effect.raceFirst(inbox.arrived, pause)
    })

    const turn = Effect.gen(function*() {
      const deliveries = yield* inbox.due(batch)
      if (deliveries.length === 0) return yield* wait
      // The senders know nothing of each other, so the order within each is all there is.
      for (const source of ["plane", "gitea"] as const) {
        yield* work(source, deliveries.filter((delivery) => delivery.source === source))
      }
      if (deliveries.length < batch) yield* Effect.sleep(gathering)
    })

    let failing = false
    yield* turn.pipe(
      Effect.tap(() => {
        if (!failing) return Effect.void
        failing = false
        return Effect.logInfo("Storage works again")
      }),
      Effect.tapError((error) => {
        if (failing) return Effect.void
        failing = true
        return Effect.logError(`${error.message}. Trying again each second`)
      }),
      Effect.retry(Schedule.spaced("1 second")),
      Effect.forever,
      Effect.forkScoped
    )
  }).pipe(Effect.annotateLogs({ service: "Webhooks" }))
