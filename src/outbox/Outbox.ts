import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Context, Duration, Effect, Layer } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import type { EventSequence, LaneId } from "../domain/Ids.js"
import type { Place } from "../domain/Place.js"
import type { NormalizedKey } from "../domain/WorkItemKey.js"
import { flag } from "../storage/Dialect.js"
import { nextDueAt } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { AssignNote } from "./AssignPatch.js"
import { noteAsked } from "./AssignPatch.js"
import type { Batch, DeadLetter, DeadLetterQuery, Which } from "./DeadLetters.js"
import { deadLetterBatch, discard, readDeadLetter, readDeadLetters, retry } from "./DeadLetters.js"
import type { NewFirstWord } from "./FirstWords.js"
import { newFirstWord } from "./FirstWords.js"
import { hasNew } from "./Fold.js"
import { forgetGone } from "./GoneLeaders.js"
import { leftAloneFor, readTouched } from "./HookDoubt.js"
import type { Job } from "./Job.js"
import type { Leader, LeaderActive, LeadershipLost, Term, Wanted } from "./Leader.js"
import { becomeLeader, isLeader, readLeader, refuseOtherIndex } from "./Leader.js"
import type { Share } from "./LeaderTurns.js"
import { makeTurns } from "./LeaderTurns.js"
import type { Settlement } from "./Outcome.js"
import type { ClaimPolicy } from "./Plan.js"
import type { LeftProject } from "./ProjectRows.js"
import { keepPlace, readLeft, readPlaces, sortLanes } from "./ProjectRows.js"
import { prune } from "./Prune.js"
import type { Published } from "./Publish.js"
import { makePublish, makeTransact } from "./Publish.js"
import type { EventQuery, OutboxStatus, WorkItemRow } from "./Queries.js"
import { readEvents, readEventsAfter, readSettled, readStatus, readUnfoundKeys, readWorkItem } from "./Queries.js"
import type { NewEvent, StoredEvent } from "./StoredEvent.js"
import { urgencies } from "./Urgency.js"

/**
 * The durable queue between publishing and Plane: events, the lanes that they wait in, and the deliveries that tell
 * them. All times come from Effect's Clock.
 */
