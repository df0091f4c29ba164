import { Schema } from "effect"
import { Instant } from "../views/Instant.js"

/** What `GET /api/history` answers: the last 24 hours, or since the start, in buckets of five minutes. */
export const History = Schema.Struct({
  since: Instant.annotations({ description: "where the first bucket begins: at most 24 hours ago" }),
  bucketSeconds: Schema.Number,
  buckets: Schema.Array(Schema.Struct({
    at: Instant.annotations({ description: "where it begins" }),
    events: Schema.Number.annotations({ description: "events that were published" }),
    told: Schema.Number.annotations({ description: "comments that Plane took" }),
    p50Seconds: Schema.NullOr(Schema.Number).annotations({
      description: "from publish to told, the middle; null: none"
    }),
    p99Seconds: Schema.NullOr(Schema.Number),
    closedSeconds: Schema.Number.annotations({ description: "how long Plane was closed for at least one project" })
  }))
}).annotations({ identifier: "History" })
export type History = typeof History.Type
