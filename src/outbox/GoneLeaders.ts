import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { epochMillis } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import { everythingElse, keepTurnsAway } from "./Turns.js"

/** What was held by those who lead no more. */
export const freeLanes = (sql: Sql) =>
  sql`UPDATE plane_sync_lane SET holder = NULL
    WHERE holder IS NOT NULL AND holder NOT IN (SELECT holder FROM plane_sync_sender)`

/** A leader that was not seen for so long is gone, also where nobody else has a setting for what it has led. */
const goneAfter = Duration.minutes(10)

/** Forgets leaders that are gone, so that what they have led is everybody else's. Runs within a transaction. */
export const forgetGone = (sql: Sql): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* keepTurnsAway(sql)
    const now = yield* epochMillis
    yield* sql`DELETE FROM plane_sync_sender WHERE project <> ${everythingElse}
      AND seen_at < ${sql.clock(now)} - ${sql.literal(String(Duration.toMillis(goneAfter)))}`
    yield* freeLanes(sql)
  })
