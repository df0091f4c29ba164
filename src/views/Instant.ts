import { DateTime, Schema } from "effect"

/** An instant as JSON shows it. */
export const Instant = Schema.DateTimeUtc.annotations({ description: "an instant by ISO 8601, UTC" })

/** An instant from milliseconds since 1970. */
export const instant = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

/** The same for one that may be missing. */
export const instantOrNull = (millis: number | null): DateTime.Utc | null => millis === null ? null : instant(millis)
