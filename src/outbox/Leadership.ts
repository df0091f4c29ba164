import { Array as Arr, Context, Deferred, Duration, Effect, Layer, Option, Random, Scope } from "effect"
import { hostname } from "node:os"
import { monotonicMillis } from "../base/Time.js"
import { uuidV7 } from "../base/UuidV7.js"
import { Destinations } from "../domain/Destinations.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Leader, LeaderActive, Term } from "./Leader.js"
import { hasLease, leaseOf, named } from "./Leader.js"
import { nextLook } from "./NextLook.js"
import { Outbox } from "./Outbox.js"
import type { Replica } from "./Replicas.js"
import { readReplicas, showReplica } from "./Replicas.js"
import { startSpread } from "./Spread.js"
import { logBug, makeTerms } from "./Terms.js"
import { everythingElse } from "./Turns.js"

/**
 * What this process leads. Taking in (publishing, hooks) goes on without; whatever must be done by one process alone
 * runs `whileLeading`, or `whileSending` where it is about a project. Over a file one process leads everything. On
 * Postgres each destination has a leader, and the destinations spread over the replicas; the leader of the first one
 * does what is of no destination, too.
 *
 * A process that finds a leader on another host is a standby, because nobody can tell whether that one is alive: after
 * a container was killed, it is only the container's former host name. The standby becomes the leader when the other
 * one has ended or its lease is over. A leader that another process has taken over is a standby, too.
 */
