import { Data, Schema } from "effect"
import type { StorageError } from "../storage/StorageError.js"

/** What became of a published event. */
export type Receipt = Data.TaggedEnum<{
  /** It is on disk, now or (`duplicate`) since it was first published with this id. */
  Committed: { readonly id: string; readonly duplicate: boolean }
  /** It could not be stored. The log has it as the JSON that `POST /api/events` takes. */
  NotStored: { readonly id: string; readonly error: StorageError }
}>

export const Receipt = Data.taggedEnum<Receipt>()

/** An event with this id was published before, with other content. The first one stands. */
export class IdTaken extends Schema.TaggedError<IdTaken>()("IdTaken", { id: Schema.String }) {
  override get message(): string {
    return `An event with the id ${JSON.stringify(this.id)} was published before with other content: the first stands`
  }
}
