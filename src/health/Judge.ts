import { Array as Arr, DateTime, Duration, Option } from "effect"
import { counted } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { silentWords } from "../repair/Silence.js"
import { awaited } from "../sending/Destination.js"
import type { HealthFacts } from "./HealthFacts.js"

/** What the report says of the program as a whole. */
export interface Judgement {
  readonly status: "ok" | "degraded"
  /** Why it is degraded, in sentences for people. */
  readonly reasons: ReadonlyArray<string>
  /** Those of the reasons for which something that was stored may wait. */
  readonly waits: ReadonlyArray<string>
}

/** How long an event that was not stored, or a failed write with none after it, is worth an alarm. */
const recent = Duration.minutes(5)

const isRecent = (now: EpochMillis, at: EpochMillis) => now - at < Duration.toMillis(recent)

/** Projects that are closed for one reason are told together: it is Plane's, or the API token's. */
const sendingReasons = (
  { elsewhere, outbox: { pending }, projects, standby }: HealthFacts
): ReadonlyArray<string> => {
  const closed = projects.flatMap(({ destination, identifier }) => {
    if (destination.open) return []
    // The leader says it, and a standby does not look at Plane.
    const isOthers = elsewhere.includes(identifier) || standby !== undefined && destination.reason === awaited
    return isOthers ? [] : [{ ...destination, identifier }]
  })
  const waiting = counted(pending, "event waits", "events wait")
  return Object.values(Arr.groupBy(closed, ({ reason }) => reason)).flatMap((same) => {
    const [first] = same
    if (first.notLookedAt) return [first.reason]
    const since = DateTime.formatIso(Arr.min(Arr.map(same, ({ since }) => since), DateTime.Order))
    const where = same.length === projects.length ? "" : ` for ${same.map(({ identifier }) => identifier).join(", ")}`
    return [`${first.reason}. Nothing has been sent to Plane${where} since ${since}: ${waiting}, and nothing is lost`]
  })
}

/** A follower counts on the leaders that it has seen last. */
const leaderless = ({ elsewhere, replicas }: HealthFacts): ReadonlyArray<string> => {
  const led = replicas.flatMap(({ alive, leads }) => alive ? leads : [])
  const left = elsewhere.filter((identifier) => !led.includes(identifier))
  return replicas.length === 0 || left.length === 0
    ? []
    : [`No replica sends for ${left.join(", ")} just now: another one goes on when the last one's lease is over`]
}

/** Nobody is told what is a dead letter, until a person retries or discards it. */
const deadReason = ({ outbox: { dead } }: HealthFacts): string | undefined =>
  dead === 0
    ? undefined
    : counted(dead, "event is a dead letter", "events are dead letters") +
      ", which Plane was not told of: plane-sync dead list says why. Retry or discard them"

/** Somebody may not know that a task waits, until a person retries or discards it. */
const noticesReason = ({ deadNotices }: HealthFacts): string | undefined =>
  deadNotices === 0
    ? undefined
    : counted(deadNotices, "notice was given up", "notices were given up") +
      ", so somebody may not know that a task waits: plane-sync notices list says why. Retry or discard them"

/** What is refused is lost if the sender does not send it again. The sender's next good hook ends it. */
const hooksReasons = ({ heard, hooks }: HealthFacts): ReadonlyArray<string> =>
  heard.flatMap((source) => {
    const { refused, refusedSince } = hooks[source]
    if (Option.isNone(refused) || refusedSince === 0) return []
    const which = refusedSince === 1 ? "The last webhook" : `Each of the last ${refusedSince} webhooks`
    return [`${which} that was sent to /webhooks/${source} was refused: ${refused.value.why}`]
  })

/** None comes. If some come and are refused, that is said already. */
const silentReasons = ({ hooks, silent }: HealthFacts): ReadonlyArray<string> =>
  hooks.plane.refusedSince > 0 ? [] : silent.map(silentWords)

// Reads, workers and writes may all meet the same trouble with storage. It is reported once.
const storageReason = ({ now, readFailure, workerFailure, writeFailure }: HealthFacts): string | undefined =>
  (readFailure ?? workerFailure ??
    (writeFailure !== undefined && isRecent(now, writeFailure.at) ? writeFailure.error : undefined))?.message

const notStoredReason = ({ notStored: { at, count }, now }: HealthFacts): string | undefined =>
  count > 0 && isRecent(now, at)
    ? `${counted(count, "event", "events")} could not be stored: only the log has what was lost, the latest just now`
    : undefined

/** Tasks wait for it, and what its hooks did not tell is not found. */
const giteaReason = ({ gitea: [first, ...others] }: HealthFacts): string | undefined =>
  first && `${first.message}${others.length === 0 ? "" : `, and ${others.length} more like this`}`

const isReason = (reason: string | undefined) => reason !== undefined

/** Judges the facts: the program is degraded when any of them needs a person. */
export const judge = (facts: HealthFacts): Judgement => {
  const waits = [
    ...sendingReasons(facts),
    ...facts.projects.flatMap(({ misfit }) => Option.toArray(misfit)),
    ...facts.left,
    ...leaderless(facts),
    giteaReason(facts),
    facts.standby,
    storageReason(facts) ?? facts.integrity,
    notStoredReason(facts)
  ].filter(isReason)
  const reasons = [
    ...waits,
    ...[deadReason(facts), noticesReason(facts), ...hooksReasons(facts), ...silentReasons(facts)].filter(isReason)
  ]
  return { status: reasons.length === 0 ? "ok" : "degraded", reasons, waits }
}
