import { Cause, Context, Deferred, Effect, Layer, Scope } from "effect"
import { hostname } from "node:os"
import { makeSignal } from "../base/Signal.js"
import { uuidV7 } from "../base/UuidV7.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Leader, LeaderActive, Term } from "./Leader.js"
import { hasLease, leaseOf, named } from "./Leader.js"
import { Outbox } from "./Outbox.js"
import type { Replica } from "./Replicas.js"
import { readReplicas, showReplica } from "./Replicas.js"

/**
 * Whether this process is the leader. Taking in (publishing, hooks) goes on without; whatever must be done by one
 * process alone runs `whileLeading`.
 *
 * A process that finds a leader on another host is a standby, because nobody can tell whether that one is alive: after
 * a container was killed, it is only the container's former host name. The standby becomes the leader when the other
 * one has ended or its lease is over. A leader that another process has taken over is a standby, too.
 */
export class Leadership extends Context.Tag("plane-sync/Leadership")<Leadership, {
  /**
   * Runs `work`, which starts background work and returns, whenever this process becomes the leader. What it has
   * started ends when another process takes over, and with the scope.
   */
  readonly whileLeading: <R>(
    work: (term: Term) => Effect.Effect<unknown, never, R>
  ) => Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope>
  /**
   * Who leads instead, in words. Undefined while this process is the leader, and on Postgres while another replica is.
   */
  readonly standby: Effect.Effect<string | undefined>
  /** Whether another replica leads, and this process has no part in sending. */
  readonly follows: Effect.Effect<boolean>
  /** The replicas of a Postgres; none over a file. */
  readonly replicas: Effect.Effect<ReadonlyArray<Replica>, StorageError>
}>() {
  /** Over a file it fails with `LeaderActive` when the leader is a process of this host, which is running. */
  static readonly layer: Layer.Layer<Leadership, LeaderActive | StorageError, Outbox | Storage> = Layer.scoped(
    Leadership,
    Effect.suspend(() => make)
  )
}

/** How often a standby looks whether it can become the leader. */
const lookEvery = "1 second"

const logBug = (cause: Cause.Cause<unknown>) => Effect.logError("a bug in plane-sync", cause)

const make = Effect.gen(function*() {
  const outbox = yield* Outbox
  const changed = yield* makeSignal
  const storage = yield* Storage
  const { sql, trouble: { retry } } = storage
  const lease = leaseOf(sql)
  // Standbys are what replicas are there for. Over a file there should be none.
  const isReplica = sql.isShared
  const started = yield* Deferred.make<void, LeaderActive | StorageError>()
  let present: Term | undefined
  let other: Leader | undefined

  /** Leads until another process takes over. */
  const lead = <E>(become: (holder: string) => Effect.Effect<Term, E, Scope.Scope>) =>
    Effect.scoped(Effect.gen(function*() {
      const term = yield* Effect.flatMap(uuidV7, become)
      other = undefined
      present = term
      yield* changed.notify
      yield* Deferred.succeed(started, undefined)
      const why = yield* term.lost
      present = undefined
      yield* Effect.logError(`${why}: nothing more is sent from here for now`)
    }))

  /** Waits until nobody leads, or the lease of who does is over. Says once who it is, and once that it is alive. */
  const standBy = Effect.gen(function*() {
    let isAliveSaid = false
    for (;;) {
      const leader = yield* retry(outbox.leader)
      if (leader === undefined || !hasLease(leader, lease)) return
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
      yield* Effect.sleep(lookEvery)
    }
  })

  const leadAfter = standBy.pipe(
    Effect.zipRight(lead((holder) =>
      Effect.scope.pipe(
        Effect.flatMap((scope) => retry(Scope.extend(outbox.becomeLeader(holder, true), scope))),
        Effect.tap(() => Effect.logInfo("This process is the leader now, and sends"))
      )
    )),
    // Another standby was faster.
    Effect.catchTag("LeaderActive", () => Effect.void)
  )

  yield* lead(outbox.becomeLeader).pipe(
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

  /** Waits for the first term after `last`. */
  const after = (last: Term | undefined): Effect.Effect<Term> =>
    Effect.gen(function*() {
      for (;;) {
        const mark = yield* changed.mark
        if (present !== undefined && present !== last) return present
        yield* changed.since(mark)
      }
    })

  yield* showReplica(storage, yield* uuidV7)
  return Leadership.of({
    replicas: sql.isShared ? readReplicas(storage) : Effect.succeed([]),
    follows: Effect.sync(() => isReplica && present === undefined && other !== undefined),
    whileLeading: (work) =>
      Effect.gen(function*() {
        let term: Term | undefined
        for (;;) {
          term = yield* after(term)
          // The next term begins anew, whatever a bug has ended.
          yield* Effect.scoped(Effect.zipRight(work(term), term.lost)).pipe(
            Effect.catchAllDefect((defect) => logBug(Cause.die(defect)))
          )
        }
      }).pipe(Effect.forkScoped, Effect.asVoid),
    standby: Effect.sync(() =>
      present !== undefined || isReplica && other !== undefined ?
        undefined :
        `${
          other === undefined ? "Another process" : named(other)
        } sends from this file: this one takes in, and will send when its lease is over`
    )
  })
})
