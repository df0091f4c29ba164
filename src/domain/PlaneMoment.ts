import { Brand, Either, ParseResult, Schema } from "effect"
import { EpochMillis } from "../base/Time.js"

const pattern = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})$/

/**
 * A moment that Plane wrote (ISO 8601, to the microsecond), in the one form whose texts sort as the moments do:
 * "2026-11-23T21:10:39.731779Z". Milliseconds are too coarse, because two changes of a work item can share one.
 */
export type PlaneMoment = string & Brand.Brand<"PlaneMoment">
export const PlaneMoment = Brand.nominal<PlaneMoment>()

/** The moment that Plane wrote as `text`, or what is wrong with it, in words. */
export const parsePlaneMoment = (text: string): Either.Either<PlaneMoment, string> => {
  const [, date = "", time = "", fraction = "", offset = ""] = pattern.exec(text) ?? []
  const seconds = new Date(`${date}T${time}${offset.replace(/(\d{2})(\d{2})$/, "$1:$2")}`)
  // The offset can lead out of the years that have four digits, and then texts do not sort as moments do.
  return Number.isNaN(seconds.getTime()) || seconds.getUTCFullYear() > 9999 || seconds.getUTCFullYear() < 0
    ? Either.left(`${JSON.stringify(text.slice(0, 80))} is not a moment: expected ISO 8601 with an offset`)
    : Either.right(PlaneMoment(`${seconds.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`))
}

/** A moment of Plane by the computer's clock, to the millisecond. */
export const epochOf = (moment: PlaneMoment): EpochMillis => EpochMillis(Date.parse(moment))

/** A moment of the computer's clock as Plane would write it. */
export const momentOf = (at: EpochMillis): PlaneMoment => PlaneMoment(`${new Date(at).toISOString().slice(0, -1)}000Z`)

/** A moment as Plane writes it. */
export const PlaneMomentText = Schema.transformOrFail(
  Schema.String,
  Schema.String.pipe(Schema.fromBrand(PlaneMoment)),
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.mapLeft(parsePlaneMoment(text), (message) => new ParseResult.Type(ast, text, message)),
    encode: ParseResult.succeed
  }
).annotations({ identifier: "PlaneMoment" })
