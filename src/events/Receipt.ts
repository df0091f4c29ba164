import { Data, Schema } from "effect"
import type { StorageError } from "../storage/StorageError.js"

/** What became of a published event. */
export type Receipt = Data.TaggedEnum<{
  /** It is on disk, now or (`duplicate`) since it was first published with this id. */
  Committed: { readonly id: string; readonly duplicate: boolean }
  /**
   * It is part of the transaction of the host that published it, and is committed, or vanishes, with it. `duplicate`:
   * it was published before with this id, in this transaction or before it.
   */
  Joined: { readonly id: string; readonly duplicate: boolean }
  /**
   * It can never be told to Plane: `why` says what is not fit, and what would be right. It is kept as a dead letter, so
   * that a person sees it, under this id. Where the given id is what is not fit, `why` names it, and `id` is another.
   */
  Unfit: { readonly id: string; readonly why: string }
  /**
   * It could not be stored. The log has it as the JSON that `POST /api/events` takes. `unknown`: the disk did not
   * confirm it, so it may be stored all the same. Publishing it again with this id answers `duplicate` if it is.
   */
  NotStored: { readonly id: string; readonly error: StorageError; readonly unknown: boolean }
}>

export const Receipt = Data.taggedEnum<Receipt>()

/** An event with this id was published before, with other content. The first one stands. */
export class IdTaken extends Schema.TaggedError<IdTaken>()("IdTaken", { id: Schema.String }) {
  override get message(): string {
    return `An event with the id ${JSON.stringify(this.id)} was published before with other content: the first stands`
  }
}

/** The event can never be told to Plane, and nothing was stored. `why` names each field with what would be right. */
export class Unfit extends Schema.TaggedError<Unfit>()("Unfit", { why: Schema.String }) {
  override get message(): string {
    return `The event can never be told to Plane: ${this.why}`
  }
}
