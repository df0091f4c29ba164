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
  /** The cause in plain words, with what a person can do about it, where it is known. */
  headline: Schema.optional(Schema.String)
}) {
  override get message(): string {
    // Silence is not the path's own, and may have been met by another task.
    return this.reason === "Unreachable"
      ? `${this.headline ?? "Gitea does not answer"} (${this.words})`
      : `Gitea ${this.path}: ${this.headline ?? advice[this.reason]} (${this.words})`
  }
}

const advice: Record<Exclude<GiteaError["reason"], "Unreachable">, string> = {
  KeyRefused: "it refuses ORCH_GITEA_TOKEN, which needs to read repositories",
  NotFound: "it has no such thing, or the user of ORCH_GITEA_TOKEN may not see it",
  Unanswered: "it does not answer this"
}
