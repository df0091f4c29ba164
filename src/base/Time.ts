import { Brand, Clock, DateTime, Duration, Effect, Schema } from "effect"

/** A moment: milliseconds since 1970, UTC, by the computer's clock, which can be set. */
export type EpochMillis = number & Brand.Brand<"EpochMillis">
export const EpochMillis = Brand.nominal<EpochMillis>()

/** A moment in a row that is read. */
export const Moment = Schema.Number.pipe(Schema.fromBrand(EpochMillis))

/** A moment by the clock that nobody can set, in milliseconds. Compare it only with others of the same process. */
export type MonotonicMillis = number & Brand.Brand<"MonotonicMillis">
export const MonotonicMillis = Brand.nominal<MonotonicMillis>()

/** Now. */
export const epochMillis: Effect.Effect<EpochMillis> = Effect.map(Clock.currentTimeMillis, EpochMillis)

/** Now, by the clock that nobody can set. */
export const monotonicMillis: Effect.Effect<MonotonicMillis> = Effect.map(
  Clock.currentTimeNanos,
  (nanos) => MonotonicMillis(Number(nanos / 1_000_000n))
)

/** The moment that is so much later. */
export const later = (at: EpochMillis, by: Duration.DurationInput): EpochMillis =>
  EpochMillis(at + Duration.toMillis(by))

/** The moment that is so much earlier. */
export const earlier = (at: EpochMillis, by: Duration.DurationInput): EpochMillis =>
  EpochMillis(at - Duration.toMillis(by))

/** A stored moment, as it is shown to others. */
export const utc = (at: EpochMillis): DateTime.Utc => DateTime.unsafeMake(at)

/** A moment in UTC as a text for people, to the second. */
export const toTheSecond = (at: number): string => DateTime.formatIso(DateTime.unsafeMake(at)).replace(/\.\d+Z$/, "Z")

/** A shown moment, as it is stored and compared. */
export const stored = (at: DateTime.Utc): EpochMillis => EpochMillis(at.epochMillis)
