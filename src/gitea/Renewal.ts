import { Effect } from "effect"
import { epochMillis } from "../base/Time.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { PullRequest, PullRequestAnswer } from "./Facts.js"
import type { GiteaClient } from "./GiteaClient.js"
import type { GiteaError } from "./GiteaError.js"
import { rememberAnswer } from "./PullRequestRows.js"
import { rememberRepositories } from "./RepositoryRows.js"

const differs = (held: PullRequest, answer: PullRequestAnswer) =>
  held.base !== answer.base || held.defaultBranch !== answer.defaultBranch || held.draft !== answer.draft ||
  held.author !== answer.author || held.headSha !== answer.headSha || held.merged !== answer.merged ||
  held.mergedAt !== answer.mergedAt || held.open !== answer.open

/** Whether nothing that Gitea could say of it would be news: it is merged for good, and all of that is known. */
const isSettled = ({ base, merged, mergedAt }: PullRequest) => merged && base !== null && mergedAt !== null

/** A pull request that was deleted is closed, whatever is known of it besides. */
const deleted = (held: PullRequest): PullRequestAnswer => ({ ...held, open: false })

/**
 * Asks Gitea for a pull request as it is now, and remembers the answer. A merged one stays merged; a closed one may be
 * reopened. A repository that does not answer by its name is looked up by its id, because it may have been renamed.
 */
export const makeRenewal = (
  client: GiteaClient,
  { sql, write }: Storage["Type"]
): (held: PullRequest) => Effect.Effect<PullRequest, GiteaError | StorageError> => {
  const isNotFound = ({ reason }: GiteaError) => reason === "NotFound"

  /** The pull request under its repository's present name; or else it was deleted, because its repository is there. */
  const relocated = (held: PullRequest) =>
    Effect.gen(function*() {
      const { name } = yield* client.repository(held.repository)
      if (name === held.name) return { name, answer: deleted(held) }
      yield* write(rememberRepositories(sql, [{ id: held.repository, name }]))
      const answer = yield* Effect.catchIf(
        client.pullRequest({ ...held, name }),
        isNotFound,
        () => Effect.succeed(deleted(held))
      )
      return { name, answer }
    })

  return (held) =>
    Effect.gen(function*() {
      if (isSettled(held)) return held
      const { answer, name } = yield* client.pullRequest(held).pipe(
        Effect.map((answer) => ({ name: held.name, answer })),
        Effect.catchIf(isNotFound, () => relocated(held))
      )
      const now = yield* epochMillis
      // It was open when it was last heard of, so it was merged since.
      const sinceThen = answer.merged && !held.merged ? now : null
      const present: PullRequest = {
        ...held,
        ...answer,
        name,
        // What was merged stays so, though it be deleted.
        merged: held.merged || answer.merged,
        mergedAt: held.mergedAt ?? answer.mergedAt ?? sinceThen
      }
      if (differs(held, present)) yield* write(rememberAnswer(sql, held, present, now))
      return present
    })
}
