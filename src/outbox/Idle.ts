import type { Fragment, Sql } from "../storage/Sql.js"

/** What the columns are going to be that tell when a lane has something to do although it owes nothing. */
interface IdleColumns {
  readonly checkAt?: Fragment | undefined
  readonly linksAt?: Fragment | undefined
}

const earlier = (sql: Sql, one: Fragment, other: Fragment) =>
  sql`CASE WHEN ${one} <= coalesce(${other}, ${one}) THEN ${one} ELSE ${other} END`

/** Links are made only where the work item is known: until then they wait. */
const linkable = (sql: Sql, linksAt: Fragment) => sql`CASE WHEN work_item IS NOT NULL THEN ${linksAt} END`

const checks = (sql: Sql, checkAt: Fragment = sql`check_at`) => earlier(sql, sql`twins_at`, checkAt)

/** When a lane is due that owes nothing: when something is to be checked, or a link is to be made or to go. */
export const idleDue = (sql: Sql, { checkAt, linksAt = sql`links_at` }: IdleColumns = {}): Fragment =>
  earlier(sql, checks(sql, checkAt), linkable(sql, linksAt))

/** Whether it is due then for its links alone. */
export const linksFirst = (sql: Sql, { checkAt, linksAt = sql`links_at` }: IdleColumns = {}): Fragment => {
  const first = linkable(sql, linksAt)
  return sql`coalesce(${first} < ${checks(sql, checkAt)}, ${first} IS NOT NULL)`
}
