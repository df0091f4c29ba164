import * as Brand from "effect/Brand"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A moment by the Clock: milliseconds since 1970. */
export type ClockMillis = number & Brand.Brand<"ClockMillis">
export const ClockMillis = Brand.nominal<ClockMillis>()

/** A moment as Plane keeps it, because it shows that resolution: microseconds since 1970. */
export type PlaneMicros = number & Brand.Brand<"PlaneMicros">
export const PlaneMicros = Brand.nominal<PlaneMicros>()

/** Now. */
export const clockMillis: Effect.Effect<ClockMillis> = Effect.map(Clock.currentTimeMillis, ClockMillis)

/** The millisecond that a moment of Plane's is in. */
export const clockMillisOf = (at: PlaneMicros): ClockMillis => ClockMillis(Math.floor(at / 1000))
