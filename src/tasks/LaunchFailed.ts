import type { Duration } from "effect"
import { Data } from "effect"

/**
 * An agent was not started or stopped. The message says why, and holds no secret. It is not tried again before
 * `retryAfter`.
 */
export class LaunchFailed extends Data.TaggedError("LaunchFailed")<{
  readonly message: string
  readonly retryAfter?: Duration.Duration | undefined
}> {}
