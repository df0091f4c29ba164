import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Clock, Context, Effect, Layer } from "effect"
import { makeEventLoopTurn } from "../base/EventLoopTurn.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { claim } from "./Claim.js"
import type { DeadLetter, DeadLetterQuery, Which } from "./DeadLetters.js"
import { deadLetterBatch, discard, readDeadLetter, readDeadLetters, retry } from "./DeadLetters.js"
import type { Claim, Job, Settlement } from "./Lane.js"
import type { Leader, LeaderActive, Leadership } from "./Leadership.js"
import { becomeLeader, isLeader, LeadershipLost, readLeader, refuseOtherIndex } from "./Leadership.js"
import type { Observation, Observed } from "./Observation.js"
import { observe } from "./Observation.js"
import { prune } from "./Prune.js"
import type { Published } from "./Publish.js"
import { makePublish, makeTransact } from "./Publish.js"
import type { EventQuery, OutboxStatus, WorkItemRow } from "./Queries.js"
import { readEvents, readEventsAfter, readStatus, readUnfoundKeys, readWorkItem } from "./Queries.js"
import { buryAhead, settle } from "./Settlement.js"
import type { NewEvent, StoredEvent } from "./StoredEvent.js"

/**
 * The durable queue between whoever publishes and Plane: events, the lanes they wait in, and the deliveries that tell
 * them. All times are milliseconds since 1970, UTC, from Effect's Clock.
 */
export class Outbox extends Context.Tag("plane-sync/Outbox")<Outbox, {
  /** Commits an event; the first with an id stands. */
  readonly publish: (event: NewEvent) => Effect.Effect<Published, StorageError>
  /**
   * Runs `work` in a transaction and publishes the events it ends with in the same one. The first statement of `work` must
   * be one that writes, as of every transaction (`Storage.write`).
   */
  readonly transact: <A>(
    work: Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<NewEvent> }, SqlError>
  ) => Effect.Effect<A, StorageError>
  /**
   * What a webhook's word of a work item is beside what is known, and if it is newer, known from now on. A key that nobody
   * has asked for yet is that work item's without a look-up.
   */
  readonly observe: (observation: Observation) => Effect.Effect<Observed, StorageError>
  /**
   * Settles a job, and claims the next one, in one commit; `LeadershipLost` and nothing of it when `holder` is no longer the
   * one that sends.
   */
  readonly turn: (options: {
    readonly holder: string
    readonly settlement?: Settlement | undefined
    readonly claim?: Claim | undefined
  }) => Effect.Effect<Job | undefined, StorageError | LeadershipLost>
  /**
   * When the next lane is due that nobody holds. A due time more than `maxAhead` milliseconds from now was set before the
   * clock was put back: such a lane is due now.
   */
  readonly nextDue: (maxAhead: number) => Effect.Effect<number | undefined, StorageError>
  /** How many keys are to be looked up now, those that are being looked up included; no more than `most` are counted. */
  readonly unfoundKeys: (most: number) => Effect.Effect<number, StorageError>
  /** See `becomeLeader`. */
  readonly becomeLeader: (holder: string) => Effect.Effect<Leadership, LeaderActive | StorageError, Scope.Scope>
  /** Who sends or has sent last, if anybody has. */
  readonly leader: Effect.Effect<(Leader & { readonly active: boolean }) | undefined, StorageError>
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
  readonly eventsAfter: (sequence: number, limit: number) => Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
  /** What the work item of a key (normalized) is owed, with its latest `limit` events and deliveries. */
  readonly workItem: (key: string, limit: number) => Effect.Effect<WorkItemRow | undefined, StorageError>
  readonly deadLetters: (query: DeadLetterQuery) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageError>
  readonly deadLetter: (id: number) => Effect.Effect<DeadLetter | undefined, StorageError>
  /** Owes dead letters again; how many. See `retry` in DeadLetters. */
  readonly retry: (which: Which) => Effect.Effect<number, StorageError>
  /** Gives dead letters up; how many. */
  readonly discard: (which: Which) => Effect.Effect<number, StorageError>
  /** Deletes a batch of what was published before and owes nothing; whether there may be more. */
  readonly prune: (before: number) => Effect.Effect<boolean, StorageError>
  readonly status: Effect.Effect<OutboxStatus, StorageError>
}>() {
  static readonly layer: Layer.Layer<Outbox, StorageError, Storage> = Layer.scoped(Outbox, Effect.suspend(() => make))
}

const inBatches = (batch: Effect.Effect<number, StorageError>) =>
  Effect.gen(function*() {
    let sum = 0
    for (;;) {
      const count = yield* batch
      sum += count
      if (count < deadLetterBatch) return sum
    }
  })

const make = Effect.gen(function*() {
  const storage = yield* Storage
  const { read, sql, write } = storage
  yield* refuseOtherIndex(storage)
  const eventLoopTurn = yield* makeEventLoopTurn

  const nextDue = Effect.fnUntraced(function*(maxAhead: number) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* read(sql<{ dueAt: number | null; latest: number | null }>`SELECT
      min((SELECT due_at FROM plane_sync_lane WHERE urgency = u.value AND due_at IS NOT NULL AND holder IS NULL
        ORDER BY due_at LIMIT 1)) AS "dueAt",
      max((SELECT due_at FROM plane_sync_lane WHERE urgency = u.value AND due_at IS NOT NULL
        ORDER BY due_at DESC LIMIT 1)) AS latest
      FROM json_each('[0,1,2]') u`)
    if (row?.latest !== null && row?.latest !== undefined && row.latest > now + maxAhead) {
      yield* write(sql`UPDATE plane_sync_lane SET due_at = ${now} WHERE due_at > ${now + maxAhead}`)
      return now
    }
    return row?.dueAt ?? undefined
  })

  const ahead = (holder: string, settlement: Settlement) =>
    settlement.outcome._tag !== "LaneDead"
      ? Effect.void
      : inBatches(write(Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        return (yield* isLeader(sql, holder, now)) ? yield* buryAhead(sql, settlement, now, deadLetterBatch) : 0
      })))

  return Outbox.of({
    publish: yield* makePublish(storage),
    transact: makeTransact(storage),
    observe: (observation) => write(observe(sql, observation)),
    turn: ({ claim: claimed, holder, settlement }) =>
      Effect.gen(function*() {
        if (settlement !== undefined) {
          yield* eventLoopTurn
          yield* ahead(holder, settlement)
        }
        const job = yield* write(Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          if (!(yield* isLeader(sql, holder, now))) return new LeadershipLost()
          if (settlement !== undefined) yield* settle(sql, settlement, now)
          return claimed === undefined ? undefined : yield* claim(sql, holder, claimed, now)
        }))
        return job instanceof LeadershipLost ? yield* job : job
      }),
    nextDue,
    unfoundKeys: (most) => Effect.flatMap(Clock.currentTimeMillis, (now) => read(readUnfoundKeys(sql, now, most))),
    becomeLeader: (holder) => becomeLeader(storage, holder),
    leader: readLeader(storage),
    events: (query) => read(readEvents(sql, query)),
    eventsAfter: (sequence, limit) => read(readEventsAfter(sql, sequence, limit)),
    workItem: (key, limit) => read(readWorkItem(sql, key, limit)),
    deadLetters: (query) => read(readDeadLetters(sql, query)),
    deadLetter: (id) => read(readDeadLetter(sql, id)),
    retry: (which) => inBatches(write(retry(sql, which))),
    discard: (which) => inBatches(write(discard(sql, which))),
    prune: (before) => write(prune(sql, before)),
    status: read(readStatus(sql))
  })
})
