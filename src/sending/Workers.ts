import { Array as Arr, Deferred, Duration, Effect, Exit, Fiber, Option } from "effect"
import type { Scope } from "effect"
import type { Signal } from "../base/Signal.js"
import { later, MonotonicMillis, monotonicMillis } from "../base/Time.js"
import { tracedIfCollected } from "../base/Tracing.js"
import type { EventSequence } from "../domain/Ids.js"
import { stagesOf } from "../domain/Project.js"
import { newFor } from "../outbox/FirstWords.js"
import type { Job } from "../outbox/Job.js"
import type { Term } from "../outbox/Leader.js"
import { LeadershipLost } from "../outbox/Leader.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { Settlement } from "../outbox/Outcome.js"
import type { ClaimPolicy } from "../outbox/Plan.js"
import type { Slot } from "../plane/RateBudget.js"
import { takeDue } from "../storage/DueWork.js"
import type { StorageError } from "../storage/StorageError.js"
import type { StorageTrouble } from "../storage/StorageTrouble.js"
import { assign } from "./Assign.js"
import { check } from "./Check.js"
import { settleLink } from "./Links.js"
import { look } from "./Look.js"
import { lookBack } from "./LookBack.js"
import { nextStep, recountEvery } from "./NextStep.js"
import { makeOutcomeLog, stateNamer } from "./OutcomeLog.js"
import { makeNaming } from "./People.js"
import { send } from "./Send.js"
import type { SendContext } from "./SendContext.js"
import { compareTwins } from "./Twins.js"

interface Claiming {
  /** Undefined: a lane is claimed whatever it owes. */
  readonly firstWord?: EventSequence | undefined
  readonly settlement?: Settlement | undefined
}

interface Work {
  readonly job: Job
  readonly slot: Slot
}

// A write so soon after a commit that confirmed us as the leader counts as already in flight: a process that takes over
// meanwhile waits for the quiet time before it sends to that work item.
const confirmedFor = (config: SendContext["config"]) => Math.min(1_000, Duration.toMillis(config.quiet))

/** How long requests in flight may take to end when the program is shut down. */
const drainTime = Duration.seconds(8)

// We put no lane off for longer than this. A later due time was set before the clock was put back.
const maxAhead = (config: SendContext["config"]) =>
  [config.maxBackoff, config.quiet, recountEvery, Duration.minutes(5)]
    .reduce((longest, each) => Duration.max(longest, each), config.keyPatience)
    .pipe(Duration.sum("1 minute"))

/**
 * Starts `ORCH_PLANE_CONCURRENCY` workers, and one for first words. Each takes a slot of the budget, claims the most
 * urgent lane that is due, sends its next request, and settles it in the commit that claims the next lane. When the
 * scope closes, they claim nothing more, and requests in flight have 8 s to end and be settled. A request that is cut
 * off then counts as sent with an unknown outcome, like after a crash.
 *
 * A worker never fails: whatever Plane does is an outcome, and while storage fails the worker tries again each second.
 */
