import { Schema } from "effect"

/**
 * A text of Gitea's that is stored as it is. Postgres can hold neither U+0000 nor half of a surrogate pair. No name has
 * them, so they become U+FFFD, and what is stored stays equal to what is asked for later.
 */
export const OutsideText = Schema.transform(Schema.String, Schema.String, {
  strict: true,
  decode: (text) => text.toWellFormed().replaceAll("\u0000", "\uFFFD"),
  encode: (text) => text
})
