import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Data, Schema } from "effect"
import { Issue } from "../base/Issue.js"
import type { StorageError } from "../storage/StorageError.js"

/** The body of every answer that is not a success. */
export const Problem = Schema.Struct({
  error: Schema.String.annotations({ description: "what went wrong, for people" }),
  issues: Schema.optionalWith(Schema.Array(Issue), { exact: true })
}).annotations({ identifier: "Problem" })
export type Problem = typeof Problem.Type

export class BadRequest extends Data.TaggedError("BadRequest")<Problem> {}
export class Unauthorized extends Data.TaggedError("Unauthorized")<Problem> {}
export class Forbidden extends Data.TaggedError("Forbidden")<Problem> {}
export class NotFound extends Data.TaggedError("NotFound")<Problem> {}
export class Conflict extends Data.TaggedError("Conflict")<Problem> {}
export class TooLarge extends Data.TaggedError("TooLarge")<Problem> {}
export class NotJson extends Data.TaggedError("NotJson")<Problem> {}
export class Unavailable extends Data.TaggedError("Unavailable")<Problem> {}

const answer = <A extends Problem>(
  status: number,
  type: Schema.Schema<A>,
  make: (problem: Problem) => A,
  description: string
) =>
  Schema.transform(Problem, type, {
    strict: true,
    decode: make,
    // The error itself carries more than a client should see.
    encode: (problem: Problem): Problem =>
      problem.issues === undefined ? { error: problem.error } : { error: problem.error, issues: problem.issues }
  }).annotations(HttpApiSchema.annotations({ status, description }))

// The errors as endpoints declare them: each with its status and its description.

export const badRequest = answer(
  400,
  Schema.instanceOf(BadRequest),
  (problem) => new BadRequest(problem),
  "Something in the request is wrong: `issues` names each field"
)
export const unauthorized = answer(
  401,
  Schema.instanceOf(Unauthorized),
  (problem) => new Unauthorized(problem),
  "The bearer token is missing, or is none that was set"
)
export const forbidden = answer(
  403,
  Schema.instanceOf(Forbidden),
  (problem) => new Forbidden(problem),
  "ORCH_OPERATOR_TOKEN is set, and the bearer token is that of ORCH_API_TOKEN"
)
export const notFound = answer(
  404,
  Schema.instanceOf(NotFound),
  (problem) => new NotFound(problem),
  "There is no such thing"
)
export const conflict = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "An event with this id was published before with other content: the first stands"
)
export const neverTold = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "An event that can never be told cannot be retried"
)
export const noticeOver = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "A notice that calls for what nobody is needed for any more cannot be retried"
)
export const notActive = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "The task is paused, stopped or done"
)
export const notOverruled = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "An override of a stage that the task is not at, or of a task that is paused, stopped or done"
)
export const notAsked = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "The task is stopped or done, or has asked 20 questions at this stage"
)
export const nothingAsked = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "No question of the task is open, also because it was answered already"
)
export const notPaused = answer(
  409,
  Schema.instanceOf(Conflict),
  (problem) => new Conflict(problem),
  "The task is stopped or done"
)
export const tooLarge = answer(
  413,
  Schema.instanceOf(TooLarge),
  (problem) => new TooLarge(problem),
  "The body is larger than 1 MiB"
)
export const notJson = answer(
  415,
  Schema.instanceOf(NotJson),
  (problem) => new NotJson(problem),
  "The body is not application/json"
)
export const unavailable = answer(
  503,
  Schema.instanceOf(Unavailable),
  (problem) => new Unavailable(problem),
  "Storage failed or took too long, or too many bodies are in flight: try again. " +
    "Give an event an `id`, so that it cannot count twice"
)

/** What a client is told when storage fails. */
export const storageFailed = ({ message }: StorageError): Unavailable => new Unavailable({ error: message })
