import type { Fragment, Sql } from "../storage/Sql.js"
import { everythingElse } from "./Turns.js"

/** Whose rows these are: the holder of a term, and its projects. */
export interface Rows {
  readonly holder: string
  readonly projects: ReadonlyArray<string>
}

/** A condition: whether a leader is that of a project, by an expression of its identifier; '' is that of none. */
export type Covers = (project: Fragment) => Fragment

/**
 * What a leader may touch: the projects of its destination, or all that has no other leader. Whose row it is decides,
 * and not whether that one's lease is over, because rows change only while no turn is taken.
 */
export const covers = (sql: Sql, { holder, projects }: Rows): Covers =>
  projects.includes(everythingElse)
    ? (project) => sql`${project} NOT IN (SELECT project FROM plane_sync_sender WHERE holder <> ${holder})`
    : (project) => sql`${project} IN ${sql.texts(projects)}`

/** What all of these may touch together. */
export const coverTogether = (sql: Sql, leaders: ReadonlyArray<Rows>): Covers => (project) =>
  leaders.length === 0
    ? sql`1 = 0`
    : sql`(${sql.join(" OR ", leaders.map((leader) => covers(sql, leader)(project)))})`
