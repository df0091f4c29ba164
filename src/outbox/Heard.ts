import { Duration } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { epochOf, momentOf } from "../domain/PlaneMoment.js"
import type { Sql } from "../storage/Sql.js"

/** When Plane last changed a work item, by its clock, and how far that was ahead of ours when we heard of it. */
export interface Heard {
  readonly at: PlaneMoment
  /** In milliseconds; negative if it came later than it is dated. */
  readonly ahead: number
}

/** How far a moment of Plane is ahead of ours, in milliseconds. */
export const aheadOf = (at: PlaneMoment, now: EpochMillis): number => epochOf(at) - now

/** Clocks of two computers may differ by so much. It is no reason to doubt the order of their moments. */
export const tolerated = Duration.seconds(30)

/** Plane tries a delivery that nobody took again five times, each time after up to 10 minutes. */
const latest = Duration.toMillis("55 minutes")

/** What a sender whose clock is right dates so near to our clock has just been sent. */
const prompt = Duration.toMillis("10 seconds")

/**
 * Whether what was heard now is not newer than what was heard before. Plane's moments tell the order, as long as its
 * clock is not far ahead of ours. A moment that was far ahead is taken as the moment when we heard of it: so when that
 * clock is corrected, what it says from then on is newer although it is dated earlier. But what is late by its clock,
 * while that clock is still ahead, is older, as always.
 */
export const isOlder = (news: Heard, known: Heard): boolean => {
  if (news.at > known.at) return false
  if (known.ahead <= Duration.toMillis(tolerated)) return true
  // If the clock is still ahead as it was, the news is late by this.
  const late = known.ahead - news.ahead
  if (late <= latest && Math.abs(news.ahead) > prompt) return true
  const heardOn = epochOf(known.at) - known.ahead
  const isOn = epochOf(news.at) - Math.max(0, news.ahead)
  return isOn < heardOn
}

/**
 * A condition: what a lane knows of its work item is newer than a moment of Plane. What is dated in the future says
 * nothing of that, because the sender's clock was ahead.
 */
export const knowsNewer = (sql: Sql, updatedAt: PlaneMoment | null, now: EpochMillis) =>
  sql`coalesce(updated_at > ${updatedAt ?? ""} AND updated_at <= ${momentOf(later(now, tolerated))}, false)`
