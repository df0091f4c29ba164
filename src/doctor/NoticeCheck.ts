import { Effect, Option } from "effect"
import { noticeConfig, noticeSettings } from "../people/NoticeConfig.js"
import type { Outcome } from "./Finding.js"
import { found, Passed, Skipped } from "./Finding.js"

const { name } = noticeSettings.url.definition

/** Whether anybody is reached outside of Plane when a task waits for somebody. No notice is sent now. */
export const checkNotices: Effect.Effect<Outcome<never>> = Effect.match(noticeConfig, {
  onFailure: () => found(Skipped({ why: "a setting that it needs is wrong" })),
  onSuccess: Option.match({
    onNone: () =>
      found(Skipped({
        why:
          `${name} is not set: Plane mails nobody for a comment by an API token, so nobody is reached when a task waits`
      })),
    onSome: ({ format, host }) =>
      found(Passed({ seen: `${host} is told by ${format} when a task waits for somebody; it is not asked now` }))
  })
})
