import { Clock, Deferred, Duration, Effect, Exit, Fiber, Option } from "effect"
import type { Scope } from "effect"
import { monotonicMillis } from "../base/Time.js"
import { tracedIfCollected } from "../base/Tracing.js"
import type { Claim, Job, Settlement } from "../outbox/Lane.js"
import { LeadershipLost } from "../outbox/Leadership.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { Slot } from "../plane/RateBudget.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import { nextStep, recountEvery } from "./NextStep.js"
import type { SendContext } from "./Send.js"
import { look, send } from "./Send.js"

interface Work {
  readonly job: Job
  readonly slot: Slot
}

// A write so soon after a commit that found us the one who sends is as good as in flight: whoever takes over meanwhile
// waits for the quiet time before it sends to that work item.
const confirmedFor = (config: SendContext["config"]) => Math.min(1_000, Duration.toMillis(config.quiet))

/** How long requests in flight may take to end when the program is shut down. */
const drainTime = Duration.seconds(8)

// No lane is put off for longer than this by itself: what is due later was set before the clock was put back.
const maxAhead = (config: SendContext["config"]) =>
  Math.max(
    Duration.toMillis(config.keyPatience),
    Duration.toMillis(config.maxBackoff),
    Duration.toMillis(config.quiet),
    recountEvery,
    Duration.toMillis(Duration.minutes(5))
  ) + 60_000

/** What keeps the workers from sending, when it is not Plane. */
export interface WorkersStatus {
  /** Why storage fails, until it works again. */
  readonly storageFailure: StorageError | undefined
  /** Another process has taken over as the context: nothing more is sent from here. */
  readonly takenOver: boolean
}

/**
 * Starts the workers, up to `ORCH_PLANE_CONCURRENCY` at once. Each takes a slot of the budget, claims the most urgent
 * lane that is due, sends its one next request, and settles it in the commit that claims the next. When the scope closes
 * they claim nothing more, requests in flight have 8 s to end and are settled; what is cut off then counts as sent with
 * its outcome unknown, like after a crash.
 *
 * A worker never fails: whatever Plane does is an outcome, and while storage fails it tries again each second.
 */