export class Leadership extends Context.Tag("plane-sync/Leadership")<Leadership, {
  /**
   * Runs `work`, which starts background work and returns, whenever this process becomes the leader of what is of no
   * destination. What it has started ends when another process takes over, and with the scope.
   */
  readonly whileLeading: <R>(
    work: (term: Term) => Effect.Effect<unknown, never, R>
  ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
  /** The same for each destination. `leads`: whether it has the project with this identifier. */
  readonly whileSending: <R>(
    work: (term: Term, leads: (identifier: string) => boolean) => Effect.Effect<unknown, never, R>
  ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
  /** Whether another replica sends for the project with this identifier. Never over a file. */
  readonly isElsewhere: (identifier: string) => boolean
  /**
   * Who leads instead, in words. Undefined while this process is the leader, and on Postgres while another replica is.
   */
  readonly standby: Effect.Effect<string | undefined>
  /** The replicas of a Postgres; none over a file. */
  readonly replicas: Effect.Effect<ReadonlyArray<Replica>, StorageError>
}>() {
  /** Over a file it fails with `LeaderActive` when the leader is a process of this host, which is running. */
  static readonly layer: Layer.Layer<Leadership, LeaderActive | StorageError, Destinations | Outbox | Storage> = Layer
    .scoped(
      Leadership,
      Effect.suspend(() => make)
    )
}

/** How soon a standby looks again that could not become the leader. */
const againAfter = "1 second"

/** After so many looks in which it could not, although nobody led. */
const patience = 5

/** For how long at least nothing else is led then. */
const pause = Duration.toMillis("5 seconds")

const make = Effect.gen(function*() {
  const outbox = yield* Outbox
  const storage = yield* Storage
  const { all } = yield* Destinations
  const { sql, trouble: { retry } } = storage
  const lease = leaseOf(sql)
  // Standbys are what replicas are there for. Over a file there should be none.
  const isReplica = sql.isShared
  const destinations = isReplica ? all : [Arr.flatten(all)]
  const [main, ...rest] = yield* Effect.forEach(destinations, () => makeTerms)
  const terms = [main, ...rest]
  const projects = isReplica ? [everythingElse, ...all[0]] : [everythingElse]
  const started = yield* Deferred.make<void, LeaderActive | StorageError>()
  const me = yield* uuidV7
  let other: Leader | undefined
  let hasLooked = false
  // How often in a row nobody had the row that this process could not have.
  let failures = 0
  let pausedUntil = -Infinity

  /** Leads until another process takes over. */
  const lead = <E>(become: (holder: string) => Effect.Effect<Term, E, Scope.Scope>) =>
    main.lead((holder) =>
      Effect.tap(become(holder), () => {
        other = undefined
        failures = 0
        return Deferred.succeed(started, undefined)
      })
    ).pipe(Effect.tap(Option.match({
      onNone: () => Effect.void,
      onSome: (why) => Effect.logError(`${why}: nothing more is sent from here for now`)
    })))

  /** Waits until nobody leads, or the lease of who does is over. Says once who it is, and once that it is alive. */
  const standBy = Effect.gen(function*() {
    let isAliveSaid = false
    const next = nextLook(storage)
    for (;;) {
      const mark = yield* next.mark
      const leader = yield* retry(outbox.leader)
      if (leader === undefined || !hasLease(leader, lease)) return
      failures = 0
      if (isReplica) {
        if (other?.holder !== leader.holder) {
          yield* Effect.logInfo(
            `${named(leader)} leads. This replica takes in events and webhooks, and can lead when that one has ended`
          )
        }
        other = leader
      } else if (other?.holder !== leader.holder) {
        isAliveSaid = false
        yield* Effect.logWarning(
          `${named(leader)} sends from this file, or did a moment ago. Events and webhooks are taken in here. ` +
            "Sending begins when that process has ended, or was not seen for 90 seconds"
        )
        other = leader
      } else if (leader.seenAt !== other.seenAt && !isAliveSaid) {
        isAliveSaid = true
        yield* Effect.logWarning(
          `${named(leader)} is alive and goes on sending from this file, and only one process may: ` +
            "stop one of them, or give this one another ORCH_DATABASE_URL"
        )
      }
      yield* next.since(mark)
    }
  })

  const leadAfter = standBy.pipe(
    Effect.zipRight(lead((holder) =>
      Effect.scope.pipe(
        Effect.flatMap((scope) =>
          retry(Scope.extend(outbox.becomeLeader({ holder, projects, replica: me, byLease: true }), scope))
        ),
        Effect.tap(() => Effect.logInfo("This process is the leader now, and sends"))
      )
    )),
    // Another standby was faster, or another replica leads a project of ours. If that goes on, its settings begin with
    // another project: what is led besides is given up, so that one of the two can lead all that it must.
    Effect.catchTag("LeaderActive", () =>
      Effect.gen(function*() {
        yield* Effect.sleep(againAfter)
        failures += 1
        if (failures % patience !== 0) return
        // For different times, so that the two do not meet again.
        pausedUntil = (yield* monotonicMillis) + (yield* Random.nextRange(pause, 2 * pause))
        yield* Effect.forEach(rest, ({ giveUp }) => giveUp, { discard: true })
      }))
  )

  yield* lead((holder) => outbox.becomeLeader({ holder, projects, replica: me })).pipe(
    Effect.catchTag(
      "LeaderActive",
      (error) => error.host === hostname() && !isReplica ? error : Deferred.succeed(started, undefined)
    ),
    Effect.zipRight(Effect.forever(leadAfter)),
    Effect.catchAllCause((cause) =>
      // Once the layer is there, nobody else would be told.
      Effect.unlessEffect(logBug(cause), Deferred.failCause(started, cause))
    ),
    Effect.annotateLogs({ service: "Leadership" }),
    Effect.forkScoped
  )
  yield* Deferred.await(started)

  yield* showReplica(storage, me)
  if (rest.length > 0) {
    yield* startSpread({
      destinations,
      isPaused: Effect.map(monotonicMillis, (now) => now < pausedUntil),
      looked: Effect.sync(() => hasLooked = true),
      me,
      outbox,
      storage,
      terms
    }).pipe(Effect.annotateLogs({ service: "Leadership" }))
  }

  const placeOf = (identifier: string) => destinations.findIndex((each) => each.includes(identifier))
  return Leadership.of({
    replicas: isReplica ? readReplicas(storage) : Effect.succeed([]),
    whileLeading: main.during,
    whileSending: (work) =>
      Effect.forEach(
        terms,
        (each, place) => each.during((term) => work(term, (identifier) => placeOf(identifier) === place)),
        { discard: true }
      ),
    isElsewhere: (identifier) => {
      const place = placeOf(identifier)
      return isReplica && terms[place]?.present() === undefined && (place === 0 ? other !== undefined : hasLooked)
    },
    standby: Effect.sync(() =>
      main.present() !== undefined || isReplica && other !== undefined ?
        undefined :
        `${
          other === undefined ? "Another process" : named(other)
        } sends from this file: this one takes in, and will send when its lease is over`
    )
  })
})
