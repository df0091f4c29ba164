/** A request and an answer as the core sees them, with no socket behind them. */

export interface Request {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** How many bytes were received. If they are more than Plane takes, `body` is cut. */
  readonly size: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type JsonObject = { readonly [key: string]: unknown }

/** Plane answers 413 to a body of more bytes than this: Django's limit. */
export const maxBodyBytes = 5 * 1024 * 1024

export const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body)
})

/** These two answers come from middleware in front of the views, which formats its JSON in Python's way. */
export const pageNotFound: Answer = {
  status: 404,
  headers: { "Content-Type": "application/json" },
  body: `{"error": "Page not found."}`
}

export const tooLarge: Answer = {
  status: 413,
  headers: { "Content-Type": "application/json" },
  body:
    `{"error": "REQUEST_BODY_TOO_LARGE", "detail": "The size of the request body exceeds the maximum allowed size."}`
}

export const detail = (status: number, text: string): Answer => json(status, { detail: text })

export const missing: Answer = json(404, { error: "The requested resource does not exist." })

export const invalidPayload: Answer = json(400, { error: "The payload is not valid" })

export const invalidDetail: Answer = json(400, { error: "Please provide valid detail" })

export const somethingWrong: Answer = json(500, { error: "Something went wrong please try again later" })

export const forbidden: Answer = detail(403, "You do not have permission to perform this action.")

export const badKey: Answer = detail(403, "Given API token is not valid")

export const noKey: Answer = detail(401, "Authentication credentials were not provided.")

export const conflict = (what: string, id: string): Answer =>
  json(409, { error: `${what} with the same external id and external source already exists`, id })

export const noContent: Answer = { status: 204, headers: {}, body: "" }

/** `retryAfter` is undefined for an answer without `Retry-After`, because Plane may leave it out. */
export const rateLimited = (retryAfter: string | undefined): Answer => {
  const { headers, ...rest } = json(429, { error_code: 5900, error_message: "RATE_LIMIT_EXCEEDED" })
  return { ...rest, headers: retryAfter === undefined ? headers : { ...headers, "Retry-After": retryAfter } }
}
