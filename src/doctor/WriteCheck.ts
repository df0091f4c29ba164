import { DateTime, Effect, Option } from "effect"
import { uuidV7 } from "../base/UuidV7.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Outcome } from "./Finding.js"
import { found, Passed, Warned } from "./Finding.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { refusedBy } from "./PlaneAccess.js"

/** Adds a comment to a work item, and deletes it again: this alone shows that writing is permitted. */
export const checkWriting = ({ ask, client }: PlaneAccess, key: WorkItemKey): Effect.Effect<Outcome<never>> =>
  Effect.gen(function*() {
    const item = yield* ask(3, client.find(key))
    const externalId = `doctor:${yield* uuidV7}`
    const createdAt = yield* DateTime.now
    const { id } = yield* ask(
      2,
      client.addComment(item.id, { html: "<p>plane-sync doctor was here</p>", externalId, createdAt })
    )
    const left = Warned({
      seen: `a comment was added to ${key.written}, and could not be deleted again`,
      mend: "delete \"plane-sync doctor was here\" there by hand"
    })
    if (Option.isNone(id)) return found(left)
    return yield* Effect.match(ask(1, client.deleteComment(item.id, id.value)), {
      onFailure: () => found(left),
      onSuccess: () => found(Passed({ seen: `a comment was added to ${key.written}, and deleted again` }))
    })
  }).pipe(Effect.catchAll((error) => Effect.succeed(found(refusedBy(error)))))
