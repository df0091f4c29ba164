import * as Either from "effect/Either"
import type { Answer, JsonObject } from "./Http.js"
import { detail, json, somethingWrong } from "./Http.js"
import { pick } from "./Views.js"

/** Plane's offset paginator. Its cursors are `size:page:is_previous`, and the envelope always names a next one. */

const integer = (text: string): number | undefined => /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined

const names = (value: string | null): ReadonlySet<string> =>
  new Set((value ?? "").split(",").filter((name) => name !== ""))

/** The names of `?fields=`. */
export const fieldsOf = (params: URLSearchParams): ReadonlySet<string> => names(params.get("fields"))

/** The names of `?expand=`. */
export const expandOf = (params: URLSearchParams): ReadonlySet<string> => names(params.get("expand"))

interface Page {
  readonly size: number
  readonly page: number
}

const pageOf = (params: URLSearchParams): Either.Either<Page, Answer> => {
  const size = integer(params.get("per_page") ?? "1000")
  if (size === undefined) return Either.left(detail(400, "Invalid per_page parameter."))
  if (size > 1000) return Either.left(detail(400, "Invalid per_page value. Cannot exceed 1000."))
  const cursor = (params.get("cursor") ?? "0:0:0").split(":").map(integer)
  const [value, offset, previous] = cursor
  if (cursor.length !== 3 || value === undefined || offset === undefined || previous === undefined) {
    return Either.left(detail(400, "Invalid cursor parameter."))
  }
  // Plane divides by the size, and slices with a negative one.
  if (size <= 0) return Either.left(somethingWrong)
  if (offset < 0) return Either.left(detail(400, "Error in parsing"))
  return Either.right({ size, page: offset })
}

/** One page of `rows` in Plane's envelope, or the answer to a bad cursor or size. */
export const paginate = <A>(
  rows: ReadonlyArray<A>,
  params: URLSearchParams,
  view: (row: A) => JsonObject
): Answer => {
  const wanted = pageOf(params)
  if (Either.isLeft(wanted)) return wanted.left
  const { page, size } = wanted.right
  // Pages are counted in `per_page`, whatever size the cursor names, so the two must be sent together.
  const start = page * size
  const results = rows.slice(start, start + size)
  const more = rows.length > start + size
  const fields = fieldsOf(params)
  return json(200, {
    grouped_by: null,
    sub_grouped_by: null,
    total_count: rows.length,
    next_cursor: `${size}:${page + 1}:0`,
    prev_cursor: `${size}:${page - 1}:1`,
    next_page_results: more,
    prev_page_results: page > 0,
    count: results.length,
    total_pages: Math.ceil(rows.length / size),
    total_results: rows.length,
    extra_stats: null,
    results: results.map((row) => pick(view(row), fields))
  })
}