export const startWorkers = (
  dependencies: Omit<SendContext, "stillLeading"> & {
    readonly outbox: Outbox["Type"]
    readonly wakeUps: WakeUps["Type"]
    /** Who we are, in the lanes we hold: new with each start. */
    readonly holder: string
    /** Completed when another process has taken over: then nothing more is sent here. */
    readonly lost: Effect.Effect<void>
  }
): Effect.Effect<{ readonly status: Effect.Effect<WorkersStatus> }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { budget, config, destination, holder, lost, outbox, project, quietTimes, wakeUps } = dependencies
    const stopping = yield* Deferred.make<void>()
    const overtaken = yield* Deferred.make<void>()
    const onlyOne = yield* Effect.makeSemaphore(1)
    const plan = nextStep({ ...config, states: project.states, misfits: destination.misfits })
    const ahead = maxAhead(config)
    // When a commit last found that we are the one that sends, by the monotonic clock.
    let confirmedAt = -Infinity

    /** `outbox.turn`; nothing is planned in a work item's quiet time, for by its end there may be more to tell together. */
    const turn = (options: { readonly settlement?: Settlement; readonly claims: boolean }) =>
      Effect.flatMap(monotonicMillis, (now) => {
        const claim: Claim = {
          urgentAfter: Duration.toMillis(config.urgentAfter),
          plan: (owed) => {
            const left = quietTimes.left(now, owed.lane)
            return left > 0 ? { _tag: "Wait", dueAt: owed.now + left } : plan(owed)
          }
        }
        return Effect.tap(
          outbox.turn({ holder, settlement: options.settlement, claim: options.claims ? claim : undefined }),
          () => Effect.sync(() => confirmedAt = now)
        )
      })

    let storageFailure: StorageError | undefined
    let failedWriting = false
    let takenOver = false
    const failed = (error: StorageError, writes: boolean) =>
      Effect.suspend(() => {
        const isNew = storageFailure === undefined
        storageFailure = error
        failedWriting ||= writes
        return isNew ? Effect.logError(`${error.message}. Trying again each second`) : Effect.void
      })
    // A full disk is read without a complaint: only a write shows that writing works again.
    const succeeded = (writes: boolean) =>
      Effect.suspend(() => {
        if (storageFailure === undefined || (failedWriting && !writes)) return Effect.void
        storageFailure = undefined
        failedWriting = false
        return Effect.logInfo("Storage works again")
      })
    /**
     * Until storage works again; said once. Whoever finds that another has taken over ends all workers, this one too. By
     * hand, because a Schedule takes as long as a statement also where nothing fails.
     */
    const storedBy =
      (writes: boolean) => <A>(effect: Effect.Effect<A, StorageError | LeadershipLost>): Effect.Effect<A> =>
        Effect.matchEffect(effect, {
          onSuccess: (value) => Effect.as(succeeded(writes), value),
          onFailure: (error) =>
            error._tag === "LeadershipLost"
              ? Effect.zipRight(takeOver, Effect.never)
              : failed(error, writes).pipe(
                Effect.zipRight(Effect.sleep("1 second")),
                Effect.zipRight(storedBy(writes)(effect))
              )
        })
    const read = storedBy(false)
    const written = storedBy(true)

    const takeOver = Effect.suspend(() => {
      if (takenOver) return Effect.void
      takenOver = true
      return Effect.zipRight(
        Effect.logError("Another process has taken over this file: nothing more is sent from here"),
        Deferred.succeed(overtaken, undefined)
      )
    })

    const checkLeader = read(
      Effect.flatMap(outbox.leader, (context) => context?.holder === holder ? Effect.void : new LeadershipLost())
    )
    const stillLeading = Effect.flatMap(
      monotonicMillis,
      (now) => now - confirmedAt < confirmedFor(config) ? Effect.void : checkLeader
    )
    const context: SendContext = { ...dependencies, stillLeading }

    const perform = ({ job, slot }: Work): Effect.Effect<Settlement> =>
      budget.spend(
        slot,
        job._tag === "Send"
          ? Effect.map(send(context, job), (outcome): Settlement => ({ _tag: "Sent", job, outcome }))
          : Effect.map(look(context, job), (outcome): Settlement => ({ _tag: "Looked", job, outcome }))
      ).pipe(Effect.tap(report))

    /** Settles, and goes on with the next at once if the budget has a slot. */
    const settle = Effect.fnUntraced(function*(settlement: Settlement) {
      const { open } = yield* destination.status
      const more = open && !(yield* Deferred.isDone(stopping))
      const slot = more ? yield* budget.tryAdmit : Option.none()
      const job = yield* written(turn({ settlement, claims: Option.isSome(slot) }))
      // Whoever waits does so for what was due before: this lane may be due sooner.
      yield* wakeUps.notify
      if (Option.isNone(slot)) return undefined
      if (job !== undefined) return { job, slot: slot.value }
      yield* slot.value.release
      return undefined
    })

    /** None when we are to stop first. */
    const unlessStopping = <A>(waiting: Effect.Effect<A>) =>
      Effect.raceFirst(Effect.asSome(waiting), Effect.as(Deferred.await(stopping), Option.none<A>()))

    /** Waits for something to do. One worker at a time, so that a single event does not wake them all. */
    const take = Effect.gen(function*() {
      while (!(yield* Deferred.isDone(stopping))) {
        yield* unlessStopping(destination.opened)
        const mark = yield* wakeUps.mark
        const dueAt = yield* read(outbox.nextDue(ahead))
        const now = yield* Clock.currentTimeMillis
        if (dueAt === undefined || dueAt > now) {
          const published = wakeUps.since(mark)
          yield* unlessStopping(
            dueAt === undefined ? published : Effect.raceFirst(published, Effect.sleep(dueAt - now))
          )
          continue
        }
        const slot = yield* unlessStopping(budget.admit)
        if (Option.isNone(slot)) break
        const { open } = yield* destination.status
        const job = open ? yield* written(turn({ claims: true })) : undefined
        if (job !== undefined) return { job, slot: slot.value }
        yield* slot.value.release
      }
      return undefined
    }).pipe(onlyOne.withPermits(1))

    // Interrupted only when the time to drain is over, or another process has taken over. What it held then counts as
    // after a crash.
    const worker = Effect.gen(function*() {
      for (;;) {
        let work: Work | undefined = yield* take
        if (work === undefined) return
        while (work !== undefined) work = yield* settle(yield* perform(work))
      }
    })

    yield* Effect.forkScoped(Effect.zipRight(lost, takeOver))

    const workers = yield* Effect.forEach(
      Array.from({ length: config.concurrency }),
      () => Effect.forkScoped(Effect.raceFirst(tracedIfCollected(worker), Deferred.await(overtaken)))
    )

    yield* Effect.addFinalizer(() =>
      Deferred.succeed(stopping, undefined).pipe(
        Effect.zipRight(Fiber.awaitAll(workers)),
        // A finalizer cannot be interrupted otherwise, and the time-out would wait for what it gives up.
        Effect.interruptible,
        Effect.timeoutOption(drainTime),
        Effect.flatMap(Option.match({
          onNone: () => Effect.logWarning("Requests to Plane were cut off after 8 seconds; they will be sent again"),
          onSome: (exits) => Effect.forEach(exits.filter(Exit.isFailure), (exit) => Effect.logError(exit.cause))
        })),
        Effect.asVoid
      )
    )

    return { status: Effect.sync((): WorkersStatus => ({ storageFailure, takenOver })) }
  }).pipe(Effect.annotateLogs({ service: "PlaneSync" }))

/** What a person should know of. */
const report = ({ job, outcome }: Settlement): Effect.Effect<void> => {
  const what = job._tag === "Look" ? job.key : `${job.delivery.kind} for ${job.workItem}`
  switch (outcome._tag) {
    case "Dead":
    case "LaneDead":
      return Effect.logWarning(`Dead letter: ${what}: ${outcome.reason}`)
    case "Later":
      return Effect.logDebug(`Again later: ${what}: ${outcome.reason}`)
    case "Missed":
      return Effect.logInfo(`${outcome.reason}; it will be looked for again`)
    case "Left":
      return job._tag === "Send" && job.lane.respected ? Effect.void : Effect.logInfo(`${what}: ${outcome.reason}`)
    case "Split":
      return Effect.logWarning(`${what} is split in two, to find what Plane dislikes: ${outcome.reason}`)
    case "Withheld":
      return Effect.logWarning(`${what} waits: ${outcome.reason}`)
    case "CommentGone":
    case "Taken":
    case "Delivered":
    case "Found":
      return Effect.void
  }
}
