import { Either, Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { Moment } from "../base/Time.js"
import type { Source } from "./WebhookConfig.js"

/** Reads when each sender was last heard, for those who have no `Storage`. It reads the whole inbox. */
export const lastHeardStatement = `SELECT source, max(received_at) AS at FROM plane_sync_webhook GROUP BY source`

const Rows = Schema.Array(Schema.Struct({
  source: Schema.Literal("plane", "gitea"),
  at: Moment
}))

/** When each sender was last heard, by these rows. Hooks are kept for 7 days. */
export const lastHeard = (rows: unknown): ReadonlyMap<Source, EpochMillis> =>
  new Map(
    Either.getOrElse(Schema.decodeUnknownEither(Rows)(rows), () => []).map(({ at, source }) => [source, at])
  )
