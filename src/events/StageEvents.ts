import type { SqlError } from "@effect/sql/SqlError"
import { Cause, Chunk, Context, DateTime, Effect, Layer, Option, Schema, Stream } from "effect"
import { makeCountedWarning } from "../base/CountedWarning.js"
import { counted, reasonLimit, visibleLine } from "../base/Text.js"
import { EventSequence } from "../domain/Ids.js"
import { Projects } from "../domain/Projects.js"
import type { Noted, StageEvent } from "../domain/StageEvent.js"
import { ToldEventJson } from "../domain/StageEvent.js"
import { countEvent } from "../metrics/CountEvent.js"
import { metrics } from "../metrics/Metrics.js"
import { Outbox } from "../outbox/Outbox.js"
import { eventOfBody } from "../outbox/StoredEvent.js"
import { Storage } from "../storage/Storage.js"
import { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { AcceptedEvent } from "./NewEvent.js"
import { newEvent } from "./NewEvent.js"
import type { PublishedEvent } from "./PublishedEvent.js"
import { publishedEvent } from "./PublishedEvent.js"
import { IdTaken, Receipt, Unfit } from "./Receipt.js"

/**
 * Where an orchestrator says what happened. Publishing is a durable commit on this machine: it never waits for Plane
 * and never fails because of it.
 *
 * @example
 * const events = yield* StageEvents
 * yield* events.publish(StageEvent.StageChanged({ workItem: "ET-002", from: "analysis", to: "architecture" }))
 */
export class StageEvents extends Context.Tag("plane-sync/StageEvents")<StageEvents, {
  /**
   * Commits an event. Never fails and never hangs, also after the layer's scope has closed. An event that cannot be
   * stored within seconds is written to the log, and the receipt says so. It also says so of an event that can never be
   * told, of which the log has a warning. A link that is not fit is left out, with a warning, and the event is told.
   */
  readonly publish: (event: StageEvent) => Effect.Effect<Receipt>
  /**
   * Like `publish`, but fails with a typed error, and then nothing is stored. `IdTaken`: the id was published before
   * with other content. `Unfit`: the event can never be told, or has a link that is not fit.
   */
  readonly publishOrFail: (
    event: StageEvent
  ) => Effect.Effect<{ readonly id: string; readonly duplicate: boolean }, StorageError | IdTaken | Unfit>
  /**
   * Runs `work` in a transaction on the same database and commits it together with the events that it returns: both are
   * stored, or neither. In a file of our own, `work` uses `Storage.sql`. Its first statement must write. If an event's
   * id was published before, the first event with it stands. One that can never be told becomes a dead letter. A link
   * that is not fit is left out.
   */
  readonly transact: <A>(
    work: Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<StageEvent | Noted> }, SqlError>
  ) => Effect.Effect<A, StorageError>
  /**
   * The committed events after a sequence, in order, and then new ones as they come. 0 means from the first that is
   * kept. It reads the table, so a slow reader delays only itself.
   */
  readonly stream: (after: number) => Stream.Stream<PublishedEvent, StorageError>
  /** How many events could not be stored since the start. */
  readonly notStored: Effect.Effect<number>
}>() {
  static readonly layer: Layer.Layer<StageEvents, never, Outbox | WakeUps | Projects | Storage> = Layer.scoped(
    StageEvents,
    Effect.suspend(() => make)
  )
}

const pageSize = 200

const timedPublish = metrics.publish.timed({})

const toJson = Schema.encodeSync(Schema.parseJson(ToldEventJson))

/**
 * The event as `POST /api/events` takes it, with its moment. If it is posted again, it is told with the time at which
 * it happened.
 */
const asPublished = ({ body, id, occurredAt }: AcceptedEvent): string =>
  Option.match(eventOfBody(body), {
    onNone: () => body,
    onSome: (event) => toJson({ ...event, id, occurredAt: DateTime.unsafeMake(occurredAt) })
  })

