import type { Scope } from "effect"
import { Cause, Duration, Effect, Fiber } from "effect"
import type { Signal } from "../base/Signal.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import type { StorageError } from "./StorageError.js"
import type { StorageTrouble } from "./StorageTrouble.js"
import type { WakeUps } from "./WakeUps.js"

/** Something that is to be done at a moment. */
export interface Due {
  readonly dueAt: EpochMillis
}

/**
 * The furthest moment at which something can be due, because nothing is ever put off for longer than `maxAhead`. What
 * is due later than that was put off before the clock was set back, so it counts as due now.
 */
const furthest = (now: EpochMillis, maxAhead: Duration.DurationInput): EpochMillis => later(now, maxAhead)

/**
 * When the next row of a table is due, whose statements do not take a row before its due time. Rows that are due too
 * far ahead are made due now: see `furthest`.
 */
export const nextDueAt = <E, R>(options: {
  /** The first due time of those rows that may be taken, and the last of all. Null where there is none. */
  readonly ends: (now: EpochMillis) => Effect.Effect<
    { readonly first: EpochMillis | null; readonly last: EpochMillis | null },
    E,
    R
  >
  /** Makes all rows due now that are due after a moment. */
  readonly makeDue: (now: EpochMillis, after: EpochMillis) => Effect.Effect<unknown, E, R>
  readonly maxAhead: Duration.DurationInput
}): Effect.Effect<EpochMillis | undefined, E, R> =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const { first, last } = yield* options.ends(now)
    const after = furthest(now, options.maxAhead)
    if (last === null || last <= after) return first ?? undefined
    yield* options.makeDue(now, after)
    return now
  })

/**
 * Waits until something is due, and returns it. While nothing is, it looks again when the next moment has come, and
 * whenever the signal says that there may be something new. What is due more than `maxAhead` from now counts as due:
 * see `furthest`.
 */
export const takeDue = <A extends Due, E, R>(options: {
  readonly signal: Pick<Signal, "mark" | "since">
  /** What is due next, now or later; none when there is nothing. */
  readonly next: Effect.Effect<A | undefined, E, R>
  readonly maxAhead: Duration.DurationInput
}): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const { maxAhead, next, signal } = options
    for (;;) {
      // Before the look, so that what comes during it is not missed.
      const mark = yield* signal.mark
      const found = yield* next
      if (found === undefined) {
        yield* signal.since(mark)
        continue
      }
      const now = yield* epochMillis
      if (found.dueAt <= now || found.dueAt > furthest(now, maxAhead)) return found
      yield* Effect.raceFirst(signal.since(mark), Effect.sleep(found.dueAt - now))
    }
  })

interface DueJob extends Due {
  readonly id: string | number
}

/** A job that takes longer waits for somebody else, and holds up no others. */
const slowAfter = Duration.seconds(1)

/** The most slow jobs that others do not wait for, because each takes memory. */
const mostSlow = 1_000

/**
 * Starts workers that perform what is due, until the scope closes: up to `concurrency` jobs at once, not counting those
 * that have taken longer than a second, and never the same job twice at the same time. While storage fails they try
 * again each second. A job that dies of a bug is logged, and is tried again a minute later.
 */
export const startDueWork = <A extends DueJob>(options: {
  readonly concurrency: number
  /** The longest time for which `perform` puts a job off. */
  readonly maxAhead: Duration.DurationInput
  /**
   * The first `limit` jobs, in the order in which they are due. Those that are due after `furthest` come first, because
   * they were put off before the clock was set back.
   */
  readonly read: (limit: number, furthest: EpochMillis) => Effect.Effect<ReadonlyArray<A>, StorageError>
  /** Does the job and writes down that it is due later, or no longer. */
  readonly perform: (job: A) => Effect.Effect<void, StorageError>
  readonly trouble: StorageTrouble
  readonly wakeUps: WakeUps["Type"]
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { concurrency, maxAhead, perform, read, trouble, wakeUps } = options
    const scope = yield* Effect.scope
    const onlyOne = yield* Effect.makeSemaphore(1)
    const busy = new Set<DueJob["id"]>()

    const next = Effect.flatMap(epochMillis, (now) =>
      Effect.map(
        trouble.retry(read(busy.size + 1, furthest(now, maxAhead))),
        (jobs) => jobs.find(({ id }) => !busy.has(id))
      ))

    const take = takeDue({ signal: wakeUps, next, maxAhead }).pipe(
      Effect.tap(({ id }) => Effect.sync(() => busy.add(id))),
      onlyOne.withPermits(1)
    )

    // The job may have become due again meanwhile, and the worker that waits has skipped it because it was busy.
    const release = (id: DueJob["id"]) => Effect.zipRight(Effect.sync(() => busy.delete(id)), wakeUps.notify)

    const performed = (job: A) =>
      trouble.retry(perform(job)).pipe(
        Effect.zipRight(release(job.id)),
        // A bug that one job brings to light must not stop the others, and not be met again and again without a pause.
        Effect.catchAllDefect((defect) =>
          Effect.logError(`a bug in plane-sync, at ${job.id}`, Cause.die(defect)).pipe(
            Effect.zipRight(Effect.forkIn(Effect.delay(release(job.id), "1 minute"), scope))
          )
        )
      )

    const work = Effect.gen(function*() {
      const job = yield* take
      const ended = Fiber.await(yield* Effect.forkIn(performed(job), scope))
      yield* busy.size > mostSlow ? ended : Effect.timeoutOption(ended, slowAfter)
    })

    yield* Effect.replicateEffect(Effect.forkScoped(Effect.forever(work)), concurrency)
  })
