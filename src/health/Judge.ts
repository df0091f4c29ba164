import { DateTime, Duration } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { HealthFacts } from "./HealthFacts.js"

/** What the report says of the program as a whole. */
export interface Judgement {
  readonly status: "ok" | "degraded"
  /** Why it is degraded, in sentences for people. */
  readonly reasons: ReadonlyArray<string>
}

/** How long Plane may be away before anybody is alarmed. */
const closedTooLong = Duration.seconds(60)

/** How long an event that was not stored, or a failed write with none after it, is worth an alarm. */
const recent = Duration.minutes(5)

const isRecent = (now: EpochMillis, at: EpochMillis) => now - at < Duration.toMillis(recent)

const sendingReason = ({ destination, hasToken, now }: HealthFacts): string | undefined => {
  if (!hasToken) return "ORCH_PLANE_API_TOKEN is not set: events are kept, and nothing is sent to Plane"
  return destination.open || now - destination.since <= Duration.toMillis(closedTooLong)
    ? undefined
    : `Nothing has been sent to Plane since ${
      DateTime.formatIso(DateTime.unsafeMake(destination.since))
    }: ${destination.reason}`
}

// Reads, workers and writes may all meet the same trouble with storage. It is reported once.
const storageReason = ({ now, readFailure, workerFailure, writeFailure }: HealthFacts): string | undefined =>
  (readFailure ?? workerFailure ??
    (writeFailure !== undefined && isRecent(now, writeFailure.at) ? writeFailure.error : undefined))?.message

const notStoredReason = ({ notStored: { at, count }, now }: HealthFacts): string | undefined =>
  count > 0 && isRecent(now, at)
    ? `${count} events could not be stored and are in the log only, the latest of them just now`
    : undefined

/** Tasks wait for it, and what its hooks did not tell is not found. */
const giteaReason = ({ gitea: [first, ...others] }: HealthFacts): string | undefined =>
  first && `${first.message}${others.length === 0 ? "" : `, and ${others.length} more like this`}`

/** Judges the facts: the program is degraded when any of them needs a person. */
export const judge = (facts: HealthFacts): Judgement => {
  const reasons = [
    sendingReason(facts),
    facts.misfit,
    giteaReason(facts),
    facts.standby,
    storageReason(facts) ?? facts.integrity,
    notStoredReason(facts)
  ].filter((reason) => reason !== undefined)
  return { status: reasons.length === 0 ? "ok" : "degraded", reasons }
}
