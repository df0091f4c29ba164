import { Data } from "effect"

/** Why a hook is not accepted, and the HTTP status that says so. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: 400 | 401 | 408 | 413 | 415 | 503
  readonly why: string
}> {}

/** There is no room in memory for the hook's body beside those in flight. It may be sent again. */
export class Overloaded extends Data.TaggedError("Overloaded") {
  readonly why = "there is no room for it beside the hooks in flight: send it again"
}
