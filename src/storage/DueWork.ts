import type { Scope } from "effect"
import { Cause, Duration, Effect } from "effect"
import type { Signal } from "../base/Signal.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { StorageError } from "./StorageError.js"
import type { StorageTrouble } from "./StorageTrouble.js"
import type { WakeUps } from "./WakeUps.js"

/** Something that is to be done at a moment. */
export interface Due {
  readonly dueAt: EpochMillis
}

/**
 * Waits until something is due, and returns it. While nothing is, it looks again when the next moment has come, and
 * whenever the signal says that there may be something new.
 *
 * Nothing is ever put off for longer than `maxAhead`. What is due later than that was stored before the clock was set
 * back, so it counts as due now.
 */
export const takeDue = <A extends Due, E, R>(options: {
  readonly signal: Pick<Signal, "mark" | "since">
  /** What is due next, now or later; none when there is nothing. */
  readonly next: Effect.Effect<A | undefined, E, R>
  readonly maxAhead: Duration.DurationInput
}): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const { next, signal } = options
    const maxAhead = Duration.toMillis(options.maxAhead)
    for (;;) {
      // Before the look, so that what comes during it is not missed.
      const mark = yield* signal.mark
      const found = yield* next
      if (found === undefined) {
        yield* signal.since(mark)
        continue
      }
      const ahead = found.dueAt - (yield* epochMillis)
      if (ahead <= 0 || ahead > maxAhead) return found
      yield* Effect.raceFirst(signal.since(mark), Effect.sleep(ahead))
    }
  })

interface DueJob extends Due {
  readonly id: string | number
}

// Nothing is put off for longer than a minute.
const maxAhead = Duration.minutes(2)

/**
 * Starts workers that perform what is due, until the scope closes: up to `concurrency` jobs at once, and never the same
 * job twice at the same time. While storage fails they try again each second. A job that dies of a bug is logged, and
 * is tried again a minute later.
 */
export const startDueWork = <A extends DueJob>(options: {
  readonly concurrency: number
  /** The first `limit` jobs, in the order in which they are due. */
  readonly read: (limit: number) => Effect.Effect<ReadonlyArray<A>, StorageError>
  /** Does the job and writes down that it is due later, or no longer. */
  readonly perform: (job: A) => Effect.Effect<void, StorageError>
  readonly trouble: StorageTrouble
  readonly wakeUps: WakeUps["Type"]
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { concurrency, perform, read, trouble, wakeUps } = options
    const scope = yield* Effect.scope
    const onlyOne = yield* Effect.makeSemaphore(1)
    const busy = new Set<DueJob["id"]>()

    const next = Effect.suspend(() =>
      Effect.map(trouble.retry(read(busy.size + 1)), (jobs) => jobs.find(({ id }) => !busy.has(id)))
    )

    const take = takeDue({ signal: wakeUps, next, maxAhead }).pipe(
      Effect.tap(({ id }) => Effect.sync(() => busy.add(id))),
      onlyOne.withPermits(1)
    )

    // The job may have become due again meanwhile, and the worker that waits has skipped it because it was busy.
    const release = (id: DueJob["id"]) => Effect.zipRight(Effect.sync(() => busy.delete(id)), wakeUps.notify)

    const work = Effect.flatMap(take, (job) =>
      trouble.retry(perform(job)).pipe(
        Effect.zipRight(release(job.id)),
        // A bug that one job brings to light must not stop the others, and not be met again and again without a pause.
        Effect.catchAllDefect((defect) =>
          Effect.logError(`a bug in plane-sync, at ${job.id}`, Cause.die(defect)).pipe(
            Effect.zipRight(Effect.forkIn(Effect.delay(release(job.id), "1 minute"), scope))
          )
        )
      ))

    yield* Effect.replicateEffect(Effect.forkScoped(Effect.forever(work)), concurrency)
  })
