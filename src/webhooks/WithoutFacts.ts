import { Effect, Option } from "effect"
import { Stirs } from "../gitea/Stirs.js"
import type { WithoutFacts } from "./GiteaHook.js"
import { readWithoutFacts, repositoryIn } from "./GiteaHook.js"
import type { StoredHook } from "./Inbox.js"
import { forgeOfSigner } from "./Secrets.js"
import { SkippedHooks } from "./SkippedHooks.js"
import { makeUnreadable } from "./UnreadableHook.js"

const reasonOf = (seen: WithoutFacts) =>
  seen._tag === "Nothing" ? seen.reason : `the event ${JSON.stringify(seen.kind)} moves nothing by itself`

/**
 * What is done with the hooks of Gitea that tell no fact, or none that can be read: they are counted, and if they name
 * a repository they are a reason to ask Gitea about it.
 */
export const makeWithoutFacts = Effect.gen(function*() {
  const { note } = yield* SkippedHooks
  const { stir } = yield* Stirs
  const unreadable = yield* makeUnreadable

  /** Returns why nothing else is done with it. */
  const skip = (seen: WithoutFacts): Effect.Effect<string> => {
    const why = reasonOf(seen)
    return note({ source: "gitea", kind: seen.kind, why }).pipe(
      Effect.zipRight(seen._tag === "Stir" ? stir(seen.repository) : Effect.void),
      Effect.as(why)
    )
  }

  return {
    skip,
    /** One of a type that never carries facts. */
    skipType: (event: string, body: string, signer: string): Effect.Effect<string> =>
      skip(readWithoutFacts(event, body, forgeOfSigner(signer))),
    unreadable: (hook: Pick<StoredHook, "body" | "event" | "signer" | "source">, why: string): Effect.Effect<void> =>
      Effect.zipRight(
        unreadable(hook, why),
        Option.match(repositoryIn(hook.body, forgeOfSigner(hook.signer)), { onNone: () => Effect.void, onSome: stir })
      )
  }
})
