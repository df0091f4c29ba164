import type { DateTime } from "effect"
import { Schema } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"

/** An instant as JSON shows it. */
export const Instant = Schema.DateTimeUtc.annotations({ description: "an instant by ISO 8601, UTC" })

/** A stored moment as such an instant. */
export const instant: (at: EpochMillis) => DateTime.Utc = utc

/** The same for one that may be missing. */
export const instantOrNull = (at: EpochMillis | null): DateTime.Utc | null => at === null ? null : instant(at)
