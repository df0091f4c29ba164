import { Schema } from "effect"
import { optional, wholeNumber } from "./Parameters.js"

/** The most items that an answer lists. */
export const limit = Schema.optionalWith(wholeNumber(1, 200), { exact: true, default: () => 50 })

/** Where a page begins: `nextCursor` of the page before it. */
export const cursor = optional(wholeNumber(1, Number.MAX_SAFE_INTEGER))

/** Where the next page begins. */
export const nextCursor = Schema.NullOr(Schema.Number).annotations({
  description: "`cursor` of the next page; null: this was the last one"
})

/**
 * The rows of a page, out of one row more than it shows: the last one that it shows is `next` if there is another page.
 */
export const pageOf = <A>(rows: ReadonlyArray<A>, limit: number) => {
  const page = rows.slice(0, limit)
  return { page, next: rows.length > limit ? page.at(-1) : undefined }
}
