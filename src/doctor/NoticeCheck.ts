import { Effect, Option } from "effect"
import { attentionSetting } from "../domain/ProjectSettings.js"
import { noticeConfig, noticeSettings } from "../people/NoticeConfig.js"
import { isAtLeast, mailsSince } from "../plane/Instance.js"
import type { Outcome } from "./Finding.js"
import { found, Passed, Skipped } from "./Finding.js"

const { name } = noticeSettings.url.definition
const { name: attention } = attentionSetting.definition

/** Whom a task that waits reaches without a notice, by Plane's own mails. Of an API token's comments it mails nobody. */
const reachedBy = (version: string | undefined, isAnybodyAsked: boolean): string => {
  if (version === undefined) {
    return "Plane before 1.4 mails nobody, so with such a Plane nobody is reached when a task waits"
  }
  if (!isAtLeast(version, mailsSince)) return `Plane ${version} mails nobody, so nobody is reached when a task waits`
  return isAnybodyAsked
    ? `Plane ${version} mails who is assigned when a task waits, and nobody else is reached`
    : `Plane ${version} mails who is assigned when a task waits, but ${attention} names nobody, so nobody is reached`
}

/**
 * Whether anybody is reached outside of Plane when a task waits for somebody. No notice is sent now. `version`: that of
 * Plane, if it has told it. `isAnybodyAsked`: a project names people whom to ask.
 */
export const checkNotices = (
  { isAnybodyAsked, version }: { readonly version: string | undefined; readonly isAnybodyAsked: boolean }
): Effect.Effect<Outcome<never>> =>
  Effect.match(noticeConfig, {
    onFailure: () => found(Skipped({ why: "a setting that it needs is wrong" })),
    onSuccess: Option.match({
      onNone: () => found(Skipped({ why: `${name} is not set: ${reachedBy(version, isAnybodyAsked)}` })),
      onSome: ({ format, host }) =>
        found(Passed({ seen: `${host} is told by ${format} when a task waits for somebody; it is not asked now` }))
    })
  })
