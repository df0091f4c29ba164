import type { Fragment, Sql } from "../storage/Sql.js"
import { leastUrgent } from "./Urgency.js"

/** What the columns are going to be that tell when a lane has something to do although it owes nothing. */
interface IdleColumns {
  readonly checkAt?: Fragment | undefined
  readonly linksAt?: Fragment | undefined
  readonly assignAt?: Fragment | undefined
}

/** The earlier of two moments, or the one that there is. */
export const earlierOf = (sql: Sql, one: Fragment, other: Fragment): Fragment =>
  sql`CASE WHEN ${one} <= coalesce(${other}, ${one}) THEN ${one} ELSE ${other} END`

/** Links are made, and people assigned, only where the work item is known: until then they wait. */
const patient = (sql: Sql, { assignAt = sql`assign_at`, linksAt = sql`links_at` }: IdleColumns) =>
  sql`CASE WHEN work_item IS NOT NULL THEN ${earlierOf(sql, linksAt, assignAt)} END`

const checks = (sql: Sql, { checkAt = sql`check_at` }: IdleColumns) => earlierOf(sql, sql`twins_at`, checkAt)

/**
 * When a lane is due that owes nothing: when something is to be checked, a link is to be made or to go, or somebody is
 * to be assigned or not any more.
 */
export const idleDue = (sql: Sql, columns: IdleColumns = {}): Fragment =>
  earlierOf(sql, checks(sql, columns), patient(sql, columns))

/** Whether it is due then for its links or its assignees alone, which go before nothing else. */
export const patientFirst = (sql: Sql, columns: IdleColumns = {}): Fragment => {
  const first = patient(sql, columns)
  return sql`coalesce(${first} < ${checks(sql, columns)}, ${first} IS NOT NULL)`
}

/** The assignments that make lanes due that owe nothing, once one of these columns is what is given. */
export const idleAgain = (sql: Sql, columns: IdleColumns): Fragment => {
  const isIdle = sql`owed = 0 AND holder IS NULL AND work_item IS NOT NULL`
  const isPatient = sql`${isIdle} AND ${patientFirst(sql, columns)}`
  return sql`due_at = CASE WHEN ${isIdle} THEN ${idleDue(sql, columns)} ELSE due_at END,
    urgency = CASE WHEN ${isPatient} THEN ${sql.literal(String(leastUrgent))} ELSE urgency END,
    patient = CASE WHEN ${isPatient} THEN 1 ELSE patient END`
}
