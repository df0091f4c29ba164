import { Effect } from "effect"
import type { Scope } from "effect"
import { cleanLine, textLimit } from "../base/Text.js"
import { EpochMillis } from "../base/Time.js"
import { epochOf } from "../domain/PlaneMoment.js"
import type { Commanding } from "../people/Commanding.js"
import { commandIn } from "../people/Commands.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import type { StorageError } from "../storage/StorageError.js"
import type { OwnUser } from "./FromPlane.js"
import { makeCommanders } from "./FromPlane.js"
import { readByUs } from "./HookNews.js"
import type { HookOutcome, StoredHook } from "./Inbox.js"
import type { CommentSeen } from "./PlaneHook.js"

interface Parts {
  /** Whether hooks of Plane are only taken with a signature. */
  readonly areSigned: boolean
  readonly commanding: Commanding
  readonly ownUser: Effect.Effect<OwnUser | undefined>
  /** Nothing is done with the comment. */
  readonly skip: (why: string) => Effect.Effect<HookOutcome>
  /** It waits until Plane has told something. */
  readonly untilTold: (what: string) => Effect.Effect<HookOutcome>
}

/** What is said of a comment that commands nothing. */
export const movesNothing = "a comment moves nothing"

/**
 * Makes what works on new comments in a project, which may be commands. Who may command is asked for at once, if the
 * settings name people by their e-mail addresses.
 */
export const makeCommentHooks = (
  project: PlaneProject,
  { areSigned, commanding, ownUser, skip, untilTold }: Parts
): Effect.Effect<
  (hook: StoredHook, seen: CommentSeen) => Effect.Effect<HookOutcome, StorageError>,
  never,
  Scope.Scope
> =>
  Effect.gen(function*() {
    const { project: { commands, identifier } } = project
    if (commands.length === 0) return () => skip(movesNothing)
    const commanders = yield* makeCommanders(project)
    if (areSigned) yield* Effect.all([commanders, ownUser])

    /** Why the person may not command; none if they may. */
    const forbiddenTo = ({ by }: CommentSeen, own: OwnUser, ids: ReadonlySet<string>) =>
      own === "untold"
        ? "this Plane does not tell whose plane-sync's API token is, so nobody can be told from it"
        : ids.has(by)
        ? undefined
        : `who may command tasks of ${identifier} is a setting (ORCH_COMMANDS), and it does not name them`

    return ({ event, isSigned, receivedAt }, seen) =>
      Effect.gen(function*() {
        const command = commandIn(seen.html)
        if (command === undefined) return yield* skip(movesNothing)
        // What repair has read brings a reply, and no more.
        if (!areSigned || !(isSigned || event === readByUs)) {
          return yield* skip("a command is only taken from a signed webhook")
        }
        const own = yield* ownUser
        if (own === undefined) return yield* untilTold("whose the API token is")
        if (command.to !== undefined && command.to !== own) return yield* skip(movesNothing)
        if (seen.by === own) return yield* skip("a command is not taken from the user of plane-sync's own API token")
        const known = yield* commanders
        if (known === undefined) return yield* untilTold("who is in the project")
        const { _tag, words } = yield* commanding({
          commentId: seen.commentId,
          itemId: seen.itemId,
          project: identifier,
          at: EpochMillis(Math.min(epochOf(seen.createdAt), receivedAt)),
          by: cleanLine(seen.who ?? "a person", textLimit),
          command,
          isSigned,
          forbidden: forbiddenTo(seen, own, known)
        })
        return _tag === "Nothing"
          ? yield* skip(words)
          : { _tag: "Done", about: [{ _tag: "Item", itemId: seen.itemId }], meaning: words }
      })
  })
