import { Cause, Deferred, Effect, Option } from "effect"
import type { Scope } from "effect"
import { makeSignal } from "../base/Signal.js"
import { uuidV7 } from "../base/UuidV7.js"
import type { Term } from "./Leader.js"

/** The terms of this process for one destination, one after the other, and the work that is done during each. */
export interface Terms {
  readonly present: () => Term | undefined
  /**
   * Leads for one term: until another process takes over, which is why it ends then, or until it is given up. It ends
   * when all work has ended, so that the next leader does not meet it.
   */
  readonly lead: <E>(
    become: (holder: string) => Effect.Effect<Term, E, Scope.Scope>
  ) => Effect.Effect<Option.Option<string>, E>
  /** Gives up the present term. */
  readonly giveUp: Effect.Effect<void>
  /** Runs `work`, which starts background work and returns, in each term. What it has started ends with the term. */
  readonly during: <R>(
    work: (term: Term) => Effect.Effect<unknown, never, R>
  ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
}

interface Held {
  readonly term: Term
  readonly over: Deferred.Deferred<void>
  readonly givenUp: Deferred.Deferred<void>
  /** How many works run in it. */
  works: number
}

/** Requests in flight have 8 seconds to end. */
const patience = "10 seconds"

export const logBug = (cause: Cause.Cause<unknown>) => Effect.logError("a bug in plane-sync", cause)

export const makeTerms: Effect.Effect<Terms> = Effect.gen(function*() {
  const changed = yield* makeSignal
  let held: Held | undefined

  const allEnded = (ended: Held): Effect.Effect<void> =>
    Effect.gen(function*() {
      for (;;) {
        const mark = yield* changed.mark
        if (ended.works === 0) return
        yield* changed.since(mark)
      }
    })

  /** Waits for the first term after `last`. */
  const after = (last: Held | undefined): Effect.Effect<Held> =>
    Effect.gen(function*() {
      for (;;) {
        const mark = yield* changed.mark
        if (held !== undefined && held !== last) return held
        yield* changed.since(mark)
      }
    })

  const counted = <A, E, R>(during: Held, work: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => during.works += 1),
      () => work,
      () => Effect.zipRight(Effect.sync(() => during.works -= 1), changed.notify)
    )

  return {
    present: () => held?.term,
    lead: (become) =>
      Effect.scoped(Effect.gen(function*() {
        const term = yield* Effect.flatMap(uuidV7, become)
        const now: Held = {
          term,
          over: yield* Deferred.make<void>(),
          givenUp: yield* Deferred.make<void>(),
          works: 0
        }
        held = now
        yield* changed.notify
        // Not what another attempt may hold by then.
        const letGo = Effect.sync(() => {
          if (held === now) held = undefined
        })
        const why = yield* Effect.raceFirst(
          Effect.asSome(term.lost),
          Effect.as(Deferred.await(now.givenUp), Option.none<string>())
        ).pipe(Effect.ensuring(letGo))
        yield* Deferred.succeed(now.over, undefined)
        yield* Effect.timeoutOption(allEnded(now), patience)
        return why
      })),
    giveUp: Effect.suspend(() => held === undefined ? Effect.void : Deferred.succeed(held.givenUp, undefined)),
    during: (work) =>
      Effect.gen(function*() {
        let last: Held | undefined
        for (;;) {
          const now = yield* after(last)
          last = now
          // The next term begins anew, whatever a bug has ended.
          const working = Effect.zipRight(work(now.term), Effect.never)
          yield* counted(now, Effect.scoped(Effect.raceFirst(working, Deferred.await(now.over)))).pipe(
            Effect.catchAllDefect((defect) => logBug(Cause.die(defect)))
          )
        }
      }).pipe(Effect.forkScoped, Effect.asVoid)
  }
})