export class Outbox extends Context.Tag("plane-sync/Outbox")<Outbox, {
  /** Commits an event. If the id was published before, the first event with it stands. */
  readonly publish: (event: NewEvent) => Effect.Effect<Published, StorageError>
  /**
   * Runs `work` in a transaction and publishes the events that it returns in the same one. The first statement of
   * `work` must write, as in every transaction (`Storage.write`).
   */
  readonly transact: <A>(
    work: Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<NewEvent> }, SqlError>
  ) => Effect.Effect<A, StorageError>
  /**
   * Settles a job and claims the next one, in one commit. Fails with `LeadershipLost`, and stores nothing, when
   * `holder` is no longer the leader.
   */
  readonly turn: (
    options: Share & {
      readonly settlement?: Settlement | undefined
      readonly claim?: ClaimPolicy | undefined
    }
  ) => Effect.Effect<Job | undefined, StorageError | LeadershipLost>
  /**
   * When the next free lane is due. A due time further ahead than `maxAhead` was set before the clock was put back:
   * such a lane is due now. Only lanes of these projects count.
   */
  readonly nextDue: (
    projects: ReadonlyArray<string>,
    maxAhead: Duration.DurationInput
  ) => Effect.Effect<EpochMillis | undefined, StorageError>
  /**
   * The first event of a task that has just begun in these projects, if nothing was told of it yet. Only what is folded
   * counts.
   */
  readonly newFirstWord: (projects: ReadonlyArray<string>) => Effect.Effect<NewFirstWord | undefined, StorageError>
  /**
   * Folds new events into their lanes. `turn` does so too. This is meant for times in which no lane may be claimed, so
   * that new events do not pile up.
   */
  readonly fold: (share: Share) => Effect.Effect<void, StorageError | LeadershipLost>
  /** How many keys of a project are due for a look-up or being looked up. Counts no further than `most`. */
  readonly unfoundKeys: (project: string, most: number) => Effect.Effect<number, StorageError>
  /** Where the projects are in Plane, as far as that was kept. */
  readonly places: Effect.Effect<ReadonlyMap<string, Place>, StorageError>
  /** Keeps where a project is. What was kept of it under a former identifier goes on under this one. */
  readonly keepPlace: (identifier: string, place: Place) => Effect.Effect<void, StorageError>
  /** Sorts what is owed by the projects that are set now. See `sortLanes`. */
  readonly sortLanes: (identifiers: ReadonlyArray<string>) => Effect.Effect<void, StorageError>
  /** The projects that were written to, and are none of these. */
  readonly left: (identifiers: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<LeftProject>, StorageError>
  /** See `forgetGone`. */
  readonly forgetGone: Effect.Effect<void, StorageError>
  /** See `becomeLeader`. */
  readonly becomeLeader: (wanted: Wanted) => Effect.Effect<Term, LeaderActive | StorageError, Scope.Scope>
  /** Whether this one is still a leader. */
  readonly isLeader: (holder: string) => Effect.Effect<boolean, StorageError>
  /**
   * The last leader, and whether it is active. Undefined if there is none. On Postgres it is that of everything that has
   * no leader of its own.
   */
  readonly leader: Effect.Effect<(Leader & { readonly active: boolean }) | undefined, StorageError>
  /** The same for the project with this identifier. */
  readonly leaderOf: (
    project: string
  ) => Effect.Effect<(Leader & { readonly active: boolean }) | undefined, StorageError>
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
  readonly eventsAfter: (
    sequence: EventSequence,
    limit: number
  ) => Effect.Effect<ReadonlyArray<StoredEvent>, StorageError>
  /** What the work item of a key is owed, with its latest `limit` events and deliveries. */
  readonly workItem: (key: NormalizedKey, limit: number) => Effect.Effect<WorkItemRow | undefined, StorageError>
  readonly deadLetters: (query: DeadLetterQuery) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageError>
  readonly deadLetter: (id: number) => Effect.Effect<DeadLetter | undefined, StorageError>
  /** For how long no state is set, because a person has just changed the work item. See `leftAloneFor`. */
  readonly leftAlone: (lane: LaneId) => Effect.Effect<Duration.Duration, StorageError>
  /** Writes down that a PATCH of assignees is sent next. See `noteAsked`. Only for whoever holds their lane. */
  readonly noteAsked: (
    lane: LaneId,
    note: AssignNote
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<typeof noteAsked>>, StorageError>
  /** Retries what is dead now, each letter once, and returns how many. See `retry` in DeadLetters. */
  readonly retry: (which: Which) => Effect.Effect<number, StorageError>
  /** Discards dead letters, and returns how many. */
  readonly discard: (which: Which) => Effect.Effect<number, StorageError>
  /** Deletes a batch of what was published before a moment and owes nothing. Returns whether there may be more. */
  readonly prune: (before: EpochMillis) => Effect.Effect<boolean, StorageError>
  readonly status: Effect.Effect<OutboxStatus, StorageError>
}>() {
  static readonly layer: Layer.Layer<Outbox, StorageError, Storage> = Layer.scoped(Outbox, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const storage = yield* Storage
  const { read, sql, write } = storage
  yield* refuseOtherIndex(storage)
  const { betweenTurns, fold, turn } = yield* makeTurns(storage)

  const isOne = sql`project = value ->> 0 AND urgency = CAST(value ->> 1 AS bigint)`

  const dueEnds = (projects: ReadonlyArray<string>) => (now: EpochMillis) =>
    Effect.map(
      read(sql<{ first: EpochMillis | null; last: EpochMillis | null; hasNew: number }>`SELECT
        min((SELECT due_at FROM plane_sync_lane WHERE ${isOne} AND due_at IS NOT NULL
          AND holder IS NULL ORDER BY due_at LIMIT 1)) AS first,
        max((SELECT due_at FROM plane_sync_lane WHERE ${isOne} AND due_at IS NOT NULL
          ORDER BY due_at DESC LIMIT 1)) AS last,
        ${flag(sql, hasNew(sql, (project) => sql`${project} IN ${sql.texts(projects)}`))} AS "hasNew"
        FROM ${sql.each(projects.flatMap((project) => urgencies.map((urgency) => [project, urgency])))}`),
      ([row]) => ({ first: row?.hasNew === 1 ? now : row?.first ?? null, last: row?.last ?? null })
    )

  /**
   * Takes each dead letter once, in the order of their ids, and none that is newer than the newest was at the
   * beginning. What is retried may die again at once, and would be retried without end.
   */
  const inBatches = (
    which: Which,
    batch: (batch: Batch) => Effect.Effect<ReadonlyArray<number>, StorageError>
  ) =>
    Effect.gen(function*() {
      if ("id" in which) return (yield* batch(which)).length
      const { code } = which
      const [newest] = yield* read(readDeadLetters(sql, { code, limit: 1 }))
      let sum = 0
      let after = 0
      for (;;) {
        const ids = yield* batch({ code, after, upTo: newest?.id ?? 0 })
        sum += ids.length
        if (ids.length < deadLetterBatch(sql)) return sum
        after = Math.max(...ids)
      }
    })

  return Outbox.of({
    publish: yield* makePublish(storage),
    transact: makeTransact(storage),
    turn,
    fold,
    nextDue: (projects, maxAhead) =>
      nextDueAt({
        maxAhead,
        ends: dueEnds(projects),
        makeDue: (now, after) => write(sql`UPDATE plane_sync_lane SET due_at = ${now} WHERE due_at > ${after}`)
      }),
    newFirstWord: (projects) => Effect.flatMap(epochMillis, (now) => read(newFirstWord(sql, projects, now))),
    unfoundKeys: (project, most) =>
      Effect.flatMap(epochMillis, (now) => read(readUnfoundKeys(sql, project, now, most))),
    places: read(readPlaces(sql)),
    keepPlace: (identifier, place) => write(keepPlace(sql, identifier, place)),
    sortLanes: (identifiers) => write(sortLanes(sql, identifiers)),
    left: (identifiers) => read(readLeft(sql, identifiers)),
    forgetGone: write(forgetGone(sql)),
    becomeLeader: (wanted) => becomeLeader(storage, wanted),
    isLeader: (holder) => isLeader(storage, holder),
    leader: readLeader(storage),
    leaderOf: (project) => readLeader(storage, project),
    events: (query) => read(readEvents(sql, query)),
    eventsAfter: (sequence, limit) =>
      Effect.flatMap(read(readSettled(sql)), (upTo) => read(readEventsAfter(sql, sequence, upTo, limit))),
    workItem: (key, limit) => read(readWorkItem(sql, key, limit)),
    deadLetters: (query) => read(readDeadLetters(sql, query)),
    deadLetter: (id) => read(readDeadLetter(sql, id)),
    leftAlone: (lane) =>
      Effect.zipWith(
        read(readTouched(sql, lane)),
        epochMillis,
        (touched, now) => touched === undefined ? Duration.zero : leftAloneFor(touched, now)
      ),
    noteAsked: (lane, note) => Effect.flatMap(epochMillis, (now) => write(noteAsked(sql, lane, note, now))),
    retry: (which) => inBatches(which, (batch) => betweenTurns((tally) => retry(sql, tally, batch))),
    discard: (which) => inBatches(which, (batch) => betweenTurns((tally) => discard(sql, tally, batch))),
    prune: (before) => betweenTurns((tally) => prune(sql, tally, before)),
    status: read(readStatus(sql))
  })
})
