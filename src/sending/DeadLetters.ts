import type { DateTime } from "effect"
import { Context, Effect, Layer, Option } from "effect"
import { utc } from "../base/Time.js"
import type { DeadCode } from "../outbox/DeadCode.js"
import type { NeverTold, NoDeadLetter } from "../outbox/DeadLetterActions.js"
import { discardAll, discardOne, retryAll, retryOne } from "../outbox/DeadLetterActions.js"
import type * as Stored from "../outbox/DeadLetters.js"
import type { DeliveryKind } from "../outbox/DeliveryKind.js"
import { Outbox } from "../outbox/Outbox.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"

/** A delivery that is not tried again by itself. */
export interface DeadLetter {
  readonly id: number
  readonly kind: DeliveryKind
  readonly code: DeadCode
  /** Why, for people. */
  readonly reason: string
  /** The key of its first event, as it was published. */
  readonly workItem: string
  /** The sequences of the first and the last event that it tells. */
  readonly firstEvent: number
  readonly lastEvent: number
  /** A comment's HTML or a state's id. None if it became a dead letter before it was composed. */
  readonly body: Option.Option<string>
  readonly externalId: Option.Option<string>
  readonly occurredAt: DateTime.Utc
  /** When it became a dead letter. */
  readonly deadSince: DateTime.Utc
  readonly attempts: number
  /** The HTTP status of Plane's last answer. */
  readonly answer: Option.Option<number>
}

/** One dead letter, or all of a code. */
type Which = { readonly id: number } | { readonly code: DeadCode }

/** The dead letters: what could not be told to Plane, until a person, or the host, decides. */
export class DeadLetters extends Context.Tag("plane-sync/DeadLetters")<DeadLetters, {
  /** A page of them, newest first. `cursor` is the id of the last one of the page before. */
  readonly list: (query?: {
    readonly code?: DeadCode | undefined
    /** 100 by default. */
    readonly limit?: number | undefined
    readonly cursor?: number | undefined
  }) => Effect.Effect<ReadonlyArray<DeadLetter>, StorageError>
  /**
   * Retries one, or all of a code, and returns how many. A comment is sent after what its work item is owed now, with
   * its old time, and cannot double. A state becomes that of the latest stage.
   */
  readonly retry: (which: Which) => Effect.Effect<number, StorageError | NoDeadLetter | NeverTold>
  /** Discards one, or all of a code: it is never sent. Returns how many. */
  readonly discard: (which: Which) => Effect.Effect<number, StorageError | NoDeadLetter>
}>() {
  static readonly layer: Layer.Layer<DeadLetters, never, Outbox | WakeUps> = Layer.effect(
    DeadLetters,
    Effect.suspend(() => make)
  )
}

const shown = (letter: Stored.DeadLetter): DeadLetter => ({
  id: letter.id,
  kind: letter.kind,
  code: letter.code,
  reason: letter.reason,
  workItem: letter.workItem,
  firstEvent: letter.firstEvent,
  lastEvent: letter.lastEvent,
  body: Option.liftPredicate(letter.body, (body) => body !== ""),
  externalId: Option.fromNullable(letter.externalId),
  occurredAt: utc(letter.occurredAt),
  deadSince: utc(letter.settledAt),
  attempts: letter.attempts,
  answer: Option.fromNullable(letter.answer)
})

const make = Effect.gen(function*() {
  const outbox = yield* Outbox
  const { notify } = yield* WakeUps
  const withOutbox = Effect.provideService(Outbox, outbox)
  return DeadLetters.of({
    list: ({ code, cursor, limit = 100 } = {}) =>
      Effect.map(outbox.deadLetters({ code, cursor, limit }), (letters) => letters.map(shown)),
    retry: (which) => withOutbox("id" in which ? retryOne(which.id) : retryAll(which)).pipe(Effect.zipLeft(notify)),
    discard: (which) => withOutbox("id" in which ? discardOne(which.id) : discardAll(which))
  })
})
