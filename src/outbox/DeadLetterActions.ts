import { Effect, Schema } from "effect"
import type { DeadLetterFilter } from "./DeadLetters.js"
import { Outbox } from "./Outbox.js"

/** There is no dead letter with this id. There may have been one that was retried or discarded. */
export class NoDeadLetter extends Schema.TaggedError<NoDeadLetter>()("NoDeadLetter", { id: Schema.Number }) {
  override get message(): string {
    return `${this.id} is not the id of a dead letter`
  }
}

/** The event can never be told, so a retry would fail in the same way. */
export class NeverTold extends Schema.TaggedError<NeverTold>()("NeverTold", { why: Schema.String }) {
  override get message(): string {
    return `An event that can never be told cannot be retried, only discarded: ${this.why}`
  }
}

/** The dead letter with an id. */
export const deadLetter = Effect.fnUntraced(function*(id: number) {
  return (yield* (yield* Outbox).deadLetter(id)) ?? (yield* new NoDeadLetter({ id }))
})

/** Retries one dead letter: what it was to tell is pending again. */
export const retryOne = Effect.fnUntraced(function*(id: number) {
  const retried = yield* (yield* Outbox).retry({ id })
  // A letter that is still there cannot be retried.
  return retried > 0 ? retried : yield* new NeverTold({ why: (yield* deadLetter(id)).reason })
})

/** Retries all dead letters that match, and returns how many there were. */
export const retryAll = Effect.fnUntraced(function*(filter: DeadLetterFilter) {
  const outbox = yield* Outbox
  const retried = yield* outbox.retry(filter)
  const [left] = retried > 0 ? [] : yield* outbox.deadLetters({ ...filter, limit: 1 })
  return left === undefined ? retried : yield* new NeverTold({ why: left.reason })
})

/** Discards one dead letter: it is never sent. */
export const discardOne = Effect.fnUntraced(function*(id: number) {
  const discarded = yield* (yield* Outbox).discard({ id })
  return discarded > 0 ? discarded : yield* new NoDeadLetter({ id })
})

/** Discards all dead letters that match, and returns how many there were. */
export const discardAll = (filter: DeadLetterFilter) => Effect.flatMap(Outbox, (outbox) => outbox.discard(filter))
