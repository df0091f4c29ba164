import { Data } from "effect"

/** An agent was not started or stopped. The message says why, and holds no secret. */
export class LaunchFailed extends Data.TaggedError("LaunchFailed")<{ readonly message: string }> {}
