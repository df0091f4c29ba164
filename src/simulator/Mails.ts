import * as Effect from "effect/Effect"
import type { ClockMillis } from "./Moment.js"
import { clockMillis } from "./Moment.js"
import type { Settings } from "./Options.js"
import { traitsOf } from "./Version.js"
import type { Announcement } from "./Webhooks.js"

/** A notification, which is also a mail, that Plane sends because somebody changed a work item through the API. */
export interface SentMail {
  readonly at: ClockMillis
  /** Display name of the subscriber who gets it. */
  readonly to: string
  readonly workItemId: string
  readonly field: string
}

export interface Mails {
  /** Notes what the subscribers of a changed work item get, if this version of Plane sends it. */
  readonly tell: (what: Announcement) => Effect.Effect<void>
  /** The last ones that were sent. */
  readonly sent: Effect.Effect<ReadonlyArray<SentMail>>
}

export const make = (settings: Settings): Mails => {
  const traits = traitsOf(settings.plane)
  let sent: Array<SentMail> = []
  return {
    tell: ({ actor, field, item }) =>
      Effect.map(clockMillis, (at) => {
        if (!traits.mailsPatches || item === undefined || field === null) return
        for (const user of item.subscribers) {
          if (user === actor) continue
          const mail = { at, to: user.name, workItemId: item.id, field }
          // Of an assignment Plane tells twice.
          sent.push(...(field === "assignees" ? [mail, mail] : [mail]))
        }
        if (sent.length > settings.record * 2) sent = sent.slice(-settings.record)
      }),
    sent: Effect.sync(() => sent.slice(-settings.record))
  }
}
