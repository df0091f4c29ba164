import { Schema } from "effect"

/**
 * Gitea could not be asked, or did not answer what was asked.
 *
 * - `KeyRefused`: the token is wrong, or lacks a right
 * - `NotFound`: the token may not see the repository, or it is gone
 * - `Unreachable`: no whole answer came
 * - `Unanswered`: this request got no answer that can be used; others may
 *
 * The last two may be over at the next try.
 */
export class GiteaError extends Schema.TaggedError<GiteaError>()("GiteaError", {
  reason: Schema.Literal("KeyRefused", "NotFound", "Unreachable", "Unanswered"),
  path: Schema.String,
  words: Schema.String,
  /** The variable that holds the token. */
  token: Schema.String,
  /** The cause in plain words, with what a person can do about it, where it is known. */
  headline: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const { headline, path, reason, token, words } = this
    // Silence is not the path's own, and may have been met by another task.
    return reason === "Unreachable"
      ? `${headline ?? "Gitea does not answer"} (${words})`
      : `Gitea ${path}: ${headline ?? advice[reason](token)} (${words})`
  }
}

const advice: Record<Exclude<GiteaError["reason"], "Unreachable">, (token: string) => string> = {
  KeyRefused: (token) => `it refuses ${token}, which needs to read repositories`,
  NotFound: (token) => `it has no such thing, or the user of ${token} may not see it`,
  Unanswered: () => "it does not answer this"
}