const make = Effect.gen(function*() {
  const outbox = yield* Outbox
  const wakeUps = yield* WakeUps
  const projects = yield* Projects
  const { elsewhere, joins } = yield* Storage
  let notStored = 0
  const warn = yield* makeCountedWarning((count, cause) =>
    `${cause}. ${counted(count, "event was", "events were")} not stored: the log has each in a line of its own`
  )
  const warnUnfit = yield* makeCountedWarning((count, why) =>
    `${counted(count, "event", "events")} can never be told to Plane and became dead letters. The last one: ${why}`
  )
  const warnLinks = yield* makeCountedWarning((count, why) =>
    `${counted(count, "event has", "events have")} links that are not fit, and were left out. The last one: ${why}`
  )
  const noteUnfit = ({ refusedLinks, unfit }: AcceptedEvent) =>
    unfit !== undefined
      ? warnUnfit(visibleLine(unfit, reasonLimit))
      : refusedLinks !== undefined
      ? warnLinks(visibleLine(refusedLinks, reasonLimit))
      : Effect.void

  // What became part of a host's transaction is told with its commit, where that can be: see `Elsewhere.tellWithin`.
  const wake = Effect.unlessEffect(
    wakeUps.notify,
    elsewhere === undefined ? Effect.succeed(false) : joins
  )

  const store = (event: AcceptedEvent) =>
    outbox.publish(event).pipe(
      // A defect here is a bug of ours, and must not end the host's fiber.
      Effect.catchAllDefect((defect) =>
        Effect.zipRight(
          Effect.logError("publish: a bug", Cause.die(defect)),
          new StorageError({ reason: "Failed", where: "of events", words: String(defect), cause: defect })
        )
      ),
      timedPublish,
      Effect.zipLeft(wake)
    )

  const publish = Effect.fnUntraced(function*(event: StageEvent) {
    const accepted = yield* newEvent(event, projects)
    const { id, unfit } = accepted
    const joined = yield* joins
    return yield* Effect.matchEffect(store(accepted), {
      onFailure: (error) => {
        notStored += 1
        countEvent(accepted.body, "not_stored")
        // One line each, without the cause, because it is the event's last copy.
        return Effect.logError("Event not stored").pipe(
          Effect.annotateLogs({ event: asPublished(accepted) }),
          Effect.zipRight(warn(error.message)),
          Effect.as(Receipt.NotStored({ id, error, unknown: error.unknown }))
        )
      },
      onSuccess: ({ conflict, duplicate }) =>
        (conflict ? Effect.logWarning(new IdTaken({ id }).message) : noteUnfit(accepted)).pipe(
          Effect.as(
            unfit !== undefined
              ? Receipt.Unfit({ id, why: unfit })
              : joined
              ? Receipt.Joined({ id, duplicate })
              : Receipt.Committed({ id, duplicate })
          )
        )
    })
  })

  const publishOrFail = Effect.fnUntraced(function*(event: StageEvent) {
    const accepted = yield* newEvent(event, projects)
    const why = accepted.unfit ?? accepted.refusedLinks
    if (why !== undefined) return yield* new Unfit({ why })
    const { conflict, duplicate } = yield* Effect.tapError(
      store(accepted),
      () => Effect.sync(() => countEvent(accepted.body, "not_stored"))
    )
    if (conflict) return yield* new IdTaken({ id: accepted.id })
    return { id: accepted.id, duplicate }
  })

  const transact = <A>(
    work: Effect.Effect<{ readonly value: A; readonly events: ReadonlyArray<StageEvent | Noted> }, SqlError>
  ) =>
    outbox.transact(Effect.flatMap(work, ({ events, value }) =>
      Effect.map(
        Effect.forEach(events, (event) => Effect.tap(newEvent(event, projects), noteUnfit)),
        (accepted) => ({ value, events: accepted })
      ))).pipe(Effect.zipLeft(wake))

  const stream = (after: number): Stream.Stream<PublishedEvent, StorageError> =>
    Stream.paginateChunkEffect(EventSequence(after), (sequence) =>
      Effect.gen(function*() {
        for (;;) {
          const mark = yield* wakeUps.mark
          const page = yield* outbox.eventsAfter(sequence, pageSize)
          const last = page.at(-1)
          if (last !== undefined) {
            return [Chunk.unsafeFromArray(page.map(publishedEvent)), Option.some(last.sequence)] as const
          }
          yield* wakeUps.since(mark)
        }
      }))

  return StageEvents.of({ publish, publishOrFail, transact, stream, notStored: Effect.sync(() => notStored) })
})
