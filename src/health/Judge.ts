import { Array as Arr, DateTime, Duration, Option } from "effect"
import { counted } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import type { Silent } from "../repair/Silence.js"
import { silentWords } from "../repair/Silence.js"
import type { DestinationStatus } from "../sending/Destination.js"
import { awaited } from "../sending/Destination.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Source } from "../webhooks/WebhookConfig.js"
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

/** Projects that are closed for one reason: it is Plane's, or the API token's. */
export interface ClosedProjects {
  readonly identifiers: Arr.NonEmptyReadonlyArray<string>
  readonly destination: Extract<DestinationStatus, { readonly open: false }>
  /** Since when the first of them is closed. */
  readonly since: DateTime.Utc
  /** No other project is set. */
  readonly areAll: boolean
}

/** The projects that this process would send to, and cannot. */
export const closedProjects = ({ elsewhere, projects, standby }: HealthFacts): ReadonlyArray<ClosedProjects> => {
  const closed = projects.flatMap(({ destination, identifier }) => {
    if (destination.open) return []
    // The leader says it, and a standby does not look at Plane.
    const isOthers = elsewhere.includes(identifier) || standby !== undefined && destination.reason === awaited
    return isOthers ? [] : [{ destination, identifier }]
  })
  return Object.values(Arr.groupBy(closed, ({ destination: { reason } }) => reason)).map((same) => ({
    identifiers: Arr.map(same, ({ identifier }) => identifier),
    destination: same[0].destination,
    since: Arr.min(Arr.map(same, ({ destination: { since } }) => since), DateTime.Order),
    areAll: same.length === projects.length
  }))
}

const sendingReasons = (facts: HealthFacts): ReadonlyArray<string> => {
  const waiting = counted(facts.outbox.pending, "event waits", "events wait")
  return closedProjects(facts).map(({ areAll, destination: { notLookedAt, reason }, identifiers, since }) => {
    if (notLookedAt) return reason
    const where = areAll ? "" : ` for ${identifiers.join(", ")}`
    return `${reason}. Nothing has been sent to Plane${where} since ${DateTime.formatIso(since)}: ${waiting}, and ` +
      "nothing is lost"
  })
}

/** The projects that no replica sends for. A follower counts on the leaders that it has seen last. */
export const leaderless = ({ elsewhere, replicas }: HealthFacts): ReadonlyArray<string> => {
  const led = replicas.flatMap(({ alive, leads }) => alive ? leads : [])
  return replicas.length === 0 ? [] : elsewhere.filter((identifier) => !led.includes(identifier))
}

const leaderlessReason = (facts: HealthFacts): string | undefined => {
  const left = leaderless(facts)
  return left.length === 0
    ? undefined
    : `No replica sends for ${left.join(", ")} just now: another one goes on when the last one's lease is over`
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

/** A sender whose last webhooks were all refused. */
export interface RefusedHooks {
  readonly source: Source
  readonly count: number
  readonly at: DateTime.Utc
  readonly why: string
}

/** What is refused is lost if the sender does not send it again. The sender's next good hook ends it. */
export const refusedHooks = ({ heard, hooks }: HealthFacts): ReadonlyArray<RefusedHooks> =>
  heard.flatMap((source) => {
    const { refused, refusedSince } = hooks[source]
    return Option.isNone(refused) || refusedSince === 0 ? [] : [{ source, count: refusedSince, ...refused.value }]
  })

const hooksReasons = (facts: HealthFacts): ReadonlyArray<string> =>
  refusedHooks(facts).map(({ count, source, why }) => {
    const which = count === 1 ? "The last webhook" : `Each of the last ${count} webhooks`
    return `${which} that was sent to /webhooks/${source} was refused: ${why}`
  })

/** The workspaces from which no webhook comes. If some come and are refused, that is said already. */
export const silentWorkspaces = ({ hooks, silent }: HealthFacts): ReadonlyArray<Silent> =>
  hooks.plane.refusedSince > 0 ? [] : silent

/** Reads, workers and writes may all meet the same trouble with storage. It is told once. */
export const storageTrouble = (
  { now, readFailure, workerFailure, writeFailure }: HealthFacts
): StorageError | undefined =>
  readFailure ?? workerFailure ??
    (writeFailure !== undefined && isRecent(now, writeFailure.at) ? writeFailure.error : undefined)

/** How many events were lost, as long as the last of them was just now; else 0. */
export const lostEvents = ({ notStored: { at, count }, now }: HealthFacts): number => isRecent(now, at) ? count : 0

const notStoredReason = (facts: HealthFacts): string | undefined => {
  const count = lostEvents(facts)
  return count === 0
    ? undefined
    : `${counted(count, "event", "events")} could not be stored: only the log has what was lost, the latest just now`
}

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
    leaderlessReason(facts),
    giteaReason(facts),
    facts.standby,
    storageTrouble(facts)?.message ?? facts.integrity,
    notStoredReason(facts)
  ].filter(isReason)
  const reasons = [
    ...waits,
    ...[deadReason(facts), noticesReason(facts), ...hooksReasons(facts), ...silentWorkspaces(facts).map(silentWords)]
      .filter(isReason)
  ]
  return { status: reasons.length === 0 ? "ok" : "degraded", reasons, waits }
}
