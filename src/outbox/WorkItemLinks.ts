import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import type { Link } from "../domain/Link.js"
import type { Sql } from "../storage/Sql.js"
import type { NamedItem } from "./LeftStates.js"
import { itsLanes } from "./LeftStates.js"

/** A link that a work item is to have, and what became of it. */
export interface WorkItemLink extends Link {
  /** Whether Plane has it, whoever has made it. */
  readonly inPlane: boolean
  /** Why it was given up. */
  readonly givenUp: Option.Option<string>
}

interface Row extends Link {
  readonly there: number
  readonly givenUp: string | null
}

/** The links that a work item is to have, by kind. Those of events that are not folded yet are not among them. */
export const readWorkItemLinks = (sql: Sql, item: NamedItem): Effect.Effect<ReadonlyArray<WorkItemLink>, SqlError> =>
  Effect.map(
    sql<Row>`SELECT kind, title, url, CASE WHEN link_id IS NULL THEN 0 ELSE 1 END AS there, refused AS "givenUp"
      FROM plane_sync_link WHERE wanted = 1 AND lane IN (SELECT id FROM plane_sync_lane WHERE ${itsLanes(sql, item)})
      ORDER BY kind, id`,
    (rows) =>
      rows.map(({ givenUp, there, ...link }) => ({
        ...link,
        inPlane: there === 1,
        givenUp: Option.fromNullable(givenUp)
      }))
  )
