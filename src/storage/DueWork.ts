import type { Scope } from "effect"
import { Cause, Clock, Duration, Effect, Schedule } from "effect"
import type { StorageError } from "./StorageError.js"
import type { WakeUps } from "./WakeUps.js"

/** Something that is to be done at a time, in milliseconds since 1970, UTC. */
interface Due {
  readonly id: string | number
  readonly dueAt: number
}

// Nothing is put off for longer than a minute: what is due later was set before the clock was put back.
const maxAhead = Duration.toMillis("2 minutes")

/**
 * Does what is due, up to `concurrency` at once and one thing never twice at the same time, until the scope closes. Storage
 * that fails is tried again each second, and said once.
 */
export const startPool = <A extends Due>(options: {
  readonly concurrency: number
  /** The `limit` that are due first, in order. */
  readonly read: (limit: number) => Effect.Effect<ReadonlyArray<A>, StorageError>
  /** Leaves it due no longer, or later. */
  readonly perform: (due: A) => Effect.Effect<void, StorageError>
  readonly wakeUps: WakeUps["Type"]
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { concurrency, perform, read, wakeUps } = options
    const scope = yield* Effect.scope
    const onlyOne = yield* Effect.makeSemaphore(1)
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
        const ahead = found === undefined ? maxAhead : found.dueAt - (yield* Clock.currentTimeMillis)
        if (found !== undefined && (ahead <= 0 || ahead > maxAhead)) {
          busy.add(found.id)
          return found
        }
        yield* Effect.raceFirst(wakeUps.since(mark), Effect.sleep(ahead))
      }
    }).pipe(onlyOne.withPermits(1))

    // It may have become due again meanwhile: whoever waits has passed it by.
    const release = (id: Due["id"]) => Effect.zipRight(Effect.sync(() => busy.delete(id)), wakeUps.notify)

    const work = Effect.flatMap(take, (due) =>
      stored(perform(due)).pipe(
        Effect.zipRight(release(due.id)),
        // A bug that one brings to light must not stop the others, nor be met again and again.
        Effect.catchAllDefect((defect) =>
          Effect.logError(`a bug in plane-sync, at ${due.id}`, Cause.die(defect)).pipe(
            Effect.zipRight(Effect.forkIn(Effect.delay(release(due.id), "1 minute"), scope))
          )
        )
      ))

    yield* Effect.replicateEffect(Effect.forkScoped(Effect.forever(work)), concurrency)
  })