export const startWorkers = (
  dependencies: Omit<SendContext, "leftAlone" | "noteAsked" | "sayOnce" | "stillLeading" | "usersOf"> & {
    /** The identifiers of the projects whose lanes are sent. */
    readonly lanesOf: ReadonlyArray<string>
    readonly outbox: Outbox["Type"]
    /** Tells that something may be owed, or that something was settled, which is for the workers to tell. */
    readonly news: Signal
    readonly trouble: StorageTrouble
    /** For as long as it lasts, this process is the leader. Then nothing more is sent here. */
    readonly term: Term
  }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { budget, config, destination, lanesOf, news, outbox, place, project, quietTimes, term, trouble } =
      dependencies
    const { holder, lose, lost, projects } = term
    const share = { holder, projects }
    const stopping = yield* Deferred.make<void>()
    const onlyOne = yield* Effect.makeSemaphore(1)
    const { names, stages, texts } = project
    const plan = nextStep({
      ...config,
      stages,
      states: place.states,
      setting: names.states,
      texts,
      pipeline: stagesOf(project),
      linkAddress: dependencies.linkAddress
    })
    const ahead = maxAhead(config)
    // When a commit last found that we are the leader.
    let confirmedAt = MonotonicMillis(-Infinity)

    /**
     * Runs `outbox.turn`. Nothing is planned in a work item's quiet time, because by its end there may be more to tell
     * together.
     */
    const turn = (options: { readonly settlement?: Settlement | undefined; readonly claims?: Claiming }) =>
      Effect.flatMap(monotonicMillis, (now) => {
        const policy: ClaimPolicy = {
          projects: lanesOf,
          firstWord: options.claims?.firstWord,
          urgentAfter: config.urgentAfter,
          plan: (owed) => {
            const left = quietTimes.left(now, owed.lane)
            return !Duration.isZero(left) ? { _tag: "Wait", dueAt: later(owed.now, left) } : plan(owed)
          }
        }
        return Effect.tap(
          outbox.turn({
            ...share,
            settlement: options.settlement,
            claim: options.claims === undefined ? undefined : policy
          }),
          () => Effect.sync(() => confirmedAt = now)
        )
      })

    const unlessLost = <A>(effect: Effect.Effect<A, LeadershipLost>): Effect.Effect<A> =>
      Effect.catchTag(effect, "LeadershipLost", () => Effect.zipRight(lose, Effect.never))
    const stored = <A>(effect: Effect.Effect<A, LeadershipLost | StorageError>) => unlessLost(trouble.retry(effect))

    const checkLeader = stored(
      Effect.flatMap(outbox.isLeader(holder), (still) => still ? Effect.void : new LeadershipLost())
    )
    const stillLeading = Effect.flatMap(
      monotonicMillis,
      (now) => now - confirmedAt < confirmedFor(config) ? Effect.void : checkLeader
    )
    const context: SendContext = {
      ...dependencies,
      ...yield* makeNaming(dependencies),
      noteAsked: (lane, note) => stored(outbox.noteAsked(lane, note)),
      stillLeading,
      leftAlone: (lane) => stored(outbox.leftAlone(lane))
    }

    const ended = ({ job, slot }: Work): Effect.Effect<Settlement> => {
      switch (job._tag) {
        case "Send":
          return Effect.map(send(context, job, slot), (outcome) => ({ _tag: "Sent", job, outcome }))
        case "Look":
          return Effect.map(look(context, job, slot), (outcome) => ({ _tag: "Looked", job, outcome }))
        case "Check":
          return Effect.map(check(context, job, slot), (outcome) => ({ _tag: "Checked", job, outcome }))
        case "Twins":
          return Effect.map(compareTwins(context, job, slot), (outcome) => ({ _tag: "TwinsSettled", job, outcome }))
        case "Link":
          return Effect.map(settleLink(context, job, slot), (outcome) => ({ _tag: "LinkSettled", job, outcome }))
        case "Assign":
          return Effect.map(assign(context, job, slot), (outcome) => ({ _tag: "AssignSettled", job, outcome }))
        case "LookBack":
          return Effect.map(lookBack(context, job, slot), (outcome) => ({ _tag: "AssignSettled", job, outcome }))
      }
    }

    const logged = makeOutcomeLog(stateNamer(dependencies))

    // Releases the slot of a job that needed no request.
    const perform = (work: Work): Effect.Effect<Settlement> =>
      ended(work).pipe(Effect.ensuring(work.slot.release), Effect.tap(logged))

    /** Claims a job for a slot, of any lane or of the one with this first word. It is released if there is no job. */
    const claim = (slot: Slot, { firstWord, settlement }: Claiming): Effect.Effect<Work | undefined> =>
      stored(turn({ settlement, claims: { firstWord } })).pipe(
        // When another process has taken over, this waits until it is interrupted.
        Effect.onInterrupt(() => slot.release),
        Effect.flatMap((job) => job === undefined ? Effect.as(slot.release, undefined) : Effect.succeed({ job, slot }))
      )

    /** Settles a job, and claims the next one at once if the budget has a slot. */
    const settle = Effect.fnUntraced(function*(settlement: Settlement, firstWord: EventSequence | undefined) {
      const { open } = yield* destination.status
      const more = open && !(yield* Deferred.isDone(stopping))
      const free = firstWord === undefined ? budget.tryAdmit : budget.tryAdmitKept
      const slot = more ? yield* free : Option.none()
      const work = Option.isSome(slot)
        ? yield* claim(slot.value, { settlement, firstWord })
        : yield* Effect.as(stored(turn({ settlement })), undefined)
      // The waiting worker goes by an earlier look, and this lane may be due sooner.
      yield* news.notify
      return work
    })

    /** Waits for an effect, or for the shutdown: none if that comes first. */
    const unlessStopping = <A>(waiting: Effect.Effect<A>) =>
      Effect.raceFirst(Effect.asSome(waiting), Effect.as(Deferred.await(stopping), Option.none<A>()))

    // Published events are folded also while nothing may be sent, so that they do not pile up. Not at once, because
    // each fold is a commit that publishing waits for.
    const foldMeanwhile = Effect.gen(function*() {
      for (;;) {
        const mark = yield* news.mark
        yield* stored(outbox.fold(share))
        yield* news.since(mark)
        yield* Effect.sleep("1 second")
      }
    })

    // After a 429 the wait for a slot can be minutes. A slot that comes sooner needs no fold, because its turn folds.
    const admit = Effect.raceFirst(budget.admit(), Effect.delay(foldMeanwhile, "1 second"))

    const nextDue = Effect.map(
      stored(outbox.nextDue(lanesOf, ahead)),
      (dueAt) => dueAt === undefined ? undefined : { dueAt }
    )

    /** Waits for something to do. Only one worker waits at a time, so that a single event does not wake them all. */
    const take = Effect.gen(function*() {
      while (!(yield* Deferred.isDone(stopping))) {
        yield* unlessStopping(Effect.raceFirst(destination.opened, foldMeanwhile))
        const due = yield* unlessStopping(takeDue({ signal: news, next: nextDue, maxAhead: ahead }))
        if (Option.isNone(due)) {
          break
        }
        const slot = yield* unlessStopping(admit)
        if (Option.isNone(slot)) {
          break
        }
        const { open } = yield* destination.status
        const work = open ? yield* claim(slot.value, {}) : yield* Effect.as(slot.value.release, undefined)
        if (work !== undefined) {
          return work
        }
      }
      return undefined
    }).pipe(onlyOne.withPermits(1))

    /** Waits until everything has to wait for a slot, and a new task is to have its first word all the same. */
    const takeFirstWord = Effect.fnUntraced(function*(last: MonotonicMillis) {
      let before: EventSequence | undefined
      for (;;) {
        const mark = yield* news.mark
        yield* Effect.zipRight(destination.opened, budget.contended)
        yield* stored(outbox.fold(share))
        const found = yield* stored(outbox.newFirstWord(lanesOf))
        // Of many it is the last one, once no more come.
        const isNext = found?.event === before && (yield* monotonicMillis) >= last + Duration.toMillis(newFor)
        if (found !== undefined && (isNext || !found.isOfMany)) return found.event
        before = found?.event
        yield* found === undefined ? news.since(mark) : Effect.void
        yield* Effect.sleep("1 second")
      }
    })

    const workOn = Effect.fnUntraced(function*(first: Work | undefined, firstWord?: EventSequence) {
      let work = first
      while (work !== undefined) {
        work = yield* settle(yield* perform(work), firstWord)
      }
    })

    // A worker is interrupted only when the time to drain is over, or another process has taken over. What it held then
    // is treated as after a crash.
    const worker = Effect.gen(function*() {
      for (;;) {
        const work = yield* take
        if (work === undefined) return
        yield* workOn(work)
      }
    })

    // Somebody has just begun a task, and would take silence for a fault. It has slots of its own: so it waits for none
    // of the others, and takes none from them.
    const herald = Effect.gen(function*() {
      let last = MonotonicMillis(-Infinity)
      for (;;) {
        const firstWord = yield* unlessStopping(takeFirstWord(last))
        const slot = Option.isSome(firstWord) ? yield* unlessStopping(budget.admitKept) : Option.none()
        if (Option.isNone(firstWord) || Option.isNone(slot)) return
        last = yield* monotonicMillis
        const { open } = yield* destination.status
        yield* open
          ? workOn(yield* claim(slot.value, { firstWord: firstWord.value }), firstWord.value)
          : slot.value.release
        yield* unlessStopping(Effect.sleep("1 second"))
      }
    })

    const workers = yield* Effect.forEach(
      [...Arr.replicate(worker, config.concurrency), herald],
      (each) => Effect.forkScoped(Effect.raceFirst(tracedIfCollected(each), lost))
    )

    yield* Effect.addFinalizer(() =>
      Deferred.succeed(stopping, undefined).pipe(
        Effect.zipRight(Fiber.awaitAll(workers)),
        // A finalizer is not interruptible by default, and then the time-out would wait for what it cuts off.
        Effect.interruptible,
        Effect.timeoutOption(drainTime),
        Effect.flatMap(Option.match({
          onNone: () => Effect.logWarning("Requests to Plane were cut off after 8 seconds; they will be sent again"),
          onSome: (exits) => Effect.forEach(exits.filter(Exit.isFailure), (exit) => Effect.logError(exit.cause))
        })),
        Effect.asVoid
      )
    )
  }).pipe(Effect.annotateLogs({ service: "PlaneSync" }))
