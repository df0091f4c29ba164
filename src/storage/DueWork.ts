import type { Scope } from "effect"
import { Cause, Duration, Effect, Schedule } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { StorageError } from "./StorageError.js"
import type { WakeUps } from "./WakeUps.js"

/** Something to be done at a moment. */
interface Due {
  readonly id: string | number
  readonly dueAt: EpochMillis
}

// Nothing is put off for longer than a minute. What is due later than this was set before the clock was set back, and is due
// now.
const maxAhead = Duration.toMillis("2 minutes")

/**
 * Performs what is due until the scope closes: up to `concurrency` things at once, and never the same thing twice at the same
 * time. When storage fails, it logs that once and tries again every second.
 */
export const startPool = <A extends Due>(options: {
  readonly concurrency: number
  /** Reads the `limit` things that are due first, in order. */
  readonly read: (limit: number) => Effect.Effect<ReadonlyArray<A>, StorageError>
  /** Performs one thing. Afterwards it must be due no longer, or due later. */
  readonly perform: (due: A) => Effect.Effect<void, StorageError>
  readonly wakeUps: WakeUps["Type"]
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { concurrency, perform, read, wakeUps } = options
    const scope = yield* Effect.scope
    const oneTaker = yield* Effect.makeSemaphore(1)
    const busy = new Set<Due["id"]>()
    let failing = false

    const stored = <B>(effect: Effect.Effect<B, StorageError>) =>
      effect.pipe(
        Effect.tapError((error) => {
          const isNew = !failing
          failing = true
          return isNew ? Effect.logError(`${error.message}. Trying again each second`) : Effect.void
        }),
        Effect.retry(Schedule.spaced("1 second")),
        Effect.orDie,
        Effect.tap(() => {
          failing = false
        })
      )

    const take = Effect.gen(function*() {
      for (;;) {
        const mark = yield* wakeUps.mark
        const found = (yield* stored(read(busy.size + 1))).find(({ id }) => !busy.has(id))
        const ahead = found === undefined ? maxAhead : found.dueAt - (yield* epochMillis)
        if (found !== undefined && (ahead <= 0 || ahead > maxAhead)) {
          busy.add(found.id)
          return found
        }
        yield* Effect.raceFirst(wakeUps.since(mark), Effect.sleep(ahead))
      }
    }).pipe(oneTaker.withPermits(1))

    // It may have become due again in the meantime. A worker that waits skipped it while it was busy, so it is woken up.
    const release = (id: Due["id"]) => Effect.zipRight(Effect.sync(() => busy.delete(id)), wakeUps.notify)

    const work = Effect.flatMap(take, (due) =>
      stored(perform(due)).pipe(
        Effect.zipRight(release(due.id)),
        // A bug that one thing brings to light must not stop the others, and is not met again for a minute.
        Effect.catchAllDefect((defect) =>
          Effect.logError(`a bug in plane-sync, at ${due.id}`, Cause.die(defect)).pipe(
            Effect.zipRight(Effect.forkIn(Effect.delay(release(due.id), "1 minute"), scope))
          )
        )
      ))

    yield* Effect.replicateEffect(Effect.forkScoped(Effect.forever(work)), concurrency)
  })
