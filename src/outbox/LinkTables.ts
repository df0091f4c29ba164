import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { ddl } from "../storage/Ddl.js"
import type { Migration } from "../storage/Migrations.js"

/**
 * The links that work items are to have (`wanted`), and those that we have made and that are to go. `sequence`: the
 * last event that was published when it was wanted, because the newest of a kind counts. `link_id`: Plane has it;
 * `ours`: we have made it. `asked`: a request to make or to delete it was sent, and its outcome is not known.
 * `refused`: why it was given up; without `attempts` it was not sent, because it had no address for Plane. `due_at`: it
 * is not tried before. `links_at` of a lane is when the first of them is due; and an event keeps its links as JSON until
 * it is folded, and after.
 */
export const linkTable: Migration = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { counted, number, text } = yield* ddl
  yield* sql`CREATE TABLE plane_sync_link (
    id ${counted},
    lane ${number} NOT NULL,
    kind ${text} NOT NULL,
    url ${text} NOT NULL,
    title ${text} NOT NULL,
    sequence ${number} NOT NULL,
    wanted ${number} NOT NULL DEFAULT 1,
    link_id ${text},
    ours ${number} NOT NULL DEFAULT 0,
    asked ${number} NOT NULL DEFAULT 0,
    attempts ${number} NOT NULL DEFAULT 0,
    due_at ${number} NOT NULL DEFAULT 0,
    refused ${text}
  )`
  yield* sql`CREATE UNIQUE INDEX plane_sync_link_lane ON plane_sync_link (lane, kind, url)`
  yield* sql`ALTER TABLE plane_sync_lane ADD COLUMN links_at ${number}`
  yield* sql`ALTER TABLE plane_sync_event ADD COLUMN links ${text}`
})
