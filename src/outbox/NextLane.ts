import { earlier } from "../base/Time.js"
import type { EpochMillis } from "../base/Time.js"
import type { Fragment, Sql } from "../storage/Sql.js"
import { laneOfFirstWord } from "./FirstWords.js"
import type { ClaimPolicy } from "./Plan.js"
import { leastUrgent, urgencies } from "./Urgency.js"

/** The most urgent lane that is due, among equals the one that has waited longest; or the one that is wanted. */
export const nextLane = (sql: Sql, { firstWord, projects, urgentAfter }: ClaimPolicy, now: EpochMillis): Fragment => {
  if (firstWord !== undefined) return laneOfFirstWord(sql, projects, firstWord, now)
  const tooLong = earlier(now, urgentAfter)
  const longest = (project: string) => (urgency: number) =>
    sql`SELECT * FROM (SELECT id, due_at, ${
      urgency === leastUrgent ? sql`urgency` : sql`CASE WHEN due_at <= ${tooLong} THEN 0 ELSE urgency END`
    } AS rank FROM plane_sync_lane WHERE project = ${project} AND urgency = ${urgency} AND due_at <= ${now}
        AND holder IS NULL ORDER BY due_at LIMIT 1 ${sql.skipLocked}) one`
  const oldest = projects.flatMap((project) => urgencies.map(longest(project)))
  return sql`SELECT id FROM (${sql.join(" UNION ALL ", oldest)}) oldest ORDER BY rank, due_at, id LIMIT 1`
}
